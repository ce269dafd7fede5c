/* storage/side.c - see side.h */
#include "storage/side.h"

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
#include "spec/names.h"
#include "storage/volume.h"

#define ENDING ".yaml"
#define STAGE  ".new"

/* Returns: descriptor of the directory, made when it is not there. */
static int open_dir(struct pool *pool, struct err *err)
{
	int fd;

	if (mkdirat(pool->dir_fd, SIDE_DIR, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "make \"%s/" SIDE_DIR "\"", pool->dir);
	fd = path_open_plain(pool->dir_fd, SIDE_DIR, O_RDONLY | O_DIRECTORY, 0);
	return fd < 0 ? err_set(err, fd, "open \"%s/" SIDE_DIR "\"", pool->dir) : fd;
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

int side_write(struct pool *pool, const char *instance, const char *text, struct err *err)
{
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	_cleanup_(freep) char *name = xasprintf("%s" ENDING, instance);
	int r = volume_check_name(VOLUME_INSTANCE, instance, err);

	if (r < 0)
		return r;
	dir_fd = open_dir(pool, err);
	if (dir_fd < 0)
		return dir_fd;
	if (says(dir_fd, name, text))
		return 0;
	r = write_stage(dir_fd, text);
	if (r == 0 && renameat(dir_fd, STAGE, dir_fd, name) < 0)
		r = -errno;
	return r < 0 ? err_set(err, r, "write \"%s/" SIDE_DIR "/%s\"", pool->dir, name) : 0;
}

int side_remove(struct pool *pool, const char *instance, struct err *err)
{
	_cleanup_(freep) char *name = xasprintf("%s" ENDING, instance);
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	int r = volume_check_name(VOLUME_INSTANCE, instance, err);

	if (r == 0)
		r = dir_fd = open_dir(pool, err);
	if (r >= 0 && unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		r = err_set(err, -errno, "remove \"%s/" SIDE_DIR "/%s\"", pool->dir, name);
	return MIN(r, 0);
}

static bool is_side_file(const char *name)
{
	return name[0] != '.' && str_ends_with(name, ENDING);
}

int side_clear(struct pool *pool, struct err *err)
{
	int fd = open_dir(pool, err);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return fd < 0 ? fd : err_set(err, -errno, "read \"%s/" SIDE_DIR "\"", pool->dir);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		if (is_side_file(entry->d_name) || streq(entry->d_name, STAGE))
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	(void)closedir(dir);
	return 0;
}

static void hand_over(int dir_fd, const char *file, size_t max_bytes, side_fn *fn, void *data)
{
	_cleanup_(freep) char *instance = xstrndup(file, strlen(file) - strlen(ENDING));
	struct buf text = { 0 };
	struct err err = { 0 };
	int r = name_validate(NAME_INSTANCE, instance, &err);

	if (r == 0)
		r = read_one(dir_fd, file, max_bytes, &text);
	if (r < 0)
		fn(data, instance, NULL, err.code < 0 ? err.msg : strerror(-r));
	else
		fn(data, instance, &text, NULL);
	buf_done(&text);
}

int side_read_all(struct pool *pool, size_t max, size_t max_bytes, side_fn *fn, void *data,
		  struct err *err)
{
	int fd = open_dir(pool, err);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t n = 0;

	if (!dir)
		return fd < 0 ? fd : err_set(err, -errno, "read \"%s/" SIDE_DIR "\"", pool->dir);
	for (struct dirent *entry = readdir(dir); entry && n < max; entry = readdir(dir)) {
		if (!is_side_file(entry->d_name))
			continue;
		hand_over(dirfd(dir), entry->d_name, max_bytes, fn, data);
		n++;
	}
	(void)closedir(dir);
	return 0;
}
