/* files/stream.c - see stream.h */
#include "files/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/fd.h"

static const struct wire_field tree_xattr_fields[] = {
	{ 1, WIRE_STR, offsetof(struct tree_xattr, name), NULL },
	{ 2, WIRE_BYTES, offsetof(struct tree_xattr, value), NULL },
};
WIRE_SCHEMA(tree_xattr, tree_xattr_fields);

static const struct wire_field tree_entry_fields[] = {
	{ 1, WIRE_STR, offsetof(struct tree_entry, name), NULL },
	{ 2, WIRE_U32, offsetof(struct tree_entry, mode), NULL },
	{ 3, WIRE_U32, offsetof(struct tree_entry, uid), NULL },
	{ 4, WIRE_U32, offsetof(struct tree_entry, gid), NULL },
	{ 5, WIRE_U64, offsetof(struct tree_entry, size), NULL },
	{ 6, WIRE_I64, offsetof(struct tree_entry, mtime_s), NULL },
	{ 7, WIRE_I64, offsetof(struct tree_entry, atime_s), NULL },
	{ 8, WIRE_U32, offsetof(struct tree_entry, mtime_ns), NULL },
	{ 9, WIRE_U32, offsetof(struct tree_entry, atime_ns), NULL },
	{ 10, WIRE_STR, offsetof(struct tree_entry, target), NULL },
	{ 11, WIRE_VEC, offsetof(struct tree_entry, xattrs), &tree_xattr_schema },
};
WIRE_SCHEMA(tree_entry, tree_entry_fields);

static const struct wire_field tree_failure_fields[] = {
	{ 1, WIRE_STR, offsetof(struct tree_failure, path), NULL },
	{ 2, WIRE_STR, offsetof(struct tree_failure, text), NULL },
};
WIRE_SCHEMA(tree_failure, tree_failure_fields);

static const struct wire_field tree_result_fields[] = {
	{ 1, WIRE_I32, offsetof(struct tree_result, code), NULL },
	{ 2, WIRE_U32, offsetof(struct tree_result, kind), NULL },
	{ 3, WIRE_STR, offsetof(struct tree_result, text), NULL },
	{ 4, WIRE_U64, offsetof(struct tree_result, files), NULL },
	{ 5, WIRE_U64, offsetof(struct tree_result, bytes), NULL },
	{ 6, WIRE_U64, offsetof(struct tree_result, failures), NULL },
};
WIRE_SCHEMA(tree_result, tree_result_fields);

static void put_u32(char *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (char)(value >> (8 * i));
}

static uint32_t get_u32(const char *in)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value |= (uint32_t)(unsigned char)in[i] << (8 * i);
	return value;
}

int stream_flush(struct stream_out *out)
{
	int r = fd_write_all(out->fd, out->buf.data, out->buf.len);

	out->buf.len = 0;
	return r;
}

static void put_header(struct stream_out *out, enum frame_type type, size_t len)
{
	char header[FRAME_HEADER_LEN];

	put_u32(header, (uint32_t)type);
	put_u32(header + 4, (uint32_t)len);
	buf_add(&out->buf, header, sizeof(header));
}

int stream_put(struct stream_out *out, enum frame_type type, const void *bytes, size_t len)
{
	int r;

	put_header(out, type, len);
	if (out->buf.len + len <= STREAM_BUFFER) {
		buf_add(&out->buf, bytes, len);
		return 0;
	}
	r = stream_flush(out);
	if (r == 0 && len <= STREAM_BUFFER / 2)
		buf_add(&out->buf, bytes, len);
	else if (r == 0)
		r = fd_write_all(out->fd, bytes, len);
	return r;
}

/* Returns: bytes of the file, or of zeros where it has none any more, or -errno of the stream. */
static ssize_t put_block(struct stream_out *out, int fd, off_t from, size_t len, bool *ret_short)
{
	size_t want = MIN(len, STREAM_BUFFER);
	char *bytes = buf_reserve(&out->buf, want);
	ssize_t n = *ret_short ? 0 : pread(fd, bytes, want, from);
	int r;

	if (n <= 0) {
		*ret_short = true;
		memset(bytes, 0, want);
		n = (ssize_t)want;
	}
	r = fd_write_all(out->fd, bytes, (size_t)n);
	return r < 0 ? r : n;
}

int stream_put_file(struct stream_out *out, int fd, off_t from, size_t len)
{
	bool is_short = false, spliced = true;
	int r;

	put_header(out, FRAME_DATA, len);
	r = stream_flush(out);
	while (r == 0 && len > 0) {
		off_t at = from;
		ssize_t n = spliced ? splice(fd, &at, out->fd, NULL, len, SPLICE_F_MOVE) : 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EPIPE)
			return -EPIPE;
		spliced = n > 0;
		if (!spliced)
			n = put_block(out, fd, from, len, &is_short);
		if (n < 0)
			return (int)n;
		from += n;
		len -= (size_t)n;
	}
	return r < 0 ? r : is_short;
}

int stream_put_object(struct stream_out *out, enum frame_type type,
		      const struct wire_schema *schema, const void *object)
{
	struct buf bytes = { 0 };
	int r;

	wire_encode(schema, object, &bytes);
	r = stream_put(out, type, bytes.data, bytes.len);
	buf_done(&bytes);
	return r;
}

void stream_in_init(struct stream_in *in, int fd)
{
	*in = (struct stream_in){ .fd = fd, .bytes = xmalloc(STREAM_BUFFER) };
}

void stream_in_done(struct stream_in *in)
{
	free(in->bytes);
	in->bytes = NULL;
}

/* At most @max. Returns: bytes that came, 0 at the end of the stream, -errno. */
static ssize_t fill(struct stream_in *in, size_t max)
{
	ssize_t n;

	if (in->begin == in->end)
		in->begin = in->end = 0;
	if (in->end == STREAM_BUFFER) {
		memmove(in->bytes, in->bytes + in->begin, in->end - in->begin);
		in->end -= in->begin;
		in->begin = 0;
	}
	do
		n = read(in->fd, in->bytes + in->end, MIN(max, STREAM_BUFFER - in->end));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	in->end += (size_t)n;
	return n;
}

ssize_t stream_data(struct stream_in *in, const char **ret_bytes)
{
	size_t n;

	if (in->left == 0)
		return 0;
	if (in->begin == in->end) {
		ssize_t r = fill(in, STREAM_BUFFER);

		if (r <= 0)
			return r < 0 ? r : -ECONNABORTED;
	}
	n = MIN(in->left, in->end - in->begin);
	*ret_bytes = in->bytes + in->begin;
	in->begin += n;
	in->left -= n;
	return (ssize_t)n;
}

static int drop_rest(struct stream_in *in)
{
	const char *bytes;
	ssize_t n;

	while ((n = stream_data(in, &bytes)) > 0)
		;
	return (int)MIN(n, 0);
}

int stream_next(struct stream_in *in)
{
	uint32_t type, len;
	int r = drop_rest(in);

	if (r < 0)
		return r;
	while (in->end - in->begin < FRAME_HEADER_LEN) {
		size_t missing = FRAME_HEADER_LEN - (in->end - in->begin);
		ssize_t n = fill(in, in->lean ? missing : STREAM_BUFFER);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return in->begin == in->end ? 0 : -ECONNABORTED;
	}
	type = get_u32(in->bytes + in->begin);
	len = get_u32(in->bytes + in->begin + 4);
	if (type == FRAME_NONE || type >= FRAME_TYPE_MAX ||
	    len > (type == FRAME_DATA ? (uint32_t)FRAME_DATA_MAX : (uint32_t)FRAME_ENTRY_MAX))
		return -EBADMSG;
	in->begin += FRAME_HEADER_LEN;
	in->type = (enum frame_type)type;
	in->left = len;
	in->lean = in->type == FRAME_DATA && len >= STREAM_SPLICE_MIN;
	return 1;
}

ssize_t stream_data_to(struct stream_in *in, int fd)
{
	const char *bytes;
	ssize_t n;
	int r;

	while (in->lean && in->left > 0 && in->begin == in->end) {
		n = splice(in->fd, NULL, fd, NULL, in->left, SPLICE_F_MOVE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EINVAL) /* not a pipe, or a file system that cannot */
			break;
		if (n <= 0)
			return n < 0 ? -errno : -ECONNABORTED;
		in->left -= (size_t)n;
		return n;
	}
	n = stream_data(in, &bytes);
	if (n <= 0)
		return n;
	r = fd_write_all(fd, bytes, (size_t)n);
	return r < 0 ? r : n;
}

int stream_object(struct stream_in *in, const struct wire_schema *schema, void *ret_object)
{
	struct buf content = { 0 };
	const char *bytes;
	ssize_t n;
	int r;

	while ((n = stream_data(in, &bytes)) > 0)
		buf_add(&content, bytes, (size_t)n);
	r = n < 0 ? (int)n : wire_decode(schema, content.data, content.len, ret_object, NULL);
	buf_done(&content);
	return r;
}
