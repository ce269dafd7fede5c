/* os/fusectl.c - see fusectl.h */
#include "os/fusectl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "os/fd.h"
#include "os/mount.h"

enum {
	PATH_LEN = 300
};

/* A connection's directory belongs to whoever mounted it. */
static bool is_of(int root_fd, const char *name, uint32_t base, uint32_t count)
{
	struct stat st;

	return fstatat(root_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid >= base &&
	       st.st_uid - base < count;
}

static bool abort_one(int root_fd, const char *name)
{
	char path[PATH_LEN];

	(void)snprintf(path, sizeof(path), "%s/abort", name);
	return fd_write_file_at(root_fd, path, "1") == 0;
}

int fusectl_abort_of(uint32_t base, uint32_t count)
{
	_cleanup_(fd_closep) int mount_fd = mount_new("fusectl", NULL, 0, 0, NULL);
	_cleanup_(fd_closedirp) DIR *dir = NULL;
	int n = 0, fd;

	if (mount_fd < 0)
		return mount_fd;
	fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		(void)fd_close(fd);
		return -errno;
	}
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.' && is_of(fd, entry->d_name, base, count))
			n += abort_one(fd, entry->d_name);
	return n;
}
