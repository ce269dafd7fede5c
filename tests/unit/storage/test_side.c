/* tests of storage/side.h and storage/pool_look.h on a directory: what is written, and what strangers put there */
#include "storage/side.h"

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

#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"
#include "os/tree_remove.h"
#include "spec/job.h"
#include "storage/pool_look.h"

#define UUID "11111111-1111-4111-8111-111111111111"

enum {
	TEXT_MAX = 64
};

struct world {
	struct pool pool;
	char dir[64];
	struct strmap texts; /* of side_read_all(): "" for one that cannot be read */
};

static int setup(void **state)
{
	struct world *world = *state = xcalloc(1, sizeof(*world));
	const struct pool_request request = { .name = "p", .dir = world->dir };
	char uuid[BTRFS_UUID_LEN];

	(void)snprintf(world->dir, sizeof(world->dir), "/tmp/sysctr-unit-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	assert_int_equal(pool_look(&request, &world->pool, uuid, NULL), 0);
	assert_string_equal(uuid, "");
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	int tmp_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	pool_close(&world->pool);
	assert_int_equal(tree_remove(tmp_fd, world->dir + strlen("/tmp/"), NULL, NULL), 0);
	(void)fd_close(tmp_fd);
	strmap_done(&world->texts);
	free(world);
	return 0;
}

static void take(void *data, const char *name, const struct buf *text, const char *problem)
{
	struct world *world = data;

	assert_true((text != NULL) != (problem != NULL));
	strmap_set(&world->texts, name, text ? (const char *)text->data : "");
}

static size_t read_kind(struct world *world, enum side_kind kind)
{
	strmap_done(&world->texts);
	assert_int_equal(side_read_all(&world->pool, kind, 10, TEXT_MAX, take, world, NULL), 0);
	return world->texts.len;
}

static mode_t mode_of(const struct world *world, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(world->pool.dir_fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void put(const struct world *world, const char *path, const char *text)
{
	_cleanup_(fd_closep) int fd =
		openat(world->pool.dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void test_objects(void **state)
{
	struct world *world = *state;
	struct buf text = { 0 };

	assert_int_equal(read_kind(world, SIDE_INSTANCE), 0);
	assert_int_equal(side_read_pool(world->pool.dir_fd, TEXT_MAX, &text), -ENOENT);
	assert_int_equal(side_write(&world->pool, "web1", "one", NULL), 0);
	assert_int_equal(side_write(&world->pool, JOB_SIDE_CUSTOM UUID, "two", NULL), 0);
	assert_int_equal(side_write(&world->pool, JOB_SIDE_POOL, "three", NULL), 0);
	assert_int_equal(mode_of(world, "records/web1.yaml"), 0600);
	assert_int_equal(mode_of(world, "records/custom/" UUID ".yaml"), 0600);
	assert_int_equal(mode_of(world, "pool.yaml"), 0600);
	assert_int_equal(read_kind(world, SIDE_INSTANCE), 1);
	assert_string_equal(strmap_get(&world->texts, "web1"), "one");
	assert_int_equal(read_kind(world, SIDE_CUSTOM), 1);
	assert_string_equal(strmap_get(&world->texts, UUID), "two");
	assert_int_equal(side_read_pool(world->pool.dir_fd, TEXT_MAX, &text), 0);
	assert_string_equal(buf_str(&text), "three");
	buf_done(&text);

	assert_int_equal(side_write(&world->pool, "web1", "another", NULL), 0);
	assert_int_equal(read_kind(world, SIDE_INSTANCE), 1);
	assert_string_equal(strmap_get(&world->texts, "web1"), "another");
	assert_int_equal(side_remove(&world->pool, JOB_SIDE_CUSTOM UUID, NULL), 0);
	assert_int_equal(side_remove(&world->pool, JOB_SIDE_CUSTOM UUID, NULL), 0);
	assert_int_equal(read_kind(world, SIDE_CUSTOM), 0);
	assert_int_equal(side_clear(&world->pool, NULL), 0);
	assert_int_equal(unlinkat(world->pool.dir_fd, SIDE_DIR, AT_REMOVEDIR), 0);
	assert_int_equal(faccessat(world->pool.dir_fd, "pool.yaml", F_OK, 0), -1);
}

static void test_wrong_objects(void **state)
{
	static const char *const objects[] = { "",	  "..",		 "../x",       "a/b",
					       "custom/", "custom/../x", "custom/a/b", "./x" };
	struct world *world = *state;
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
		assert_true(side_write(&world->pool, objects[i], "text", &err) < 0);
		assert_true(side_remove(&world->pool, objects[i], &err) < 0);
	}
	assert_int_equal(faccessat(world->pool.dir_fd, SIDE_DIR, F_OK, 0), -1);
}

static void test_strangers(void **state)
{
	struct world *world = *state;
	int fd = world->pool.dir_fd;
	struct buf text = { 0 };

	assert_int_equal(mkdirat(fd, SIDE_DIR, 0700), 0);
	put(world, "records/.hidden.yaml", "no");
	put(world, "records/other.txt", "no");
	put(world, "records/no name.yaml", "no");
	put(world, "records/long.yaml",
	    "0123456789012345678901234567890123456789012345678901234567890123456789");
	assert_int_equal(symlinkat("/etc/passwd", fd, "records/link.yaml"), 0);
	assert_int_equal(mkfifoat(fd, "records/fifo.yaml", 0600), 0);
	assert_int_equal(mkdirat(fd, "records/dir.yaml", 0700), 0);
	assert_int_equal(read_kind(world, SIDE_INSTANCE), 5);
	strmap_for_each(entry, &world->texts)
	{
		assert_string_equal(entry->value, "");
	}

	/* directories that lead elsewhere */
	assert_int_equal(symlinkat("/tmp", fd, "records/custom"), 0);
	assert_true(side_read_all(&world->pool, SIDE_CUSTOM, 10, TEXT_MAX, take, world, NULL) < 0);
	assert_true(side_write(&world->pool, JOB_SIDE_CUSTOM UUID, "text", NULL) < 0);
	assert_int_equal(access("/tmp/" UUID ".yaml", F_OK), -1);
	assert_int_equal(symlinkat("/etc/passwd", fd, "pool.yaml"), 0);
	assert_int_equal(side_read_pool(fd, TEXT_MAX, &text), -ELOOP);
	buf_done(&text);
}

static const char *told(const struct world *world)
{
	const struct storage_driver *driver = pool_tell_driver(&world->pool);

	return driver ? driver->name : NULL;
}

static void test_tell_driver(void **state)
{
	struct world *world = *state;
	int fd = world->pool.dir_fd;

	assert_false(pool_looks_like_one(&world->pool));
	assert_null(told(world));
	assert_int_equal(mkdirat(fd, "instances", 0700), 0);
	assert_true(pool_looks_like_one(&world->pool));
	assert_int_equal(mkdirat(fd, "instances/a", 0700), 0);
	assert_int_equal(mkdirat(fd, "instances/a/rootfs", 0700), 0);
	assert_null(told(world)); /* of dir, or of overlay without an image */
	assert_int_equal(mkdirat(fd, "instances/b", 0700), 0);
	assert_int_equal(symlinkat("/tmp", fd, "instances/b/upper"), 0);
	assert_null(told(world));
	assert_int_equal(mkdirat(fd, "instances/c", 0700), 0);
	assert_int_equal(mkdirat(fd, "instances/c/upper", 0700), 0);
	assert_string_equal(told(world), "overlay");
}

static void test_not_there(void **state)
{
	const struct pool_request places[] = {
		{ .name = "p", .dir = "/tmp/sysctr-unit-none" },
		{ .name = "p", .dir = "/etc/passwd" },
		{ .name = "p" },
		{ .name = "p", .dir = "/tmp/sysctr-unit-none", .disk = "/dev/sysctr-unit-none" },
	};
	char uuid[BTRFS_UUID_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct pool pool = { .dir_fd = -EBADF };
		struct err err = { 0 };

		assert_true(pool_look(&places[i], &pool, uuid, &err) < 0);
		assert_true(strlen(err.msg) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_objects, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_objects, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strangers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tell_driver, setup, teardown),
		cmocka_unit_test(test_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
