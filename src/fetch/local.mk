helper_PROGRAMS += sysctr-fetch
sysctr_fetch_SOURCES = \
	%D%/checksum.c %D%/checksum.h \
	%D%/confine.c %D%/confine.h \
	%D%/fetch.c %D%/fetch.h \
	%D%/main.c \
	%D%/streams.c %D%/streams.h \
	%D%/transfer.c %D%/transfer.h
sysctr_fetch_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(GNUTLS_CFLAGS)
sysctr_fetch_LDADD = libimage.a libspec.a libcodec.a libos.a libbase.a \
	$(CURL_LIBS) $(GNUTLS_LIBS) $(JANSSON_LIBS) $(YAML_LIBS)
