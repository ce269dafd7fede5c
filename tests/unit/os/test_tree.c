/* tests/unit/os/test_tree.c - os/tree_remove.h and os/tree_copy.h on trees that others made */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "os/fd.h"
#include "os/tree_copy.h"
#include "os/tree_remove.h"

enum {
	DEEP = 3000 /* levels: more than descriptors, and paths longer than PATH_MAX */
};

struct dirs {
	char path[64];
	int fd;
};

static int setup(void **state)
{
	struct dirs *dirs = *state = xcalloc(1, sizeof(*dirs));

	(void)snprintf(dirs->path, sizeof(dirs->path), "/tmp/sysctr-unit-XXXXXX");
	assert_non_null(mkdtemp(dirs->path));
	dirs->fd = open(dirs->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dirs->fd >= 0);
	return 0;
}

static int teardown(void **state)
{
	struct dirs *dirs = *state;

	int tmp_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(tree_remove(tmp_fd, dirs->path + strlen("/tmp/"), NULL, NULL), 0);
	(void)fd_close(tmp_fd);
	(void)fd_close(dirs->fd);
	free(dirs);
	return 0;
}

static void put_file(int dir_fd, const char *name, const char *text)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	(void)fd_close(fd);
}

static int make_dir(int dir_fd, const char *name)
{
	assert_int_equal(mkdirat(dir_fd, name, 0755), 0);
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void make_deep(int dir_fd, const char *name, int levels)
{
	int fd = make_dir(dir_fd, name);

	for (int i = 0; i < levels; i++) {
		put_file(fd, "f", "x");
		int next = make_dir(fd, "d");
		(void)fd_close(fd);
		fd = next;
	}
	(void)fd_close(fd);
}

static void test_remove_deep(void **state)
{
	struct dirs *dirs = *state;
	struct stat st;

	make_deep(dirs->fd, "deep", DEEP);
	assert_int_equal(tree_remove(dirs->fd, "deep", NULL, NULL), 0);
	assert_int_equal(fstatat(dirs->fd, "deep", &st, 0), -1);
}

static void test_remove_names(void **state)
{
	static const char *const names[] = { "-rf",	" ",	    "\n",	    ".deep-0",
					     ".deep-1", "\xff\xfe", "a\\b\"c'$(x)", "..x",
					     "...",	NULL };
	struct dirs *dirs = *state;
	int fd = make_dir(dirs->fd, "names");

	for (size_t i = 0; names[i]; i++)
		make_deep(fd, names[i], i < 3 ? 60 : 1);
	(void)fd_close(fd);
	assert_int_equal(tree_remove(dirs->fd, "names", NULL, NULL), 0);
	assert_int_equal(tree_remove(dirs->fd, "names", NULL, NULL), 0);
}

static void test_remove_follows_no_link(void **state)
{
	struct dirs *dirs = *state;
	int keep = make_dir(dirs->fd, "keep");
	int fd = make_dir(dirs->fd, "gone");
	struct stat st;

	put_file(keep, "f", "x");
	assert_int_equal(symlinkat("../keep", fd, "link"), 0);
	assert_int_equal(symlinkat("/", fd, "root"), 0);
	assert_int_equal(symlinkat("keep", dirs->fd, "top"), 0);
	assert_int_equal(tree_remove(dirs->fd, "gone", NULL, NULL), 0);
	assert_int_equal(tree_remove(dirs->fd, "top", NULL, NULL), 0);
	assert_int_equal(fstatat(keep, "f", &st, 0), 0);
	assert_int_equal(tree_remove(dirs->fd, "keep/..", NULL, NULL), -EINVAL);
	assert_int_equal(tree_remove(dirs->fd, "..", NULL, NULL), -EINVAL);
	(void)fd_close(keep);
	(void)fd_close(fd);
}

static bool always(void *data)
{
	(void)data;
	return true;
}

static void test_remove_cancelled(void **state)
{
	struct dirs *dirs = *state;
	struct stat st;

	make_deep(dirs->fd, "deep", 3);
	assert_int_equal(tree_remove(dirs->fd, "deep", always, NULL), -ECANCELED);
	assert_int_equal(fstatat(dirs->fd, "deep", &st, 0), 0);
}

static int copy(struct dirs *dirs, char failed[PATH_MAX])
{
	int src = openat(dirs->fd, "src", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int dst = make_dir(dirs->fd, "dst");

	int r = tree_copy(src, dst, NULL, NULL, failed);
	(void)fd_close(src);
	(void)fd_close(dst);
	return r;
}

static void make_sparse(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 04755);

	assert_int_equal(ftruncate(fd, 100 << 20), 0);
	assert_int_equal(pwrite(fd, "end", 3, (100 << 20) - 3), 3);
	assert_int_equal(pwrite(fd, "mid", 3, 50 << 20), 3);
	assert_int_equal(fchmod(fd, 04755), 0);
	(void)fsetxattr(fd, "user.test", "value", 5, 0); /* not on every file system */
	(void)fd_close(fd);
}

static void test_copy(void **state)
{
	struct dirs *dirs = *state;
	int src = make_dir(dirs->fd, "src");
	struct stat a, b;
	char failed[PATH_MAX], bytes[4] = "";

	make_sparse(src, "sparse");
	assert_int_equal(linkat(src, "sparse", src, "again", 0), 0);
	assert_int_equal(symlinkat("/nowhere", src, "sym"), 0);
	assert_int_equal(linkat(src, "sym", src, "sym2", 0), 0);
	make_deep(src, "deep", 100);
	assert_int_equal(fchmodat(src, "deep/d", 0711, 0), 0);
	assert_int_equal(copy(dirs, failed), 0);
	assert_int_equal(fstatat(dirs->fd, "dst/sparse", &a, 0), 0);
	assert_int_equal(a.st_size, 100 << 20);
	assert_int_equal(a.st_mode & 07777, 04755);
	assert_true(a.st_blocks < 1000);
	assert_int_equal(fstatat(dirs->fd, "dst/again", &b, 0), 0);
	assert_true(a.st_ino == b.st_ino);
	int fd = openat(dirs->fd, "dst/sparse", O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, bytes, 3, 50 << 20), 3);
	assert_string_equal(bytes, "mid");
	(void)fd_close(fd);
	assert_int_equal(fstatat(dirs->fd, "dst/sym2", &b, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(b.st_nlink, 2);
	assert_int_equal(fstatat(dirs->fd, "dst/deep/d", &b, 0), 0);
	assert_int_equal(b.st_mode & 07777, 0711);
	(void)fd_close(src);
}

static void test_copy_too_deep(void **state)
{
	struct dirs *dirs = *state;
	int src = make_dir(dirs->fd, "src");
	char failed[PATH_MAX];

	make_deep(src, "deep", DEEP);
	assert_int_equal(copy(dirs, failed), -ELOOP);
	assert_true(strlen(failed) > 1000);
	(void)fd_close(src);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_remove_deep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove_follows_no_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove_cancelled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_too_deep, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
