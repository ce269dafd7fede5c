/* tests/unit/cli/test_outfile.c - files are whole or not there, and nothing else is replaced */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/macro.h"
#include "cli/outfile.h"

static char dir[] = "/tmp/test_outfile.XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? chdir(dir) : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "out", "out.part", "link", "target", "fifo", "other" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)unlink(names[i]);
	return chdir("/") < 0 ? -1 : rmdir(dir);
}

/* Write "new" to @name; @whole: and keep it. */
static int save(const char *name, bool whole)
{
	struct outfile file;
	int r = outfile_open(name, &file, NULL);

	if (r == 0) {
		r = outfile_write(&file, "new", 3, NULL);
		assert_int_equal(outfile_close(&file, NULL), 0);
		assert_int_equal(outfile_settle(&file, r == 0 && whole, NULL), 0);
	}
	outfile_done(&file);
	return r;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(name, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void assert_has(const char *name, const char *text)
{
	char bytes[16] = { 0 };
	FILE *f = fopen(name, "re");

	assert_non_null(f);
	assert_int_equal(fread(bytes, 1, sizeof(bytes) - 1, f), strlen(text));
	assert_string_equal(bytes, text);
	(void)fclose(f);
}

static void test_whole_or_not(void **state)
{
	struct stat st;

	(void)state;
	put("out", "old");
	assert_int_equal(save("out", false), 0);
	assert_has("out", "old");
	assert_int_equal(access("out.part", F_OK), -1);
	put("out.part", "of a command that was killed");
	assert_int_equal(save("out", true), 0);
	assert_has("out", "new");
	assert_int_equal(access("out.part", F_OK), -1);
	assert_int_equal(stat("out", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_others(void **state)
{
	struct outfile first, second;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(outfile_open("out", &first, NULL), 0);
	assert_true(outfile_open("out", &second, &err) < 0);
	assert_non_null(strstr(err.msg, "somebody else has"));
	outfile_done(&second);
	assert_int_equal(outfile_settle(&first, false, NULL), 0);
	outfile_done(&first);
	/* somebody who wants to go on reading it has it under another name, too */
	put("other", "");
	assert_int_equal(link("other", "out.part"), 0);
	assert_true(save("out", true) < 0);
	assert_has("other", "");
	assert_int_equal(unlink("out.part"), 0);
	assert_int_equal(symlink("other", "out.part"), 0);
	assert_true(save("out", true) < 0);
	assert_has("other", "");
	assert_int_equal(unlink("out.part"), 0);
}

static void test_links(void **state)
{
	struct stat st;

	(void)state;
	put("target", "old");
	assert_int_equal(symlink("target", "link"), 0);
	assert_int_equal(save("link", true), 0);
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_has("target", "new");
}

static void test_no_plain_file(void **state)
{
	char bytes[4] = { 0 };
	struct stat st;
	struct err err = { 0 };
	struct outfile file;
	int fd;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	fd = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(save("fifo", true), 0);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 3);
	assert_string_equal(bytes, "new");
	(void)close(fd);
	assert_int_equal(lstat("fifo", &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(save("/dev/full", true), -ENOSPC);
	assert_int_equal(outfile_open(".", &file, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "is a directory"));
	outfile_done(&file);
	assert_int_equal(save("missing/out", true), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_or_not),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_no_plain_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
