sbin_PROGRAMS += sysctrd
sysctrd_SOURCES = %D%/main.c
sysctrd_CPPFLAGS = $(AM_CPPFLAGS) -DSYSCTR_SOURCE_TEMPLATES='"$(abs_top_srcdir)/templates"'
sysctrd_LDADD = libapi.a libcore.a libnetwork.a libstorage.a libdb.a libaio.a libspec.a libcodec.a \
	libos.a libbase.a $(UV_LIBS) $(SQLITE_LIBS) $(MHD_LIBS) $(WSLAY_LIBS) $(JANSSON_LIBS) \
	$(YAML_LIBS) $(GNUTLS_LIBS) $(MNL_LIBS) $(SECCOMP_LIBS)
