/*
 * files/sftp.c - see sftp.h: the stream, the table of requests, handles
 *
 * What touches files by path is in sftp_paths.c.
 */
#include "files/sftp.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "files/serve.h"
#include "files/sftp_priv.h"
#include "os/fd.h"

enum {
	NAMES_PER_REPLY = 128,
	FLUSH_BYTES = 256 * 1024,
	HANDLE_LEN = 4
};

void sftp_status(struct sftp *sftp, int error)
{
	enum sftp_code code = sftp_code_of(error);

	sftp_status_code(sftp, code, error ? strerror(-error) : "Success");
}

void sftp_status_code(struct sftp *sftp, enum sftp_code code, const char *text)
{
	size_t begin = sftp_begin(&sftp->out, SFTP_STATUS, sftp->id);

	sftp_put_u32(&sftp->out, code);
	sftp_put_bytes(&sftp->out, text, strlen(text));
	sftp_put_bytes(&sftp->out, "en", 2);
	sftp_end(&sftp->out, begin);
}

void sftp_attrs_reply(struct sftp *sftp, const struct stat *st)
{
	size_t begin = sftp_begin(&sftp->out, SFTP_ATTRS, sftp->id);

	sftp_put_stat(&sftp->out, st);
	sftp_end(&sftp->out, begin);
}

/* ---- handles ---- */

static struct sftp_handle *get_handle(struct sftp *sftp, struct sftp_in *in)
{
	size_t len;
	const unsigned char *bytes = sftp_get_bytes(in, &len);
	struct sftp_in number = { .at = bytes, .left = len };
	uint32_t index = sftp_get_u32(&number);

	if (len != HANDLE_LEN || index >= SFTP_HANDLES_MAX || sftp->handles[index].fd < 0) {
		sftp_status_code(sftp, SFTP_FAILURE, "no such handle");
		return NULL;
	}
	return &sftp->handles[index];
}

static void drop_handle(struct sftp_handle *handle)
{
	if (handle->dir)
		(void)closedir(handle->dir);
	else
		(void)fd_close(handle->fd);
	*handle = (struct sftp_handle){ .fd = -EBADF };
}

void sftp_new_handle(struct sftp *sftp, int fd, DIR *dir, bool append)
{
	for (uint32_t i = 0; i < SFTP_HANDLES_MAX; i++) {
		struct sftp_handle *handle = &sftp->handles[i];
		size_t begin;

		if (handle->fd >= 0)
			continue;
		*handle = (struct sftp_handle){ .fd = fd, .dir = dir, .append = append };
		begin = sftp_begin(&sftp->out, SFTP_HANDLE, sftp->id);
		sftp_put_u32(&sftp->out, HANDLE_LEN);
		sftp_put_u32(&sftp->out, i);
		sftp_end(&sftp->out, begin);
		return;
	}
	if (dir)
		(void)closedir(dir);
	else
		(void)fd_close(fd);
	sftp_status(sftp, -EMFILE);
}

static void on_close(struct sftp *sftp, struct sftp_in *in)
{
	struct sftp_handle *handle = get_handle(sftp, in);

	if (!handle)
		return;
	drop_handle(handle);
	sftp_status(sftp, 0);
}

static void on_read(struct sftp *sftp, struct sftp_in *in)
{
	struct sftp_handle *handle = get_handle(sftp, in);
	uint64_t offset = sftp_get_u64(in);
	uint32_t wanted = sftp_get_u32(in);
	size_t len = MIN(wanted, (uint32_t)SFTP_READ_MAX);
	size_t begin;
	ssize_t n;

	if (!handle)
		return;
	begin = sftp_begin(&sftp->out, SFTP_DATA, sftp->id);
	sftp_put_u32(&sftp->out, 0);
	do
		n = pread(handle->fd, buf_reserve(&sftp->out, len), len, (off_t)offset);
	while (n < 0 && errno == EINTR);
	if (n <= 0) {
		int error = -errno;

		sftp->out.len = begin;
		if (n < 0)
			sftp_status(sftp, error);
		else
			sftp_status_code(sftp, SFTP_EOF, "End of file");
		return;
	}
	for (int i = 0; i < 4; i++)
		sftp->out.data[sftp->out.len - 4 + (size_t)i] = (char)((size_t)n >> (24 - 8 * i));
	sftp->out.len += (size_t)n;
	sftp_end(&sftp->out, begin);
}

static void on_write(struct sftp *sftp, struct sftp_in *in)
{
	struct sftp_handle *handle = get_handle(sftp, in);
	uint64_t offset = sftp_get_u64(in);
	size_t len, done = 0;
	const unsigned char *bytes = sftp_get_bytes(in, &len);

	if (!handle)
		return;
	if (in->bad) {
		sftp_status(sftp, -EBADMSG);
		return;
	}
	while (done < len) {
		ssize_t n = handle->append ? write(handle->fd, bytes + done, len - done)
					   : pwrite(handle->fd, bytes + done, len - done,
						    (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			sftp_status(sftp, -errno);
			return;
		}
		done += (size_t)n;
	}
	sftp_status(sftp, 0);
}

static void on_fstat(struct sftp *sftp, struct sftp_in *in)
{
	struct sftp_handle *handle = get_handle(sftp, in);
	struct stat st;

	if (!handle)
		return;
	if (fstat(handle->fd, &st) < 0)
		sftp_status(sftp, -errno);
	else
		sftp_attrs_reply(sftp, &st);
}

static void on_fsetstat(struct sftp *sftp, struct sftp_in *in)
{
	struct sftp_handle *handle = get_handle(sftp, in);
	struct sftp_attrs attrs;

	sftp_get_attrs(in, &attrs);
	if (handle)
		sftp_status(sftp, in->bad ? -EBADMSG : sftp_apply(handle->fd, handle->fd, &attrs));
}

static void put_entry(struct sftp *sftp, int dir_fd, const char *name)
{
	struct stat st = { 0 };

	/* one that is gone by now is listed without attributes that mean something */
	(void)fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW);
	sftp_put_bytes(&sftp->out, name, strlen(name));
	sftp_put_long_name(&sftp->out, name, &st);
	sftp_put_stat(&sftp->out, &st);
}

static void on_readdir(struct sftp *sftp, struct sftp_in *in)
{
	struct sftp_handle *handle = get_handle(sftp, in);
	struct dirent *entry;
	uint32_t n = 0;
	size_t begin, count_at;

	if (!handle)
		return;
	if (!handle->dir) {
		sftp_status(sftp, -ENOTDIR);
		return;
	}
	begin = sftp_begin(&sftp->out, SFTP_NAME, sftp->id);
	count_at = sftp->out.len;
	sftp_put_u32(&sftp->out, 0);
	for (; n < NAMES_PER_REPLY && (entry = readdir(handle->dir)); n++)
		put_entry(sftp, handle->fd, entry->d_name);
	if (n == 0) {
		sftp->out.len = begin;
		sftp_status_code(sftp, SFTP_EOF, "End of file");
		return;
	}
	sftp->out.data[count_at + 3] = (char)n;
	sftp_end(&sftp->out, begin);
}

/* ---- the stream ---- */

typedef void request_fn(struct sftp *sftp, struct sftp_in *in);

static request_fn *const requests[] = {
	[SFTP_OPEN] = sftp_on_open,
	[SFTP_CLOSE] = on_close,
	[SFTP_READ] = on_read,
	[SFTP_WRITE] = on_write,
	[SFTP_LSTAT] = sftp_on_lstat,
	[SFTP_FSTAT] = on_fstat,
	[SFTP_SETSTAT] = sftp_on_setstat,
	[SFTP_FSETSTAT] = on_fsetstat,
	[SFTP_OPENDIR] = sftp_on_opendir,
	[SFTP_READDIR] = on_readdir,
	[SFTP_REMOVE] = sftp_on_remove,
	[SFTP_MKDIR] = sftp_on_mkdir,
	[SFTP_RMDIR] = sftp_on_rmdir,
	[SFTP_REALPATH] = sftp_on_realpath,
	[SFTP_STAT] = sftp_on_stat,
	[SFTP_RENAME] = sftp_on_rename,
	[SFTP_READLINK] = sftp_on_readlink,
	[SFTP_SYMLINK] = sftp_on_symlink,
};
static_assert(ARRAY_LEN(requests) == SFTP_REQUEST_MAX, "one row per request");

/* Extensions of OpenSSH that a mount cannot do without. */
static const struct {
	const char *name;
	const char *version;
	request_fn *fn;
} extensions[] = {
	{ "posix-rename@openssh.com", "1", sftp_on_posix_rename },
	{ "statvfs@openssh.com", "2", sftp_on_statvfs },
	{ "hardlink@openssh.com", "1", sftp_on_hardlink },
};

static void on_init(struct sftp *sftp)
{
	size_t begin = sftp->out.len;

	sftp_put_u32(&sftp->out, 0);
	buf_add_char(&sftp->out, SFTP_VERSION_REPLY);
	sftp_put_u32(&sftp->out, SFTP_VERSION);
	for (size_t i = 0; i < ARRAY_LEN(extensions); i++) {
		sftp_put_bytes(&sftp->out, extensions[i].name, strlen(extensions[i].name));
		sftp_put_bytes(&sftp->out, extensions[i].version, strlen(extensions[i].version));
	}
	sftp_end(&sftp->out, begin);
}

static void on_extended(struct sftp *sftp, struct sftp_in *in)
{
	char name[SFTP_PATH_MAX];

	sftp_get_path(in, name);
	for (size_t i = 0; i < ARRAY_LEN(extensions); i++) {
		if (streq(extensions[i].name, name)) {
			extensions[i].fn(sftp, in);
			return;
		}
	}
	sftp_status(sftp, -EOPNOTSUPP);
}

static void on_packet(struct sftp *sftp, const unsigned char *bytes, size_t len)
{
	struct sftp_in in = { .at = bytes, .left = len };
	uint8_t type = sftp_get_u8(&in);

	if (type == SFTP_INIT) {
		on_init(sftp);
		return;
	}
	sftp->id = sftp_get_u32(&in);
	if (in.bad)
		sftp_status(sftp, -EBADMSG);
	else if (type == SFTP_EXTENDED)
		on_extended(sftp, &in);
	else if (type < ARRAY_LEN(requests) && requests[type])
		requests[type](sftp, &in);
	else
		sftp_status(sftp, -EOPNOTSUPP);
}

static int flush(struct sftp *sftp, struct err *err)
{
	int r = fd_write_all(sftp->out_fd, sftp->out.data, sftp->out.len);

	sftp->out.len = 0;
	return r < 0 ? err_set(err, r, "answer the SFTP client") : 0;
}

/* All whole packets that are there. */
static int take_packets(struct sftp *sftp, struct err *err)
{
	size_t at = 0;
	int r = 0;

	while (r == 0 && sftp->in.len - at >= 4) {
		const unsigned char *bytes = (const unsigned char *)sftp->in.data + at;
		struct sftp_in head = { .at = bytes, .left = 4 };
		size_t len = sftp_get_u32(&head);

		if (len == 0 || len > SFTP_PACKET_MAX)
			return err_kind(err, ERR_INVALID, "no SFTP: a packet of %zu bytes", len);
		if (sftp->in.len - at - 4 < len)
			break;
		on_packet(sftp, bytes + 4, len);
		at += 4 + len;
		if (sftp->out.len >= FLUSH_BYTES)
			r = flush(sftp, err);
	}
	buf_consume(&sftp->in, at);
	return r < 0 ? r : flush(sftp, err);
}

static int serve(struct sftp *sftp, struct err *err)
{
	int r = take_packets(sftp, err);

	while (r == 0) {
		ssize_t n = read(sftp->in_fd, buf_reserve(&sftp->in, SFTP_PACKET_MAX + 4),
				 SFTP_PACKET_MAX + 4);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return 0;
		if (n < 0)
			return err_set(err, -errno, "read from the SFTP client");
		sftp->in.len += (size_t)n;
		r = take_packets(sftp, err);
	}
	return r == -EPIPE ? 0 : r;
}

int sftp_serve(int root_fd, int in_fd, int out_fd, const struct buf *early, struct err *err)
{
	struct sftp *sftp = xcalloc(1, sizeof(*sftp));
	int r;

	sftp->root_fd = root_fd;
	sftp->in_fd = in_fd;
	sftp->out_fd = out_fd;
	for (size_t i = 0; i < SFTP_HANDLES_MAX; i++)
		sftp->handles[i].fd = -EBADF;
	if (early && early->len > 0)
		buf_add(&sftp->in, early->data, early->len);
	r = serve(sftp, err);
	for (size_t i = 0; i < SFTP_HANDLES_MAX; i++)
		if (sftp->handles[i].fd >= 0)
			drop_handle(&sftp->handles[i]);
	buf_done(&sftp->in);
	buf_done(&sftp->out);
	free(sftp);
	return r;
}

int files_sftp(struct files_server *server, struct err *err)
{
	return sftp_serve(server->root_fd, server->in_fd, server->out_fd, &server->request->early,
			  err);
}
