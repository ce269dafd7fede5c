/* storage/side.c - see side.h */
#include "storage/side.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"
#include "os/path.h"
#include "spec/job.h"
#include "storage/volume.h"

#define ENDING ".yaml"
#define STAGE  ".new"

static const struct kind_row {
	const char *dir; /* below the pool */
	enum volume_kind volume;
} kinds[] = {
	[SIDE_INSTANCE] = { SIDE_DIR, VOLUME_INSTANCE },
	[SIDE_CUSTOM] = { SIDE_DIR "/custom", VOLUME_CUSTOM },
	[SIDE_POOL] = { ".", VOLUME_KIND_MAX },
};
static_assert(ARRAY_LEN(kinds) == SIDE_KIND_MAX, "one row per kind");

/* Where an object's file is. */
struct place {
	enum side_kind kind;
	char *name; /* of the file */
};

static void place_done(struct place *place)
{
	free(place->name);
}

static int find_place(const char *object, struct place *ret_place, struct err *err)
{
	const char *custom = str_after(object, JOB_SIDE_CUSTOM);
	const char *name = custom ? custom : object;
	int r = 0;

	ret_place->kind = custom ? SIDE_CUSTOM : SIDE_INSTANCE;
	if (streq(object, JOB_SIDE_POOL)) {
		ret_place->kind = SIDE_POOL;
		name = "pool";
	} else {
		r = volume_check_name(kinds[ret_place->kind].volume, name, err);
	}
	if (r == 0)
		ret_place->name = xasprintf("%s" ENDING, name);
	return r;
}

/* Returns: descriptor of the directory, made when it is not there. */
static int open_dir(struct pool *pool, enum side_kind kind, struct err *err)
{
	const char *dir = kinds[kind].dir;
	_cleanup_(fd_closep) int made_fd =
		kind == SIDE_POOL ? -EBADF : path_make_dir(pool->dir_fd, dir, 0700);
	int fd = made_fd < 0 && made_fd != -EBADF
			 ? made_fd
			 : path_open_plain(pool->dir_fd, dir, O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 ? err_set(err, fd, "open \"%s/%s\"", pool->dir, dir) : fd;
}

/* Only a plain file of a size that can be: whoever brought the disk may have put anything there. */
static int read_one(int dir_fd, const char *name, size_t max_bytes, struct buf *text)
{
	_cleanup_(fd_closep) int fd = path_open_plain(dir_fd, name, O_RDONLY | O_NONBLOCK, 0);
	struct stat st;
	int r;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	r = fd_read_all(fd, max_bytes, text);
	(void)buf_str(text);
	return r;
}

/* Each start of sysctrd has them all written. */
static bool says(int dir_fd, const char *name, const char *text)
{
	_cleanup_(buf_done) struct buf there = { 0 };

	return read_one(dir_fd, name, strlen(text), &there) == 0 && streq(buf_str(&there), text);
}

static int write_stage(int dir_fd, const char *text)
{
	_cleanup_(fd_closep) int fd =
		path_open_plain(dir_fd, STAGE, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int r;

	if (fd < 0)
		return fd;
	r = fd_write_all(fd, text, strlen(text));
	return r == 0 && fdatasync(fd) < 0 ? -errno : r;
}

int side_write(struct pool *pool, const char *object, const char *text, struct err *err)
{
	_cleanup_(place_done) struct place place = { 0 };
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	int r = find_place(object, &place, err);

	if (r < 0)
		return r;
	dir_fd = open_dir(pool, place.kind, err);
	if (dir_fd < 0)
		return dir_fd;
	if (says(dir_fd, place.name, text))
		return 0;
	r = write_stage(dir_fd, text);
	if (r == 0 && renameat(dir_fd, STAGE, dir_fd, place.name) < 0)
		r = -errno;
	return r < 0 ? err_set(err, r, "write \"%s/%s/%s\"", pool->dir, kinds[place.kind].dir,
			       place.name)
		     : 0;
}

int side_remove(struct pool *pool, const char *object, struct err *err)
{
	_cleanup_(place_done) struct place place = { 0 };
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	int r = find_place(object, &place, err);

	if (r == 0)
		r = dir_fd = open_dir(pool, place.kind, err);
	if (r >= 0 && unlinkat(dir_fd, place.name, 0) < 0 && errno != ENOENT)
		r = err_set(err, -errno, "remove \"%s/%s/%s\"", pool->dir, kinds[place.kind].dir,
			    place.name);
	return MIN(r, 0);
}

static bool is_side_file(const char *name)
{
	return name[0] != '.' && str_ends_with(name, ENDING);
}

/* NULL with r set: 0 when it is not there. */
static DIR *open_stream(int pool_fd, enum side_kind kind, int *ret_r)
{
	int fd = path_open_plain(pool_fd, kinds[kind].dir, O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	*ret_r = fd == -ENOENT ? 0 : fd < 0 ? fd : dir ? 0 : -errno;
	return dir;
}

static void clear_dir(DIR *dir)
{
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		if (is_side_file(entry->d_name) || streq(entry->d_name, STAGE))
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	(void)closedir(dir);
}

int side_clear(struct pool *pool, struct err *err)
{
	for (enum side_kind kind = SIDE_INSTANCE; kind <= SIDE_CUSTOM; kind++) {
		int r;
		DIR *dir = open_stream(pool->dir_fd, kind, &r);

		if (r < 0)
			return err_set(err, r, "read \"%s/%s\"", pool->dir, kinds[kind].dir);
		if (dir)
			clear_dir(dir);
	}
	(void)unlinkat(pool->dir_fd, kinds[SIDE_CUSTOM].dir, AT_REMOVEDIR);
	(void)unlinkat(pool->dir_fd, STAGE, 0);
	return side_remove(pool, JOB_SIDE_POOL, err);
}

static void hand_over(int dir_fd, const char *file, const struct kind_row *row, size_t max_bytes,
		      side_fn *fn, void *data)
{
	_cleanup_(freep) char *name = xstrndup(file, strlen(file) - strlen(ENDING));
	struct buf text = { 0 };
	struct err err = { 0 };
	int r = volume_check_name(row->volume, name, &err);

	if (r == 0)
		r = read_one(dir_fd, file, max_bytes, &text);
	if (r < 0)
		fn(data, name, NULL, err.code < 0 ? err.msg : strerror(-r));
	else
		fn(data, name, &text, NULL);
	buf_done(&text);
}

int side_read_all(struct pool *pool, enum side_kind kind, size_t max, size_t max_bytes, side_fn *fn,
		  void *data, struct err *err)
{
	int r;
	DIR *dir = open_stream(pool->dir_fd, kind, &r);
	size_t n = 0;

	if (!dir)
		return r < 0 ? err_set(err, r, "read \"%s/%s\"", pool->dir, kinds[kind].dir) : 0;
	for (struct dirent *entry = readdir(dir); entry && n < max; entry = readdir(dir)) {
		if (!is_side_file(entry->d_name))
			continue;
		hand_over(dirfd(dir), entry->d_name, &kinds[kind], max_bytes, fn, data);
		n++;
	}
	(void)closedir(dir);
	return 0;
}

int side_read_pool(int pool_fd, size_t max_bytes, struct buf *text)
{
	return read_one(pool_fd, "pool" ENDING, max_bytes, text);
}
