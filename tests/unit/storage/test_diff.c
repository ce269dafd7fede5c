/* tests/unit/storage/test_diff.c - storage/diff.h on plain roots; snapshot.bats has the layers */
#include "storage/diff.h"

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

#include "base/buf.h"
#include "base/mem.h"
#include "os/fd.h"
#include "os/tree_copy.h"
#include "os/tree_remove.h"
#include "storage/pool.h"

struct world {
	struct pool pool;
	char dir[64];
	int old_fd, new_fd; /* the roots */
	struct buf seen;
};

static int make_dir(int dir_fd, const char *name)
{
	assert_int_equal(mkdirat(dir_fd, name, 0755), 0);
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void put(int dir_fd, const char *path, const char *text)
{
	int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	(void)fd_close(fd);
}

static int setup(void **state)
{
	struct world *world = *state = xcalloc(1, sizeof(*world));

	(void)snprintf(world->dir, sizeof(world->dir), "/tmp/sysctr-unit-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	assert_int_equal(pool_open("p", "dir", world->dir, &world->pool, NULL), 0);
	(void)fd_close(make_dir(world->pool.dir_fd, "snapshots"));
	(void)fd_close(make_dir(world->pool.dir_fd, "snapshots/s0"));
	(void)fd_close(make_dir(world->pool.dir_fd, "instances"));
	(void)fd_close(make_dir(world->pool.dir_fd, "instances/c1"));
	world->old_fd = make_dir(world->pool.dir_fd, "snapshots/s0/rootfs");
	world->new_fd = make_dir(world->pool.dir_fd, "instances/c1/rootfs");
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	int tmp_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)fd_close(world->old_fd);
	(void)fd_close(world->new_fd);
	pool_close(&world->pool);
	assert_int_equal(tree_remove(tmp_fd, world->dir + strlen("/tmp/"), NULL, NULL), 0);
	(void)fd_close(tmp_fd);
	buf_done(&world->seen);
	free(world);
	return 0;
}

static int add(void *data, enum diff_kind kind, const char *path, struct err *err)
{
	struct world *world = data;

	(void)err;
	buf_printf(&world->seen, "%c %s\n", diff_letter(kind), path);
	return 0;
}

static int compare(struct world *world, struct err *err)
{
	const struct diff_request request = { .old = "s0",
					      .new_kind = VOLUME_INSTANCE,
					      .new = "c1" };

	return volume_diff(&world->pool, &request, add, world, err);
}

static void test_changes(void **state)
{
	struct world *world = *state;

	put(world->old_fd, "same", "x");
	put(world->old_fd, "gone", "x");
	put(world->old_fd, "longer", "x");
	put(world->old_fd, "was-file", "x");
	(void)fd_close(make_dir(world->old_fd, "dir"));
	put(world->old_fd, "dir/inner", "x");
	put(world->old_fd, "dir/mode", "x");
	(void)fd_close(make_dir(world->old_fd, "gone-dir"));
	put(world->old_fd, "gone-dir/f", "x");
	assert_int_equal(tree_copy(world->old_fd, world->new_fd, NULL, NULL, NULL), 0);
	assert_int_equal(compare(world, NULL), 0);
	assert_string_equal(buf_str(&world->seen), "");

	assert_int_equal(unlinkat(world->new_fd, "gone", 0), 0);
	assert_int_equal(tree_remove(world->new_fd, "gone-dir", NULL, NULL), 0);
	put(world->new_fd, "longer", "xx");
	assert_int_equal(unlinkat(world->new_fd, "was-file", 0), 0);
	(void)fd_close(make_dir(world->new_fd, "was-file"));
	put(world->new_fd, "was-file/f", "x");
	assert_int_equal(fchmodat(world->new_fd, "dir/mode", 0600, 0), 0);
	assert_int_equal(symlinkat("/", world->new_fd, "link"), 0);
	put(world->new_fd, "dir/new\nline", "x");
	assert_int_equal(compare(world, NULL), 0);
	assert_string_equal(buf_str(&world->seen), "C /dir/mode\n"
						   "A /dir/new\nline\n"
						   "D /gone\n"
						   "D /gone-dir\n"
						   "A /link\n"
						   "C /longer\n"
						   "C /was-file\n"
						   "A /was-file/f\n");
}

/* A guest's tree may be as deep as it likes: that is said, the stack is bounded. */
static void test_too_deep(void **state)
{
	struct world *world = *state;
	int fd = make_dir(world->new_fd, "d");
	struct err err = { 0 };

	for (int i = 0; i < 600; i++) {
		int next = make_dir(fd, "d");
		(void)fd_close(fd);
		fd = next;
	}
	(void)fd_close(fd);
	assert_int_equal(compare(world, &err), -ELOOP);
	assert_non_null(strstr(err.msg, "compare"));
}

static void test_missing(void **state)
{
	struct world *world = *state;
	struct diff_request request = { .old = "s9", .new_kind = VOLUME_INSTANCE, .new = "c1" };
	struct err err = { 0 };

	assert_true(volume_diff(&world->pool, &request, add, world, &err) < 0);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	request.old = "../instances/c1";
	assert_true(volume_diff(&world->pool, &request, add, world, &err) < 0);
	assert_int_equal(err.kind, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_deep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
