/* tests of os/path, os/fd, os/idmap: what needs no privilege */
#include "os/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/fd.h"
#include "os/idmap.h"

static int make_root(char *dir)
{
	int fd;

	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void test_is_plain(void **state)
{
	static const struct {
		const char *path;
		bool plain;
	} cases[] = {
		{ "a", true },	  { "a/b.c/..d", true }, { "", false },	    { "/a", false },
		{ "a/", false },  { "a//b", false },	 { "..", false },   { "a/../b", false },
		{ "./a", false }, { "a/.", false },	 { "a/...", true }, { "/", false },
	};
	char longest[PATH_MAX + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(path_is_plain(cases[i].path), cases[i].plain);
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_false(path_is_plain(longest));
}

/* The link points outside; nothing may be made or opened there. */
static void test_links_are_refused(void **state)
{
	char dir[] = "/tmp/sysctr-test-XXXXXX", outside[] = "/tmp/sysctr-test-XXXXXX";
	int root_fd = make_root(dir), outside_fd = make_root(outside), fd;

	(void)state;
	assert_int_equal(symlinkat(outside, root_fd, "link"), 0);
	assert_int_equal(symlinkat("..", root_fd, "up"), 0);
	assert_int_equal(path_make_dir(root_fd, "link", 0755), -ELOOP);
	assert_int_equal(path_make_dir(root_fd, "link/new", 0755), -ELOOP);
	assert_int_equal(path_make_file(root_fd, "link", 0644), -ELOOP);
	assert_int_equal(path_make_file(root_fd, "link/new", 0644), -ELOOP);
	assert_int_equal(path_open_plain(root_fd, "link", O_RDONLY, 0), -ELOOP);
	assert_int_equal(path_open_plain(root_fd, "up", O_PATH, 0), -ELOOP);
	assert_int_equal(path_open_plain(root_fd, "../x", O_PATH, 0), -EXDEV);
	assert_int_equal(faccessat(outside_fd, "new", F_OK, 0), -1);
	/* Inside a root "/.." is "/", and the absolute link leads to nothing there. */
	assert_int_equal(path_open_in_root(root_fd, "link", O_PATH, 0), -ENOENT);
	fd = path_open_in_root(root_fd, "/../../up/../up", O_PATH, 0);
	assert_true(fd >= 0);
	(void)fd_close(fd);
	assert_int_equal(unlinkat(root_fd, "link", 0), 0);
	assert_int_equal(unlinkat(root_fd, "up", 0), 0);
	(void)fd_close(root_fd);
	(void)fd_close(outside_fd);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(rmdir(outside), 0);
}

static void test_make(void **state)
{
	char dir[] = "/tmp/sysctr-test-XXXXXX";
	int root_fd = make_root(dir), fd;
	struct stat st;

	(void)state;
	for (int i = 0; i < 2; i++) { /* the second time it is there */
		fd = path_make_dir(root_fd, "a/b/c", 0755);
		assert_true(fd >= 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_true(S_ISDIR(st.st_mode));
		(void)fd_close(fd);
		fd = path_make_file(root_fd, "a/b/f", 0644);
		assert_true(fd >= 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_true(S_ISREG(st.st_mode));
		(void)fd_close(fd);
	}
	assert_int_equal(path_make_dir(root_fd, "a/b/f", 0755), -ENOTDIR);
	assert_int_equal(path_make_dir(root_fd, "../x", 0755), -EINVAL);
	assert_int_equal(unlinkat(root_fd, "a/b/f", 0), 0);
	assert_int_equal(unlinkat(root_fd, "a/b/c", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(root_fd, "a/b", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(root_fd, "a", AT_REMOVEDIR), 0);
	(void)fd_close(root_fd);
	assert_int_equal(rmdir(dir), 0);
}

static void test_memfd(void **state)
{
	int fd = fd_memfd_new("test", "hello", 5);
	int open_fd = memfd_create("unsealed", MFD_CLOEXEC);
	struct buf out = { 0 };

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fd_memfd_read(fd, 5, &out), 0);
	assert_string_equal(buf_str(&out), "hello");
	assert_int_equal(fd_memfd_read(fd, 4, &out), -EFBIG);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(fd_memfd_read(open_fd, 5, &out), -EPERM);
	assert_int_equal(fd_memfd_read(STDIN_FILENO, 5, &out), -EPERM);
	buf_done(&out);
	(void)fd_close(fd);
	(void)fd_close(open_fd);
}

static void test_replace_file(void **state)
{
	char dir[] = "/tmp/sysctr-test-XXXXXX", text[16];
	int dir_fd = make_root(dir);

	(void)state;
	assert_int_equal(fd_replace_file_at(dir_fd, "f", "one\n", 0600), 0);
	assert_int_equal(fd_replace_file_at(dir_fd, "f", "two\n", 0600), 0);
	assert_int_equal(fd_read_file_at(dir_fd, "f", text, sizeof(text)), 3);
	assert_string_equal(text, "two");
	assert_int_equal(unlinkat(dir_fd, "f", 0), 0);
	(void)fd_close(dir_fd);
	assert_int_equal(rmdir(dir), 0);
}

static void test_idmap_text(void **state)
{
	char text[IDMAP_TEXT_LEN];

	(void)state;
	assert_string_equal(idmap_format(text, 100000, 65536), "0 100000 65536\n");
	assert_string_equal(idmap_format(text, UINT32_MAX, UINT32_MAX),
			    "0 4294967295 4294967295\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_plain),     cmocka_unit_test(test_links_are_refused),
		cmocka_unit_test(test_make),	     cmocka_unit_test(test_memfd),
		cmocka_unit_test(test_replace_file), cmocka_unit_test(test_idmap_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
