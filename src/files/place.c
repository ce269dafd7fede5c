/* files/place.c - see place.h */
#include "files/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"
#include "os/path.h"

int place_open(int root_fd, const char *path, int flags, mode_t mode)
{
	if (!(flags & O_PATH))
		flags |= O_NONBLOCK | O_NOCTTY;
	return path_open_in_root(root_fd, str_empty(path) ? "." : path, flags, mode);
}

int place_open_regular(int root_fd, const char *path, int flags, mode_t mode, struct stat *ret_stat)
{
	_cleanup_(fd_closep) int fd = place_open(root_fd, path, flags, mode);

	if (fd < 0)
		return fd == -ENXIO ? -EINVAL : fd; /* a FIFO without a reader, a socket */
	if (fstat(fd, ret_stat) < 0)
		return -errno;
	if (S_ISDIR(ret_stat->st_mode))
		return -EISDIR;
	return S_ISREG(ret_stat->st_mode) ? TAKE_FD(fd) : -EINVAL;
}

int place_parent(int root_fd, const char *path, char ret_name[NAME_MAX + 1])
{
	size_t len = strlen(path), start;
	_cleanup_(freep) char *parent = NULL;

	while (len > 0 && path[len - 1] == '/')
		len--;
	for (start = len; start > 0 && path[start - 1] != '/'; start--)
		;
	if (len - start > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(ret_name, path + start, len - start);
	ret_name[len - start] = '\0';
	if (str_empty(ret_name) || streq(ret_name, ".") || streq(ret_name, ".."))
		return -EISDIR;
	parent = xstrndup(path, start);
	return place_open(root_fd, parent, O_PATH | O_DIRECTORY, 0);
}

int place_lstat(int root_fd, const char *path, struct stat *ret_stat)
{
	_cleanup_(fd_closep) int fd = place_open(root_fd, path, O_PATH | O_NOFOLLOW, 0);

	if (fd < 0)
		return fd;
	return fstat(fd, ret_stat) < 0 ? -errno : 0;
}

int place_read_link(int root_fd, const char *path, char ret_target[PATH_MAX])
{
	_cleanup_(fd_closep) int fd = place_open(root_fd, path, O_PATH | O_NOFOLLOW, 0);
	ssize_t n = fd < 0 ? fd : path_read_link(fd, "", ret_target, PATH_MAX);

	if (n == -ENOENT && fd >= 0)
		return -EINVAL; /* what readlinkat() says of something that is no link */
	return n < 0 ? (int)n : 0;
}

/* One directory of the way. Returns: O_PATH descriptor. */
static int make_one(int root_fd, const char *path, const struct place_owner *owner, mode_t mode)
{
	char name[NAME_MAX + 1];
	_cleanup_(fd_closep) int parent_fd = -EBADF;
	_cleanup_(fd_closep) int fd = place_open(root_fd, path, O_PATH | O_DIRECTORY, 0);

	if (fd != -ENOENT)
		return TAKE_FD(fd);
	parent_fd = place_parent(root_fd, path, name);
	if (parent_fd < 0)
		return parent_fd;
	if (mkdirat(parent_fd, name, mode) < 0)
		return -errno;
	fd = place_open(root_fd, path, O_PATH | O_DIRECTORY, 0);
	if (fd >= 0 && fchownat(fd, "", owner->uid, owner->gid, AT_EMPTY_PATH) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int place_make_dirs(int root_fd, const char *path, const struct place_owner *owner, mode_t mode)
{
	_cleanup_(freep) char *prefix = xstrdup(path);

	for (char *p = prefix + strspn(prefix, "/"); *p;) {
		size_t part = strcspn(p, "/");
		char kept = p[part];
		int fd;

		p[part] = '\0';
		fd = make_one(root_fd, prefix, owner, mode);
		p[part] = kept;
		if (fd < 0)
			return fd;
		(void)fd_close(fd);
		p += part + strspn(p + part, "/");
	}
	return place_open(root_fd, path, O_PATH | O_DIRECTORY, 0);
}

int place_err(struct err *err, int code, const char *path)
{
	if (code == -ENOENT || code == -ENOTDIR)
		return err_kind(err, ERR_NOT_FOUND, "Not Found: \"%.256s\"", path);
	if (code == -EISDIR)
		return err_kind(err, ERR_INVALID, "\"%.256s\" is a directory", path);
	if (code == -EINVAL)
		return err_kind(err, ERR_INVALID, "\"%.256s\" is no regular file", path);
	if (code == -ENOTEMPTY || code == -EEXIST)
		return err_kind(err, ERR_INVALID, "\"%.256s\": %s", path, strerror(-code));
	return err_set(err, code, "\"%.256s\"", path);
}

const char *place_kind(mode_t mode)
{
	if (S_ISFIFO(mode))
		return "is a FIFO";
	if (S_ISSOCK(mode))
		return "is a socket";
	if (S_ISCHR(mode) || S_ISBLK(mode))
		return "is a device";
	return "is no regular file";
}
