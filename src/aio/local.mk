noinst_LIBRARIES += libaio.a
libaio_a_SOURCES = \
	%D%/fdsession.c %D%/fdsession.h \
	%D%/handle.h \
	%D%/http.c %D%/http.h \
	%D%/http_conn.h \
	%D%/http_parts.c \
	%D%/http_req.c \
	%D%/http_socket.c \
	%D%/http_stream.c \
	%D%/loop.c %D%/loop.h \
	%D%/poll.c %D%/poll.h \
	%D%/proc.c %D%/proc.h \
	%D%/pump.c %D%/pump.h \
	%D%/run.c \
	%D%/seqpkt.c %D%/seqpkt.h \
	%D%/signal.c %D%/signal.h \
	%D%/timer.c %D%/timer.h \
	%D%/ws.c %D%/ws.h
libaio_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(MHD_CFLAGS)
