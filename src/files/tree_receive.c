/* files/tree_receive.c - see tree.h: take a stream, make a tree */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "files/tree.h"
#include "files/tree_attrs.h"
#include "os/fd.h"
#include "os/path.h"

/* A directory that is open; its attributes come when it is complete. */
struct level {
	int fd;
	bool created;
	struct tree_entry entry;
	size_t path_len; /* of what is above it */
};

struct receiver {
	struct stream_in *in;
	const struct tree_receive_plan *plan;
	struct tree_count *count;
	struct level levels[TREE_DEPTH_MAX];
	size_t depth;
	size_t skipped; /* directories below the first one that could not be made */
	bool had_top;
	struct buf path;
	struct err *err;
};

/* The file that is being written. */
struct file {
	int fd;
	int dir_fd;
	char name[NAME_MAX + 1];
	bool created;
	uint64_t size;
};

static int dir_fd_of(const struct receiver *r)
{
	return r->depth ? r->levels[r->depth - 1].fd : r->plan->dir_fd;
}

static void fail(struct receiver *r, const char *name, const char *text)
{
	size_t len = r->path.len;

	buf_printf(&r->path, "%s%s", len ? "/" : "", name);
	r->count->failures++;
	if (r->plan->watch.failed)
		r->plan->watch.failed(r->plan->watch.data, buf_str(&r->path), text);
	r->path.len = len;
	r->path.data[len] = '\0';
}

/* Disks that are full do not get better by the next file. */
static bool is_fatal(int code)
{
	return code == -ENOSPC || code == -EDQUOT || code == -EROFS;
}

/* Tell of @code for the entry @name. Returns: 0, or @code when it ends everything. */
static int fail_code(struct receiver *r, const char *name, int code)
{
	fail(r, name, strerror(-code));
	return is_fatal(code) ? err_set(r->err, code, "\"%.200s\"", name) : 0;
}

static bool is_top(const struct receiver *r)
{
	return r->depth == 0;
}

/* Whether a link in the place of the entry is gone through (T1). */
static bool follows(const struct receiver *r)
{
	return is_top(r) && r->plan->is_target;
}

static bool is_name(const char *name)
{
	return name && *name && strlen(name) <= NAME_MAX && !strchr(name, '/') &&
	       !streq(name, ".") && !streq(name, "..");
}

/* What the entry is called here. Errors: -EBADMSG (T1). */
static int take_name(struct receiver *r, const struct tree_entry *entry, const char **ret_name)
{
	*ret_name = entry->name;
	if (is_top(r) && r->plan->top_name && !r->had_top) {
		*ret_name = r->plan->top_name;
		r->had_top = true;
		return 0;
	}
	/* one entry may be renamed, not several put over each other */
	if (!is_name(entry->name) || (is_top(r) && r->plan->top_name))
		return err_kind(r->err, ERR_INVALID, "broken tree stream: a name that is none"),
		       -EBADMSG;
	return 0;
}

/* ---- directories ---- */

/* Open or make it. Returns: descriptor. */
static int make_dir(struct receiver *r, const char *name, const struct tree_entry *entry,
		    bool *ret_created)
{
	mode_t mode = r->plan->archive ? 0700 : tree_attrs_mode(r->plan, entry, true) | 0700;
	int parent_fd = dir_fd_of(r);
	uint64_t flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follows(r) ? 0 : O_NOFOLLOW);
	int fd = path_openat2(parent_fd, name, flags, 0, RESOLVE_NO_MAGICLINKS);

	*ret_created = false;
	if (fd != -ENOENT)
		return fd == -ELOOP ? -ENOTDIR : fd;
	if (mkdirat(parent_fd, name, mode) < 0)
		return -errno;
	*ret_created = true;
	return path_openat2(parent_fd, name, flags | O_NOFOLLOW, 0, RESOLVE_NO_MAGICLINKS);
}

static int on_dir(struct receiver *r)
{
	struct tree_entry entry = { 0 };
	const char *name;
	struct level *level;
	bool created;
	int code = stream_object(r->in, &tree_entry_schema, &entry), fd;

	if (code == 0 && r->skipped == 0)
		code = take_name(r, &entry, &name);
	if (code < 0 || r->skipped > 0 || r->depth == TREE_DEPTH_MAX) {
		if (code == 0 && r->skipped++ == 0)
			fail(r, name, "it lies too deep");
		wire_free(&tree_entry_schema, &entry);
		return code;
	}
	fd = make_dir(r, name, &entry, &created);
	if (fd < 0) {
		code = fail_code(r, name, fd);
		r->skipped = 1;
		wire_free(&tree_entry_schema, &entry);
		return code;
	}
	level = &r->levels[r->depth++];
	*level = (struct level){
		.fd = fd, .created = created, .entry = entry, .path_len = r->path.len
	};
	buf_printf(&r->path, "%s%s", r->path.len ? "/" : "", name);
	return 0;
}

static void leave_dir(struct receiver *r)
{
	struct level *level = &r->levels[--r->depth];

	r->path.len = level->path_len;
	r->path.data[r->path.len] = '\0';
	level->fd = fd_close(level->fd);
	wire_free(&tree_entry_schema, &level->entry);
}

static int on_dir_end(struct receiver *r)
{
	const struct level *level;
	int code;

	if (r->skipped > 0) {
		r->skipped--;
		return 0;
	}
	if (r->depth == 0)
		return err_kind(r->err, ERR_INVALID, "broken tree stream: an end without a begin"),
		       -EBADMSG;
	level = &r->levels[r->depth - 1];
	code = tree_attrs_apply(r->plan, &level->entry, level->fd, level->created);
	if (code < 0)
		fail(r, ".", strerror(-code));
	leave_dir(r);
	return 0;
}

/* ---- files ---- */

static int open_existing(const struct receiver *r, const struct file *file)
{
	return path_openat2(file->dir_fd, file->name,
			    O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
				    (follows(r) ? 0 : O_NOFOLLOW),
			    0, RESOLVE_NO_MAGICLINKS);
}

static int create(struct receiver *r, struct file *file, mode_t mode)
{
	file->created = true;
	return path_openat2(file->dir_fd, file->name,
			    O_WRONLY | O_CREAT | O_CLOEXEC | (follows(r) ? 0 : O_EXCL | O_NOFOLLOW),
			    mode, RESOLVE_NO_MAGICLINKS);
}

/* Only what is a regular file may be overwritten; a link is replaced unless it is the target. */
static int open_file(struct receiver *r, struct file *file, const struct tree_entry *entry)
{
	mode_t mode = r->plan->archive ? 0600 : tree_attrs_mode(r->plan, entry, false);
	struct stat st;

	file->fd = open_existing(r, file);
	if (file->fd == -ELOOP && !follows(r)) {
		if (unlinkat(file->dir_fd, file->name, 0) < 0)
			return -errno;
		file->fd = -ENOENT;
	}
	if (file->fd == -ENOENT)
		file->fd = create(r, file, mode & 0777);
	if (file->fd < 0)
		return file->fd == -ENXIO ? -EINVAL : file->fd;
	if (fstat(file->fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return !file->created && ftruncate(file->fd, 0) < 0 ? -errno : 0;
}

static int write_data(struct receiver *r, struct file *file)
{
	ssize_t n;

	while ((n = stream_data_to(r->in, file->fd)) > 0) {
		file->size += (uint64_t)n;
		r->count->bytes += (uint64_t)n;
		if (r->plan->watch.copied)
			r->plan->watch.copied(r->plan->watch.data, r->count->bytes,
					      r->count->files);
	}
	return (int)n;
}

static int write_hole(struct receiver *r, struct file *file)
{
	const char *bytes = NULL;
	uint64_t len = 0;
	char copy[8];
	size_t have = 0;
	ssize_t n;

	while ((n = stream_data(r->in, &bytes)) > 0)
		for (ssize_t i = 0; i < n && have < sizeof(copy); i++)
			copy[have++] = bytes[i];
	if (n < 0)
		return (int)n;
	for (size_t i = 0; have == sizeof(copy) && i < sizeof(copy); i++)
		len |= (uint64_t)(unsigned char)copy[i] << (8 * i);
	if (have != sizeof(copy) || len > INT64_MAX - file->size)
		return -EBADMSG;
	file->size += len;
	return lseek(file->fd, (off_t)file->size, SEEK_SET) < 0 ? -errno : 0;
}

/* Whether the sender had all of it. */
static bool is_whole(struct receiver *r)
{
	const char *bytes;

	return stream_data(r->in, &bytes) == 1 && bytes[0] == 0;
}

/*
 * Up to the file's FRAME_END. An error that is the file's own lets the rest of it pass.
 * Returns: 0 whole, 1 not whole, -errno of the stream; *@ret_code: of the file.
 */
static int take_content(struct receiver *r, struct file *file, int *ret_code)
{
	for (;;) {
		int code = stream_next(r->in);

		if (code <= 0)
			return code < 0 ? code : -ECONNABORTED;
		if (r->in->type == FRAME_END)
			return is_whole(r) ? 0 : 1;
		if (r->in->type != FRAME_DATA && r->in->type != FRAME_HOLE)
			return -EBADMSG;
		if (*ret_code < 0)
			continue;
		code = r->in->type == FRAME_DATA ? write_data(r, file) : write_hole(r, file);
		if (code == -ECONNABORTED || code == -EBADMSG)
			return code;
		*ret_code = code;
		if (is_fatal(code))
			return code;
	}
}

static int end_file(struct receiver *r, struct file *file, const struct tree_entry *entry)
{
	if (ftruncate(file->fd, (off_t)file->size) < 0)
		return -errno;
	return tree_attrs_apply(r->plan, entry, file->fd, file->created);
}

static int receive_file(struct receiver *r, struct file *file, const struct tree_entry *entry)
{
	int code = open_file(r, file, entry);
	bool opened = code == 0;
	int stream = take_content(r, file, &code);

	if (opened && stream == 0 && code == 0)
		code = end_file(r, file, entry);
	file->fd = fd_close(file->fd);
	if (opened && file->created && (stream != 0 || code < 0))
		(void)unlinkat(file->dir_fd, file->name, 0);
	if (stream < 0)
		return is_fatal(stream) ? fail_code(r, file->name, stream) : stream;
	if (code < 0)
		return fail_code(r, file->name, code);
	r->count->files += stream == 0; /* else the sender tells of it */
	return 0;
}

/* Nothing of it is made, but its frames are read. */
static int skip_file(struct receiver *r)
{
	struct file none = { .fd = -EBADF };
	int code = -ECANCELED;

	return MIN(take_content(r, &none, &code), 0);
}

static int on_file(struct receiver *r)
{
	struct file file = { .fd = -EBADF, .dir_fd = dir_fd_of(r) };
	struct tree_entry entry = { 0 };
	const char *name;
	int code = stream_object(r->in, &tree_entry_schema, &entry);

	if (code == 0 && r->skipped > 0) {
		code = skip_file(r);
	} else if (code == 0) {
		code = take_name(r, &entry, &name);
		if (code == 0) {
			(void)snprintf(file.name, sizeof(file.name), "%s", name);
			code = receive_file(r, &file, &entry);
		}
	}
	wire_free(&tree_entry_schema, &entry);
	return code;
}

/* ---- links, and the whole ---- */

static int make_link(struct receiver *r, const char *name, const struct tree_entry *entry)
{
	int dir_fd = dir_fd_of(r);

	if (symlinkat(entry->target, dir_fd, name) < 0) {
		struct stat st;

		/* what is in the way goes, unless it is a directory */
		if (errno != EEXIST || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		if (S_ISDIR(st.st_mode))
			return -EISDIR;
		if (unlinkat(dir_fd, name, 0) < 0 || symlinkat(entry->target, dir_fd, name) < 0)
			return -errno;
	}
	return tree_attrs_link(r->plan, entry, dir_fd, name);
}

static int on_link(struct receiver *r)
{
	struct tree_entry entry = { 0 };
	const char *name;
	int code = stream_object(r->in, &tree_entry_schema, &entry);

	if (code == 0 && r->skipped == 0)
		code = take_name(r, &entry, &name);
	if (code == 0 && r->skipped == 0) {
		code = str_empty(entry.target) ? -EINVAL : make_link(r, name, &entry);
		r->count->files += code == 0;
		if (code < 0)
			code = fail_code(r, name, code);
	}
	wire_free(&tree_entry_schema, &entry);
	return code;
}

/* What the sender could not read. */
static int on_failure(struct receiver *r)
{
	struct tree_failure failure = { 0 };
	int code = stream_object(r->in, &tree_failure_schema, &failure);

	if (code == 0 && r->plan->watch.failed)
		r->plan->watch.failed(r->plan->watch.data, failure.path ? failure.path : "",
				      failure.text ? failure.text : "");
	wire_free(&tree_failure_schema, &failure);
	return code;
}

static int on_frame(struct receiver *r)
{
	switch ((int)r->in->type) {
	case FRAME_DIR:
		return on_dir(r);
	case FRAME_FILE:
		return on_file(r);
	case FRAME_LINK:
		return on_link(r);
	case FRAME_END:
		return on_dir_end(r);
	case FRAME_FAIL:
		return on_failure(r);
	default:
		return -EBADMSG;
	}
}

static int receive(struct receiver *r, struct tree_result *ret_result)
{
	for (;;) {
		int code = stream_next(r->in);

		if (code == 0)
			code = -ECONNABORTED;
		if (code > 0 && r->in->type == FRAME_DONE && r->depth == 0)
			return stream_object(r->in, &tree_result_schema, ret_result);
		if (code > 0)
			code = on_frame(r);
		if (code < 0)
			return code;
	}
}

int tree_receive(struct stream_in *in, const struct tree_receive_plan *plan,
		 struct tree_count *count, struct tree_result *ret_result, struct err *err)
{
	struct receiver *r = xcalloc(1, sizeof(*r));
	struct err cause = { 0 };
	int code;

	r->in = in;
	r->plan = plan;
	r->count = count;
	r->err = &cause;
	*ret_result = (struct tree_result){ 0 };
	code = receive(r, ret_result);
	while (r->depth > 0)
		leave_dir(r);
	buf_done(&r->path);
	free(r);
	if (code == 0)
		return 0;
	if (cause.code < 0 && err)
		*err = cause;
	else if (code == -EBADMSG)
		(void)err_kind(err, ERR_INVALID, "broken tree stream");
	else
		(void)err_set(err, code, "receive the tree");
	return code;
}
