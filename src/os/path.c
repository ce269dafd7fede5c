/* os/path.c - see path.h */
#include "os/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/fd.h"

enum {
	RETRIES = 32 /* openat2 says -EAGAIN while somebody renames directories around us */
};

int path_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .mode = mode, .resolve = resolve };

	for (int i = 0;; i++) {
		long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN || i == RETRIES)
			return -errno;
	}
}

int path_open_plain(int dir_fd, const char *path, int flags, mode_t mode)
{
	return path_openat2(dir_fd, path, (uint64_t)(unsigned int)flags | O_CLOEXEC, mode,
			    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

int path_open_in_root(int root_fd, const char *path, int flags, mode_t mode)
{
	return path_openat2(root_fd, path, (uint64_t)(unsigned int)flags | O_CLOEXEC, mode,
			    RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* The parent of @path's last component, made when missing, and that component. */
static int make_parents(int root_fd, const char *path, const char **ret_last)
{
	_cleanup_(fd_closep) int dir_fd = fd_copy(root_fd, 0);

	if (dir_fd < 0)
		return dir_fd;
	for (;;) {
		const char *slash = strchr(path, '/');
		char part[NAME_MAX + 1];
		int next;

		if (!slash) {
			*ret_last = path;
			return TAKE_FD(dir_fd);
		}
		if ((size_t)(slash - path) >= sizeof(part))
			return -ENAMETOOLONG;
		memcpy(part, path, (size_t)(slash - path));
		part[slash - path] = '\0';
		next = path_make_dir(dir_fd, part, 0755);
		if (next < 0)
			return next;
		(void)fd_close(dir_fd);
		dir_fd = next;
		path = slash + 1;
	}
}

int path_make_dir(int root_fd, const char *path, mode_t mode)
{
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	const char *last;

	if (!path_is_plain(path))
		return -EINVAL;
	if (!strchr(path, '/')) {
		if (mkdirat(root_fd, path, mode) < 0 && errno != EEXIST && errno != EROFS)
			return -errno;
		return path_open_plain(root_fd, path, O_PATH | O_DIRECTORY, 0);
	}
	dir_fd = make_parents(root_fd, path, &last);
	return dir_fd < 0 ? dir_fd : path_make_dir(dir_fd, last, mode);
}

int path_make_file(int root_fd, const char *path, mode_t mode)
{
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	const char *last;
	int fd;

	if (!path_is_plain(path))
		return -EINVAL;
	dir_fd = make_parents(root_fd, path, &last);
	if (dir_fd < 0)
		return dir_fd;
	fd = path_open_plain(dir_fd, last, O_PATH, 0);
	if (fd != -ENOENT)
		return fd;
	fd = path_open_plain(dir_fd, last, O_CREAT | O_EXCL | O_WRONLY, mode);
	if (fd < 0)
		return fd;
	(void)fd_close(fd);
	return path_open_plain(dir_fd, last, O_PATH, 0);
}

bool path_is_plain(const char *path)
{
	size_t len = strlen(path);

	if (len == 0 || len >= PATH_MAX)
		return false;
	for (;;) {
		size_t part = strcspn(path, "/");

		if (part == 0 || (part == 1 && path[0] == '.') ||
		    (part == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (path[part] == '\0')
			return true;
		path += part + 1;
	}
}

ssize_t path_read_link(int dir_fd, const char *path, char *out, size_t size)
{
	ssize_t n = readlinkat(dir_fd, path, out, size);

	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	out[n] = '\0';
	return n;
}
