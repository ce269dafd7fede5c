/*
 * aio/http_stream.c - connections after a 101 (aio, sysctrd)
 *
 * The socket is copied and libmicrohttpd's own closed at once: it keeps no state for a stream.
 */
#include <errno.h>
#include <stdlib.h>

#include "aio/http_conn.h"
#include "base/mem.h"
#include "os/fd.h"

void http_stream_hand_over(struct http_req *req, const char *early, size_t early_len)
{
	struct http_server *server = req->server;
	http_upgrade_fn fn = req->upgrade_fn;
	int fd = fd_copy(req->conn_fd, 3);

	req->upgrade_fn = NULL;
	if (fd < 0) {
		fn(req->upgrade_data, NULL);
		return;
	}
	struct http_stream *stream = xcalloc(1, sizeof(*stream));

	(void)fd_set_nonblock(fd);
	stream->fd = fd;
	stream->server = server;
	stream->loop = req->loop;
	buf_add(&stream->early, early, early_len);
	list_append(&server->streams, &stream->node);
	server->n_streams++;
	fn(req->upgrade_data, stream);
}

int http_stream_fd(const struct http_stream *stream)
{
	return stream->fd;
}

struct buf *http_stream_early(struct http_stream *stream)
{
	return &stream->early;
}

struct http_stream *http_stream_free(struct http_stream *stream)
{
	if (!stream)
		return NULL;
	if (stream->server) {
		list_remove(&stream->node);
		stream->server->n_streams--;
	}
	(void)fd_close(stream->fd);
	buf_done(&stream->early);
	free(stream);
	return NULL;
}
