## client: the REST client library of the CLI
noinst_LIBRARIES += libclient.a
libclient_a_SOURCES = \
	%D%/client.c %D%/client.h \
	%D%/fdlink.c %D%/fdlink.h \
	%D%/http.c %D%/http.h \
	%D%/operation.c %D%/operation.h \
	%D%/ws.c %D%/ws.h
