noinst_LIBRARIES += libcodec.a
libcodec_a_SOURCES = \
	%D%/json.c %D%/json.h \
	%D%/jsonw.c %D%/jsonw.h \
	%D%/mask.c %D%/mask.h \
	%D%/multipart.c %D%/multipart.h \
	%D%/url.c %D%/url.h \
	%D%/wire.c %D%/wire.h \
	%D%/ws.c %D%/ws.h \
	%D%/yaml.c %D%/yaml.h
libcodec_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(YAML_CFLAGS)
