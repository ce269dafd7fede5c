/* cli/outfile.c - see outfile.h */
#include "cli/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"

enum {
	OWNER_ONLY = 0600
};

static int open_stdout(struct outfile *file, struct err *err)
{
	if (isatty(STDOUT_FILENO))
		return err_kind(err, ERR_INVALID,
				"standard output is a terminal: send it to a file or a program");
	file->fd = fd_copy(STDOUT_FILENO, STDERR_FILENO + 1);
	return file->fd < 0 ? err_set(err, file->fd, "standard output") : 0;
}

static int open_in_place(struct outfile *file, struct err *err)
{
	file->fd = open(file->name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return file->fd < 0 ? err_set(err, -errno, "open \"%s\"", file->name) : 0;
}

/*
 * Nobody else has it: the lock is on what lies there now, not on what another command has just
 * renamed, and nobody has put it there to read it.
 */
static bool is_ours(const struct outfile *file)
{
	struct stat own, there;

	return flock(file->fd, LOCK_EX | LOCK_NB) == 0 && fstat(file->fd, &own) == 0 &&
	       lstat(file->part, &there) == 0 && own.st_dev == there.st_dev &&
	       own.st_ino == there.st_ino && own.st_nlink == 1 && own.st_uid == geteuid();
}

static int open_part(struct outfile *file, struct err *err)
{
	/* A link: its target is replaced, not the link. */
	file->path = realpath(file->name, NULL);
	if (!file->path)
		file->path = xstrdup(file->name);
	file->part = xasprintf("%s.part", file->path);
	file->fd = open(file->part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			OWNER_ONLY);
	if (file->fd < 0)
		return err_set(err, -errno, "create \"%s\"", file->part);
	if (!is_ours(file))
		return err_kind(err, ERR_INVALID, "somebody else has \"%s\"", file->part);
	if (ftruncate(file->fd, 0) < 0 || fchmod(file->fd, OWNER_ONLY) < 0)
		return err_set(err, -errno, "create \"%s\"", file->part);
	return 0;
}

int outfile_open(const char *name, struct outfile *ret_file, struct err *err)
{
	struct stat st;
	int r;

	*ret_file = OUTFILE_NONE;
	ret_file->name = xstrdup(name);
	if (streq(name, "-"))
		r = open_stdout(ret_file, err);
	else if (stat(name, &st) < 0 || S_ISREG(st.st_mode))
		r = open_part(ret_file, err);
	else if (S_ISDIR(st.st_mode))
		r = err_kind(err, ERR_INVALID, "\"%s\" is a directory: name a file in it", name);
	else
		r = open_in_place(ret_file, err);
	return r;
}

int outfile_write(struct outfile *file, const void *bytes, size_t len, struct err *err)
{
	int r = fd_write_all(file->fd, bytes, len);

	return r < 0 ? err_set(err, r, "write \"%s\"", file->name) : 0;
}

int outfile_close(struct outfile *file, struct err *err)
{
	int fd = file->fd;

	file->fd = -EBADF;
	return fd >= 0 && close(fd) < 0 ? err_set(err, -errno, "write \"%s\"", file->name) : 0;
}

int outfile_settle(struct outfile *file, bool whole, struct err *err)
{
	int r = 0;

	if (!file->part)
		return 0;
	if (whole && rename(file->part, file->path) < 0)
		r = err_set(err, -errno, "rename \"%s\"", file->part);
	if (!whole || r < 0)
		(void)unlink(file->part);
	return r;
}

void outfile_done(struct outfile *file)
{
	file->fd = fd_close(file->fd);
	freep(&file->name);
	freep(&file->path);
	freep(&file->part);
}
