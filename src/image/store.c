/* image/store.c - see store.h */
#include "image/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/form.h"
#include "os/fd.h"
#include "os/path.h"

enum {
	BLOCK_BYTES = 256 * 1024,
	SPACE_EVERY_BYTES = 8 << 20,
	STALE_S = 600 /* builds have files of that name too, without a lock */
};

/* A file of a job that died: old and in nobody's hands. */
static bool is_stale(int dir_fd, const char *name)
{
	struct stat st;
	_cleanup_(fd_closep) int fd = path_open_plain(dir_fd, name, O_RDONLY | O_NONBLOCK, 0);

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_mtime < time(NULL) - STALE_S && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void remove_stale(int dir_fd)
{
	int fd = path_open_plain(dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (str_after(entry->d_name, ".new-") && is_stale(dir_fd, entry->d_name))
			(void)unlinkat(dir_fd, entry->d_name, 0);
	(void)closedir(dir);
}

int store_init(const char *dir, struct report *report, struct store *ret_store, struct err *err)
{
	if (str_empty(dir) || *dir != '/')
		return err_kind(err, ERR_INVALID, "image store: no absolute directory");
	*ret_store = (struct store){ .dir = dir, .report = report, .dir_fd = -EBADF };
	ret_store->files[0].fd = ret_store->files[1].fd = -EBADF;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "make \"%s\"", dir);
	ret_store->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret_store->dir_fd < 0)
		return err_set(err, -errno, "open \"%s\"", dir);
	ret_store->hash = fingerprint_new();
	if (!ret_store->hash)
		return err_kind(err, ERR_INTERNAL, "image store: SHA-256 is not available");
	remove_stale(ret_store->dir_fd);
	return 0;
}

void store_done(struct store *store)
{
	for (size_t i = 0; i < ARRAY_LEN(store->files); i++) {
		if (!store->kept && store->files[i].name[0] != '\0')
			(void)unlinkat(store->dir_fd, store->files[i].name, 0);
		store->files[i].fd = fd_close(store->files[i].fd);
	}
	store->dir_fd = fd_close(store->dir_fd);
	store->hash = fingerprint_free(store->hash);
}

static int begin_file(struct store *store, size_t index, struct err *err)
{
	struct store_file *file = &store->files[index];
	char uuid[UUID_LEN];

	(void)snprintf(file->name, sizeof(file->name), ".new-%s%s", uuid_new(uuid),
		       index > 0 ? ".rootfs" : "");
	file->fd = openat(store->dir_fd, file->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file->fd < 0 || flock(file->fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, -errno, "make \"%s/%s\"", store->dir, file->name);
	return 0;
}

static uint64_t taken_bytes(const struct store *store)
{
	return store->files[0].size_bytes + store->files[1].size_bytes;
}

static int no_space(const struct store *store, uint64_t free_bytes, uint64_t need_bytes,
		    struct err *err)
{
	char free_text[FMT_BYTES_LEN], reserve_text[FMT_BYTES_LEN], need_text[FMT_BYTES_LEN];

	(void)err_kind(err, ERR_UNAVAILABLE,
		       "not enough space in \"%s\": %s are free, %s must stay free, at least %s "
		       "more are needed",
		       store->dir, fmt_bytes(free_text, free_bytes),
		       fmt_bytes(reserve_text, store->reserve_bytes),
		       fmt_bytes(need_text, need_bytes));
	if (err)
		err->code = -ENOSPC;
	return -ENOSPC;
}

/* Whether @need_bytes more leave the reserve alone. */
static int check_space(const struct store *store, uint64_t need_bytes, struct err *err)
{
	struct statvfs fs;

	if (fstatvfs(store->dir_fd, &fs) < 0)
		return err_set(err, -errno, "ask for the free space of \"%s\"", store->dir);
	uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (free_bytes < store->reserve_bytes || free_bytes - store->reserve_bytes < need_bytes)
		return no_space(store, free_bytes, need_bytes, err);
	return 0;
}

static int check_limits(struct store *store, size_t len, struct err *err)
{
	uint64_t before = taken_bytes(store);
	char text[FMT_BYTES_LEN];

	if (store->max_bytes > 0 && before + len > store->max_bytes)
		return err_kind(err, ERR_INVALID, "the image is larger than %s",
				fmt_bytes(text, store->max_bytes));
	if (before / SPACE_EVERY_BYTES == (before + len) / SPACE_EVERY_BYTES && before > 0)
		return 0;
	return check_space(store, MAX(len, (size_t)SPACE_EVERY_BYTES / 8), err);
}

static int add_bytes(struct store *store, size_t index, const void *bytes, size_t len,
		     struct err *err)
{
	struct store_file *file = &store->files[index];

	int r = check_limits(store, len, err);
	if (r < 0)
		return r;
	r = fd_write_all(file->fd, bytes, len);
	if (r == -ENOSPC || r == -EDQUOT) {
		struct statvfs fs = { 0 };
		(void)fstatvfs(store->dir_fd, &fs);
		return no_space(store, (uint64_t)fs.f_bavail * fs.f_frsize, len, err);
	}
	if (r == 0)
		r = fingerprint_add(store->hash, bytes, len);
	if (r < 0)
		return err_set(err, r, "write \"%s/%s\"", store->dir, file->name);
	file->size_bytes += len;
	report_progress(store->report, "store", taken_bytes(store), store->total_bytes);
	return 0;
}

typedef int feed_fn(void *data, const void *bytes, size_t len, struct err *err);

/* Everything of @fd in pieces, as long as the job is wanted. */
static int feed_all(struct store *store, int fd, feed_fn *feed, void *data, struct err *err)
{
	_cleanup_(freep) char *block = xmalloc(BLOCK_BYTES);

	for (;;) {
		int r = report_wait(store->report, fd, POLLIN, -1);
		if (r == -ECANCELED)
			return report_cancel_err(err);
		ssize_t n = read(fd, block, BLOCK_BYTES);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return err_set(err, -errno, "read the image");
		if (n == 0)
			return 0;
		r = feed(data, block, (size_t)n, err);
		if (r < 0)
			return r;
	}
}

struct raw_feed {
	struct store *store;
	size_t index;
};

static int feed_raw(void *data, const void *bytes, size_t len, struct err *err)
{
	struct raw_feed *raw = data;

	return add_bytes(raw->store, raw->index, bytes, len, err);
}

static int take_raw(struct store *store, int fd, size_t index, struct err *err)
{
	struct raw_feed raw = { store, index };

	int r = begin_file(store, index, err);
	return r < 0 ? r : feed_all(store, fd, feed_raw, &raw, err);
}

static int take_path(struct store *store, const char *path, size_t index, struct err *err)
{
	struct stat st;
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "open \"%s\"", path);
	if (!S_ISREG(st.st_mode))
		return err_kind(err, ERR_INVALID, "\"%s\" is no regular file", path);
	store->total_bytes += (uint64_t)st.st_size;
	int r = check_space(store, (uint64_t)st.st_size, err);
	return r < 0 ? r : take_raw(store, fd, index, err);
}

static int form_begin(void *data, size_t index, struct err *err)
{
	return begin_file(data, index, err);
}

static int form_add(void *data, size_t index, const void *bytes, size_t len, struct err *err)
{
	return add_bytes(data, index, bytes, len, err);
}

static int feed_form(void *data, const void *bytes, size_t len, struct err *err)
{
	return form_feed(data, bytes, len, err);
}

static int take_form(struct store *store, int fd, const char *boundary, struct err *err)
{
	const struct form_sink sink = { form_begin, form_add, store };
	_cleanup_(form_freep) struct form *form = form_new(boundary, &sink);

	int r = feed_all(store, fd, feed_form, form, err);
	return r < 0 ? r : form_end(form, err);
}

int store_take(struct store *store, const struct store_input *input, struct err *err)
{
	int r;

	if (input->src)
		r = take_path(store, input->src, 0, err);
	else if (input->boundary)
		r = take_form(store, input->fd, input->boundary, err);
	else
		r = take_raw(store, input->fd, 0, err);
	if (r == 0 && input->src_rootfs)
		r = take_path(store, input->src_rootfs, 1, err);
	if (r == 0 && store->files[0].size_bytes == 0)
		r = err_kind(err, ERR_INVALID, "the image is empty");
	if (r == 0)
		(void)fingerprint_take(store->hash, store->fingerprint);
	return r;
}

bool store_is_split(const struct store *store)
{
	return store->files[1].name[0] != '\0';
}

int store_open(const struct store *store, size_t index, struct err *err)
{
	const char *name = store->files[index].name;
	int fd = path_open_plain(store->dir_fd, name, O_RDONLY, 0);

	return fd < 0 ? err_set(err, fd, "open \"%s/%s\"", store->dir, name) : fd;
}

static int keep_file(struct store *store, size_t index, struct err *err)
{
	struct store_file *file = &store->files[index];
	char name[FINGERPRINT_LEN + sizeof(".rootfs")];

	if (file->name[0] == '\0')
		return 0;
	(void)snprintf(name, sizeof(name), "%s%s", store->fingerprint, index > 0 ? ".rootfs" : "");
	if (fsync(file->fd) < 0)
		return err_set(err, -errno, "write out \"%s/%s\"", store->dir, file->name);
	/* one of that name has the same bytes */
	if (renameat(store->dir_fd, file->name, store->dir_fd, name) < 0)
		return err_set(err, -errno, "rename to \"%s/%s\"", store->dir, name);
	file->name[0] = '\0';
	return 0;
}

int store_keep(struct store *store, struct err *err)
{
	int r = keep_file(store, 1, err);
	if (r == 0)
		r = keep_file(store, 0, err);
	if (r == 0 && fsync(store->dir_fd) < 0)
		r = err_set(err, -errno, "write out \"%s\"", store->dir);
	store->kept = r == 0;
	return r;
}
