/* tests/fuzz/fuzz_root.c - see fuzz_root.h */
#include "fuzz_root.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/tree_remove.h"

enum {
	OUTPUT_MAX = 64 * 1024 * 1024,
	ENTRIES = 2 /* of outer: "root" and "beside" */
};

static void must(int r)
{
	if (r < 0)
		abort();
}

void fuzz_root_init(struct fuzz_root *root, const uint8_t *data, size_t size)
{
	/* in memory, where there is such a place: it is made thousands of times */
	(void)snprintf(root->path, sizeof(root->path), "/dev/shm/sysctr-fuzz-XXXXXX");
	if (!mkdtemp(root->path)) {
		(void)snprintf(root->path, sizeof(root->path), "/tmp/sysctr-fuzz-XXXXXX");
		if (!mkdtemp(root->path))
			abort();
	}
	root->outer_fd = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(mkdirat(root->outer_fd, "root", 0755));
	must(mkdirat(root->outer_fd, "beside", 0755));
	root->dir_fd = openat(root->outer_fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	root->in_fd = memfd_create("in", MFD_CLOEXEC);
	root->out_fd = memfd_create("out", MFD_CLOEXEC);
	must(root->dir_fd);
	must(fd_write_all(root->in_fd, data, size));
	if (lseek(root->in_fd, 0, SEEK_SET) != 0)
		abort();
}

void fuzz_root_output(const struct fuzz_root *root, struct buf *ret_out)
{
	if (lseek(root->out_fd, 0, SEEK_SET) != 0)
		abort();
	must(fd_read_all(root->out_fd, OUTPUT_MAX, ret_out));
}

static int check_mode(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)ftw;
	if (type != FTW_SL && st->st_mode & (S_ISUID | S_ISGID))
		abort();
	return 0;
}

void fuzz_root_check_modes(const struct fuzz_root *root)
{
	char path[sizeof(root->path) + 8];

	(void)snprintf(path, sizeof(path), "%s/root", root->path);
	must(nftw(path, check_mode, 16, FTW_PHYS));
}

static size_t count_entries(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t n = 0;

	if (!dir)
		abort();
	while ((entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	(void)closedir(dir);
	return n;
}

void fuzz_root_done(struct fuzz_root *root)
{
	if (count_entries(root->outer_fd, "beside") != 0 ||
	    count_entries(root->outer_fd, ".") != ENTRIES)
		abort();
	root->dir_fd = fd_close(root->dir_fd);
	root->in_fd = fd_close(root->in_fd);
	root->out_fd = fd_close(root->out_fd);
	/* without privilege a directory without modes stays */
	(void)tree_remove(root->outer_fd, "root", NULL, NULL);
	(void)unlinkat(root->outer_fd, "beside", AT_REMOVEDIR);
	root->outer_fd = fd_close(root->outer_fd);
	(void)rmdir(root->path);
}
