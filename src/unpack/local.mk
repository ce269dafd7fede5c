helper_PROGRAMS += sysctr-unpack
sysctr_unpack_SOURCES = \
	%D%/guard.c %D%/guard.h \
	%D%/job_backup_store.c \
	%D%/job_backup_unpack.c \
	%D%/job_image_publish.c \
	%D%/job_image_store.c \
	%D%/job_image_unpack.c \
	%D%/job_instance_export.c \
	%D%/job_side_read.c \
	%D%/jobs.h \
	%D%/main.c \
	%D%/pack.c %D%/pack.h \
	%D%/root.c %D%/root.h \
	%D%/store_image.h
sysctr_unpack_CPPFLAGS = $(AM_CPPFLAGS) $(ARCHIVE_CFLAGS) $(GNUTLS_CFLAGS)
sysctr_unpack_LDADD = libimage.a libstorage.a libspec.a libcodec.a libos.a libbase.a \
	$(ARCHIVE_LIBS) $(GNUTLS_LIBS) $(YAML_LIBS) $(JANSSON_LIBS)
