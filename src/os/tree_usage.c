/* os/tree_usage.c - see tree_usage.h */
#include "os/tree_usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "base/str.h"
#include "os/fd.h"

enum {
	DEPTH_MAX = 1000,
	BLOCK_BYTES = 512
};

struct usage {
	tree_cancel_fn *cancel;
	void *data;
	uint64_t bytes;
};

static int add_dir(struct usage *usage, int parent_fd, const char *name, int depth);

static int add_entry(struct usage *usage, int dir_fd, const char *name, int depth)
{
	struct stat st;

	if (usage->cancel && usage->cancel(usage->data))
		return -ECANCELED;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		usage->bytes += (uint64_t)st.st_blocks * BLOCK_BYTES;
	else
		usage->bytes += (uint64_t)st.st_blocks * BLOCK_BYTES / MAX(st.st_nlink, 1);
	return S_ISDIR(st.st_mode) ? add_dir(usage, dir_fd, name, depth + 1) : 0;
}

static int add_dir(struct usage *usage, int parent_fd, const char *name, int depth)
{
	_cleanup_(fd_closep) int fd =
		openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_(fd_closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (depth > DEPTH_MAX)
		return -ELOOP;
	if (!dir)
		return -errno;
	(void)TAKE_FD(fd); /* dir's now */
	while ((errno = 0, entry = readdir(dir))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		int r = add_entry(usage, dirfd(dir), entry->d_name, depth);
		if (r < 0)
			return r;
	}
	return -errno;
}

int tree_usage(int dir_fd, tree_cancel_fn *cancel, void *data, uint64_t *ret_bytes)
{
	struct usage usage = { .cancel = cancel, .data = data };
	int r = add_dir(&usage, dir_fd, ".", 0);

	if (r == 0)
		*ret_bytes = usage.bytes;
	return r;
}
