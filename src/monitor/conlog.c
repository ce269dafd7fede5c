/* monitor/conlog.c - see conlog.h */
#include "monitor/conlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/fd.h"

static int open_file(struct conlog *log)
{
	struct stat st;

	log->fd = openat(log->dir_fd, log->name,
			 O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (log->fd < 0)
		return -errno;
	log->size_bytes = fstat(log->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	return 0;
}

int conlog_open(struct conlog *log, const char *path, uint64_t max_bytes, struct err *err)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	_cleanup_(freep) char *dir = NULL;
	int r;

	*log = (struct conlog){ .dir_fd = -EBADF, .fd = -EBADF, .max_bytes = max_bytes };
	if (!slash)
		return 0;
	dir = xstrndup(path, (size_t)(slash - path));
	log->dir_fd = open(*dir ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (log->dir_fd < 0)
		return err_set(err, -errno, "open \"%s\"", dir);
	log->name = xstrdup(slash + 1);
	log->old_name = xasprintf("%s.1", log->name);
	r = open_file(log);
	return r < 0 ? err_set(err, r, "open \"%s\"", path) : 0;
}

void conlog_done(struct conlog *log)
{
	log->fd = fd_close(log->fd);
	log->dir_fd = fd_close(log->dir_fd);
	free(log->name);
	free(log->old_name);
	log->name = log->old_name = NULL;
}

static void rotate(struct conlog *log)
{
	log->fd = fd_close(log->fd);
	/* When this fails the file grows on until the next time. */
	(void)renameat(log->dir_fd, log->name, log->dir_fd, log->old_name);
	(void)open_file(log);
}

void conlog_write(struct conlog *log, const char *bytes, size_t len)
{
	if (log->fd < 0)
		return;
	if (log->max_bytes && log->size_bytes + len > log->max_bytes && log->size_bytes > 0)
		rotate(log);
	if (log->fd >= 0 && fd_write_all(log->fd, bytes, len) == 0)
		log->size_bytes += len;
}

void conlog_clear(struct conlog *log)
{
	if (log->fd < 0)
		return;
	if (ftruncate(log->fd, 0) == 0)
		log->size_bytes = 0;
	(void)unlinkat(log->dir_fd, log->old_name, 0); /* there may be none */
}
