/*
 * monitor/child_seed.c - phase of the child: the files that cloud-init reads
 *
 * The child is the container's root in the container's own mounts already; still no link is
 * followed, and what somebody put in the place of a file is replaced, never written to.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/child_phases.h"
#include "monitor/mon.h"
#include "os/fd.h"
#include "os/path.h"
#include "spec/seed.h"

/* A full disk must not stop a container whose seed is there already. */
static bool is_there(int dir_fd, const char *name, const char *text)
{
	_cleanup_(fd_closep) int fd = path_open_plain(dir_fd, name, O_RDONLY | O_NONBLOCK, 0);
	struct buf content = { 0 };
	struct stat st;
	bool same;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	same = fd_read_all(fd, SEED_FILE_MAX, &content) == 0 && content.len == strlen(text) &&
	       memcmp(content.data, text, content.len) == 0;
	buf_done(&content);
	return same;
}

/* No process of the container runs yet: what is cleared away stays away. */
static int write_new(int dir_fd, const char *name, const char *text)
{
	char temp[NAME_MAX + 1];

	(void)snprintf(temp, sizeof(temp), ".%s.new", name);
	if (unlinkat(dir_fd, temp, 0) < 0 && errno != ENOENT)
		return -errno;
	return fd_replace_file_at(dir_fd, name, text, 0600);
}

int child_write_seed(void *data, struct err *err)
{
	struct child *child = data;
	_cleanup_(fd_closep) int root_fd = -EBADF;
	_cleanup_(fd_closep) int path_fd = -EBADF;
	_cleanup_(fd_closep) int dir_fd = -EBADF;

	if (child->mon->spec.seed.len == 0)
		return 0;
	root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return err_set(err, -errno, "open the root");
	path_fd = path_make_dir(root_fd, SEED_DIR, 0755);
	if (path_fd < 0)
		return err_set(err, path_fd, "make /" SEED_DIR);
	dir_fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_set(err, -errno, "open /" SEED_DIR);
	strmap_for_each(entry, &child->mon->spec.seed)
	{
		int r = is_there(dir_fd, entry->key, entry->value)
				? 0
				: write_new(dir_fd, entry->key, entry->value);

		if (r < 0)
			return err_set(err, r, "write /" SEED_DIR "/%s", entry->key);
	}
	return 0;
}
