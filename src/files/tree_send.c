/* files/tree_send.c - see tree.h: read a tree, make a stream */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "files/place.h"
#include "files/tree.h"
#include "files/tree_attrs.h"
#include "os/fd.h"
#include "os/path.h"

enum {
	SEND_BYTES = STREAM_BUFFER / 2,
	UNSIZED_MAX = 64 * 1024 * 1024 /* of a file that says it is empty, as those in /proc do */
};

struct sender {
	struct stream_out *out;
	const struct tree_send_plan *plan;
	struct tree_count *count;
	char *bytes; /* SEND_BYTES */
	struct buf path;
	unsigned int depth;
};

static int send_entry(struct sender *s, int dir_fd, const char *name, const char *sent_name);

static int fail(struct sender *s, const char *text)
{
	struct tree_failure failure = { .path = (char *)buf_str(&s->path), .text = (char *)text };

	s->count->failures++;
	if (s->plan->watch.failed)
		s->plan->watch.failed(s->plan->watch.data, failure.path, text);
	return stream_put_object(s->out, FRAME_FAIL, &tree_failure_schema, &failure);
}

static void copied(struct sender *s)
{
	if (s->plan->watch.copied)
		s->plan->watch.copied(s->plan->watch.data, s->count->bytes, s->count->files);
}

static int put_hole(struct sender *s, uint64_t len)
{
	char bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (char)(len >> (8 * i));
	return stream_put(s->out, FRAME_HOLE, bytes, sizeof(bytes));
}

/* The stretch of data from @from to @to. Returns: 0, 1 when it could not be read, -errno. */
static int send_stretch(struct sender *s, int fd, off_t from, off_t to)
{
	while (to - from >= STREAM_SPLICE_MIN) {
		size_t len = (size_t)MIN(to - from, FRAME_DATA_MAX);
		int r = stream_put_file(s->out, fd, from, len);

		if (r != 0)
			return r;
		from += (off_t)len;
		s->count->bytes += len;
		copied(s);
	}
	while (from < to) {
		ssize_t n = pread(fd, s->bytes, (size_t)MIN(to - from, SEND_BYTES), from);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return 1;
		if (n == 0)
			return 0; /* it became shorter: what is there is all of it */
		r = stream_put(s->out, FRAME_DATA, s->bytes, (size_t)n);
		if (r < 0)
			return r;
		from += n;
		s->count->bytes += (uint64_t)n;
		copied(s);
	}
	return 0;
}

/* A size of 0 says nothing in /proc and /sys: read to the end, but not for ever. */
static int send_unsized(struct sender *s, int fd)
{
	for (uint64_t total = 0; total < UNSIZED_MAX;) {
		ssize_t n = read(fd, s->bytes, SEND_BYTES);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? 1 : 0;
		r = stream_put(s->out, FRAME_DATA, s->bytes, (size_t)n);
		if (r < 0)
			return r;
		total += (uint64_t)n;
		s->count->bytes += (uint64_t)n;
		copied(s);
	}
	return 1;
}

/* Data and holes in turn, up to the size that the file had when it was opened. */
static int send_content(struct sender *s, int fd, off_t size)
{
	off_t at = 0;
	int r = 0;

	if (size == 0)
		return send_unsized(s, fd);
	while (at < size && r == 0) {
		off_t data = lseek(fd, at, SEEK_DATA);
		off_t hole;

		if (data < 0)
			data = errno == ENXIO ? size : at;
		data = MIN(data, size);
		if (data > at)
			r = put_hole(s, (uint64_t)(data - at));
		hole = data < size ? lseek(fd, data, SEEK_HOLE) : size;
		if (hole <= data || hole > size)
			hole = size;
		if (r == 0 && data < size)
			r = send_stretch(s, fd, data, hole);
		at = hole;
	}
	return r;
}

static int send_open_file(struct sender *s, int fd, const struct stat *st, const char *sent_name)
{
	struct tree_entry entry;
	char whole;
	int r, broken;

	tree_attrs_read(sent_name, st, fd, s->plan->archive, &entry);
	r = stream_put_object(s->out, FRAME_FILE, &tree_entry_schema, &entry);
	wire_free(&tree_entry_schema, &entry);
	if (r < 0)
		return r;
	broken = send_content(s, fd, st->st_size);
	if (broken < 0)
		return broken;
	whole = broken ? 1 : 0;
	r = stream_put(s->out, FRAME_END, &whole, 1);
	if (r == 0 && broken)
		return fail(s, "it cannot be read to its end");
	s->count->files++;
	copied(s);
	return r;
}

static int send_link(struct sender *s, int dir_fd, const char *name, const struct stat *st,
		     const char *sent_name)
{
	char target[PATH_MAX];
	struct tree_entry entry;
	ssize_t n = path_read_link(dir_fd, name, target, sizeof(target));
	int r;

	if (n < 0)
		return fail(s, strerror((int)-n));
	tree_attrs_read(sent_name, st, -EBADF, false, &entry);
	entry.target = xstrdup(target);
	r = stream_put_object(s->out, FRAME_LINK, &tree_entry_schema, &entry);
	wire_free(&tree_entry_schema, &entry);
	s->count->files++;
	return r;
}

static int send_children(struct sender *s, DIR *dir)
{
	struct dirent *entry;
	int r = 0;

	while (r == 0 && (entry = readdir(dir))) {
		size_t len = s->path.len;

		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		buf_printf(&s->path, "/%s", entry->d_name);
		r = send_entry(s, dirfd(dir), entry->d_name, entry->d_name);
		s->path.len = len;
		s->path.data[len] = '\0';
	}
	return r;
}

/* Takes @fd. */
static int send_dir(struct sender *s, int fd, const struct stat *st, const char *sent_name)
{
	struct tree_entry entry;
	DIR *dir;
	int r;

	if (!s->plan->recursive || s->depth >= TREE_DEPTH_MAX) {
		(void)fd_close(fd);
		return fail(s, s->plan->recursive ? "it lies too deep"
						  : "it is a directory: give --recursive");
	}
	dir = fdopendir(fd);
	if (!dir) {
		(void)fd_close(fd);
		return fail(s, strerror(errno));
	}
	tree_attrs_read(sent_name, st, fd, s->plan->archive, &entry);
	r = stream_put_object(s->out, FRAME_DIR, &tree_entry_schema, &entry);
	wire_free(&tree_entry_schema, &entry);
	s->depth++;
	if (r == 0)
		r = send_children(s, dir);
	s->depth--;
	(void)closedir(dir);
	return r < 0 ? r : stream_put(s->out, FRAME_END, NULL, 0);
}

static bool follows(const struct sender *s)
{
	enum files_follow follow = s->plan->follow;

	return follow == FILES_FOLLOW_ALL || (follow == FILES_FOLLOW_TOP && s->depth == 0);
}

/*
 * Look before opening, so that a device is never opened, and look again at what was opened: it may
 * have become another. O_NONBLOCK for the FIFO that came in between.
 */
static int open_entry(struct sender *s, int dir_fd, const char *name, struct stat *st)
{
	uint64_t flags = O_CLOEXEC | (follows(s) ? 0 : O_NOFOLLOW);
	_cleanup_(fd_closep) int path_fd =
		path_openat2(dir_fd, name, flags | O_PATH, 0, RESOLVE_NO_MAGICLINKS);
	_cleanup_(fd_closep) int fd = -EBADF;

	if (path_fd < 0)
		return path_fd;
	if (fstat(path_fd, st) < 0)
		return -errno;
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return -EBADF;
	fd = path_openat2(dir_fd, name, flags | O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
			  RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return fd;
	if (fstat(fd, st) < 0)
		return -errno;
	return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) ? TAKE_FD(fd) : -EBADF;
}

static int send_entry(struct sender *s, int dir_fd, const char *name, const char *sent_name)
{
	struct stat st = { 0 };
	int fd = open_entry(s, dir_fd, name, &st), r;

	if (fd == -EBADF && S_ISLNK(st.st_mode))
		return send_link(s, dir_fd, name, &st, sent_name);
	if (fd == -EBADF)
		return fail(s, place_kind(st.st_mode));
	if (fd < 0)
		return fail(s, strerror(-fd));
	if (S_ISDIR(st.st_mode))
		return send_dir(s, fd, &st, sent_name);
	r = send_open_file(s, fd, &st, sent_name);
	(void)fd_close(fd);
	return r;
}

int tree_send(struct stream_out *out, const struct tree_send_plan *plan, int dir_fd,
	      const char *name, const char *sent_name, struct tree_count *count)
{
	struct sender s = {
		.out = out, .plan = plan, .count = count, .bytes = xmalloc(SEND_BYTES)
	};
	int r;

	buf_add_str(&s.path, sent_name);
	r = send_entry(&s, dir_fd, name, sent_name);
	buf_done(&s.path);
	free(s.bytes);
	return r;
}

int tree_send_done(struct stream_out *out, const struct tree_count *count, int code,
		   const struct err *err)
{
	struct tree_result result = {
		.code = code,
		.kind = err ? err->kind : 0,
		.text = code < 0 ? (char *)err_text(err, code) : NULL,
		.files = count->files,
		.bytes = count->bytes,
		.failures = count->failures,
	};
	int r = stream_put_object(out, FRAME_DONE, &tree_result_schema, &result);

	return r < 0 ? r : stream_flush(out);
}
