/*
 * aio/http_parts.c - an answer made of bytes and files (aio, sysctrd; reads files, as sendfile does)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aio/http_conn.h"
#include "base/mem.h"
#include "os/fd.h"

enum {
	PARTS_BLOCK_BYTES = 64 * 1024
};

struct parts {
	size_t n;
	struct http_part list[];
};

static uint64_t part_len(const struct http_part *part)
{
	return part->fd < 0 ? part->bytes.len : part->len;
}

static ssize_t read_part(const struct http_part *part, uint64_t offset, char *bytes, size_t size)
{
	ssize_t n;

	size = MIN(size, part_len(part) - offset);
	if (part->fd < 0) {
		memcpy(bytes, part->bytes.data + offset, size);
		return (ssize_t)size;
	}
	do
		n = pread(part->fd, bytes, size, (off_t)offset);
	while (n < 0 && errno == EINTR);
	/* Shorter than promised: the client must not take it for whole. */
	return n > 0 ? n : MHD_CONTENT_READER_END_WITH_ERROR;
}

static ssize_t read_parts(void *data, uint64_t position, char *bytes, size_t size)
{
	const struct parts *parts = data;

	for (size_t i = 0; i < parts->n; i++) {
		uint64_t len = part_len(&parts->list[i]);

		if (position < len)
			return read_part(&parts->list[i], position, bytes, size);
		position -= len;
	}
	return MHD_CONTENT_READER_END_OF_STREAM;
}

static void free_parts(void *data)
{
	struct parts *parts = data;

	for (size_t i = 0; i < parts->n; i++) {
		(void)fd_close(parts->list[i].fd);
		buf_done(&parts->list[i].bytes);
	}
	free(parts);
}

void http_req_answer_parts(struct http_req *req, unsigned int status, const struct http_part *list,
			   size_t n_parts)
{
	struct parts *parts = xcalloc(1, sizeof(*parts) + n_parts * sizeof(*list));
	uint64_t total = 0;

	parts->n = n_parts;
	memcpy(parts->list, list, n_parts * sizeof(*list));
	for (size_t i = 0; i < n_parts; i++)
		total += part_len(&list[i]);
	http_req_respond(req, status,
			 MHD_create_response_from_callback(total, PARTS_BLOCK_BYTES, read_parts,
							   parts, free_parts));
}
