/* os/cgroup_tree.c - see cgroup_tree.h */
#include "os/cgroup_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "os/fd.h"

enum {
	DIRENTS_LEN = 8192,
	DEPTH_MAX = 100000, /* more levels than a host lets anybody make */
	KILL_DEPTH_MAX = 64,
};

static int open_dir(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int cgroup_tree_for_each(int dir_fd, int (*fn)(void *data, const char *name), void *data)
{
	char bytes[DIRENTS_LEN] __attribute__((aligned(8)));
	ssize_t n;

	if (lseek(dir_fd, 0, SEEK_SET) < 0)
		return -errno;
	while ((n = getdents64(dir_fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *entry = (const struct dirent64 *)(bytes + at);
			int r = 0;

			at += entry->d_reclen;
			if (entry->d_type != DT_DIR || streq(entry->d_name, ".") ||
			    streq(entry->d_name, ".."))
				continue;
			r = fn(data, entry->d_name);
			if (r != 0)
				return r;
		}
	}
	return n < 0 ? -errno : 0;
}

struct sweep {
	int dir_fd;
	char name[NAME_MAX + 1]; /* of the child to go down into */
};

/* Remove the child. Returns: 1 when it has children of its own (its name is kept), else 0, -errno. */
static int sweep_child(void *data, const char *name)
{
	struct sweep *sweep = data;
	struct stat st;

	if (unlinkat(sweep->dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY && errno != ENOTEMPTY)
		return -errno;
	if (fstatat(sweep->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (st.st_nlink <= 2) /* cgroupfs: 2 and one for each child */
		return -EBUSY;
	(void)snprintf(sweep->name, sizeof(sweep->name), "%s", name);
	return 1;
}

/* Remove all groups below *@dir_fd, going up and down with this one descriptor. */
static int remove_below(int *dir_fd)
{
	for (size_t depth = 0, moves = 0; moves < DEPTH_MAX; moves++) {
		struct sweep sweep = { .dir_fd = *dir_fd };
		int r = cgroup_tree_for_each(*dir_fd, sweep_child, &sweep);
		int next;

		if (r < 0)
			return r;
		if (r == 0 && depth == 0)
			return 0;
		next = open_dir(*dir_fd, r ? sweep.name : "..");
		if (next < 0)
			return next;
		depth += r ? 1 : (size_t)-1;
		(void)fd_close(*dir_fd);
		*dir_fd = next;
	}
	return -EBUSY;
}

int cgroup_tree_remove(int parent_fd, const char *name)
{
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	int r;

	if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY && errno != ENOTEMPTY)
		return -errno;
	dir_fd = open_dir(parent_fd, name);
	if (dir_fd < 0)
		return dir_fd == -ENOENT ? 0 : dir_fd;
	r = remove_below(&dir_fd);
	if (r < 0)
		return r;
	if (unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

static void kill_line(const char *line)
{
	long pid = strtol(line, NULL, 10);

	if (pid > 1)
		(void)kill((pid_t)pid, SIGKILL); /* gone meanwhile: what we want */
}

/* Kill what cgroup.procs of @dir_fd lists. */
static int kill_procs(int dir_fd)
{
	_cleanup_(fd_closep) int fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char bytes[4096];
	size_t kept = 0; /* an unfinished line from the last read */
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, bytes + kept, sizeof(bytes) - 1 - kept)) > 0) {
		char *line = bytes;
		char *end;

		bytes[kept + (size_t)n] = '\0';
		for (; (end = strchr(line, '\n')); line = end + 1)
			kill_line(line);
		kept = strlen(line);
		if (kept > 32)
			return -EIO;
		memmove(bytes, line, kept);
	}
	return n < 0 ? -errno : 0;
}

struct kill_walk {
	int dir_fd;
	int depth;
};

static int kill_below(void *data, const char *name)
{
	const struct kill_walk *parent = data;
	struct kill_walk walk = { .depth = parent->depth + 1 };
	_cleanup_(fd_closep) int fd = open_dir(parent->dir_fd, name);

	if (fd < 0 || walk.depth > KILL_DEPTH_MAX)
		return 0; /* removed meanwhile */
	walk.dir_fd = fd;
	(void)kill_procs(fd);
	return cgroup_tree_for_each(fd, kill_below, &walk);
}

int cgroup_tree_kill(int dir_fd)
{
	struct kill_walk walk = { .dir_fd = dir_fd };
	int r = kill_procs(dir_fd);
	int children = cgroup_tree_for_each(dir_fd, kill_below, &walk);

	return r < 0 ? r : children;
}
