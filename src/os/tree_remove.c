/* os/tree_remove.c - see tree_remove.h */
#include "os/tree_remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "os/fd.h"
#include "os/path.h"

enum {
	DEPTH_MAX = 48,
	NAME_LEN = 32,
	CANCEL_EVERY = 64 /* entries */
};

struct removal {
	int top_fd; /* takes what is too deep */
	uint64_t n_moved;
	uint64_t n_seen;
	int first_error;
	tree_cancel_fn *cancel;
	void *data;
};

static void note(struct removal *removal, int r)
{
	if (r < 0 && removal->first_error == 0)
		removal->first_error = r;
}

static bool cancelled(struct removal *removal)
{
	if (removal->first_error == -ECANCELED)
		return true;
	if (!removal->cancel || removal->n_seen++ % CANCEL_EVERY > 0)
		return false;
	if (!removal->cancel(removal->data))
		return false;
	removal->first_error = -ECANCELED;
	return true;
}

/* Take the immutable and append-only flags off a directory or regular file. */
static void clear_flags(int fd)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 || !(flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return;
	flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags); /* the next unlink tells */
}

static int open_dir(int dir_fd, const char *name)
{
	return path_openat2(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
			    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

static int unlink_once(int dir_fd, const char *name, int flags)
{
	return unlinkat(dir_fd, name, flags) < 0 && errno != ENOENT ? -errno : 0;
}

static int unlink_hard(int dir_fd, const char *name, int flags)
{
	int r = unlink_once(dir_fd, name, flags);
	if (r != -EPERM)
		return r;
	_cleanup_(fd_closep) int fd =
		path_openat2(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (fd < 0)
		return r;
	clear_flags(fd);
	clear_flags(dir_fd);
	return unlink_once(dir_fd, name, flags);
}

/* A directory that is too deep: to the top, where a later round finds it. */
static int move_up(struct removal *removal, int dir_fd, const char *name)
{
	char flat[NAME_LEN];

	do
		(void)snprintf(flat, sizeof(flat), ".deep-%llu",
			       (unsigned long long)removal->n_moved++);
	while (renameat2(dir_fd, name, removal->top_fd, flat, RENAME_NOREPLACE) < 0 &&
	       errno == EEXIST);
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : -ELOOP;
}

static void remove_content(struct removal *removal, int fd, int depth);

static void remove_dir(struct removal *removal, int dir_fd, const char *name, int depth)
{
	_cleanup_(fd_closep) int fd = open_dir(dir_fd, name);

	if (fd == -ENOENT)
		return;
	if (fd < 0) {
		note(removal, fd);
		return;
	}
	remove_content(removal, fd, depth);
	if (!cancelled(removal))
		note(removal, unlink_hard(dir_fd, name, AT_REMOVEDIR));
}

static void remove_entry(struct removal *removal, int dir_fd, const struct dirent *entry, int depth)
{
	int r = -EISDIR;

	if (entry->d_type != DT_DIR)
		r = unlink_hard(dir_fd, entry->d_name, 0);
	if (r != -EISDIR) {
		note(removal, r);
		return;
	}
	if (depth < DEPTH_MAX)
		remove_dir(removal, dir_fd, entry->d_name, depth + 1);
	else
		note(removal, move_up(removal, dir_fd, entry->d_name));
}

/* What is below @fd, which stays the caller's. Recursion ends at DEPTH_MAX. */
static void remove_content(struct removal *removal, int fd, int depth)
{
	_cleanup_(fd_closep) int own_fd = fd_copy(fd, 3);
	_cleanup_(fd_closedirp) DIR *dir = own_fd < 0 ? NULL : fdopendir(own_fd);

	if (!dir) {
		note(removal, -errno);
		return;
	}
	(void)TAKE_FD(own_fd); /* dir's now */
	struct dirent *entry;
	while (!cancelled(removal) && (entry = readdir(dir)))
		if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
			remove_entry(removal, fd, entry, depth);
}

static bool is_empty(int fd)
{
	_cleanup_(fd_closep) int own_fd =
		path_openat2(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0);
	_cleanup_(fd_closedirp) DIR *dir = own_fd < 0 ? NULL : fdopendir(own_fd);
	struct dirent *entry;

	if (!dir)
		return true;
	(void)TAKE_FD(own_fd);
	while ((entry = readdir(dir)))
		if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
			return false;
	return true;
}

int tree_remove(int dir_fd, const char *name, tree_cancel_fn *cancel, void *data)
{
	struct removal removal = { .cancel = cancel, .data = data };

	if (strchr(name, '/') || streq(name, "") || streq(name, ".") || streq(name, ".."))
		return -EINVAL;
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	_cleanup_(fd_closep) int fd = open_dir(dir_fd, name);
	if (fd == -ENOTDIR || fd == -ELOOP)
		return unlink_hard(dir_fd, name, 0);
	if (fd < 0)
		return fd;
	removal.top_fd = fd;
	uint64_t n_moved;
	do {
		n_moved = removal.n_moved;
		(void)lseek(fd, 0, SEEK_SET);
		remove_content(&removal, fd, 0);
	} while (removal.first_error == 0 && (removal.n_moved > n_moved || !is_empty(fd)));
	if (removal.first_error < 0)
		return removal.first_error;
	return unlink_hard(dir_fd, name, AT_REMOVEDIR);
}
