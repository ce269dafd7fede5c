/*
 * tests/unit/storage/test_driver.c - the contract of storage/driver.h, the same for every driver
 *
 * Arguments: a directory, where root has the contract run for the driver btrfs, on one; or for those
 * that follow, whose quotas are then tried where the file system has them.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/caps.h"
#include "os/fd.h"
#include "os/tree_remove.h"
#include "storage/copy.h"
#include "storage/mock.h"
#include "storage/pool.h"
#include "storage/trace.h"

#define IMAGE	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define MISSING "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const char *base_dir = "/tmp";

/* A pool of the driver under test. */
struct world {
	struct pool pool;
	struct pool inner;
	struct mock mock;
	struct trace trace;
	char dir[256]; /* "" for the mock */
	unsigned int n_lines;
};

static void count_line(void *data, const char *line)
{
	struct world *world = data;

	assert_non_null(strstr(line, " -> "));
	world->n_lines++;
}

static void open_dir_pool(struct world *world, const char *driver, struct pool *pool)
{
	static const char *const subdirs[] = { "images", "instances", "snapshots", "custom",
					       "trash" };
	struct err err = { 0 };

	(void)snprintf(world->dir, sizeof(world->dir), "%s/sysctr-unit-XXXXXX", base_dir);
	assert_non_null(mkdtemp(world->dir));
	assert_int_equal(pool_open("p", driver, world->dir, pool, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(subdirs); i++)
		assert_int_equal(mkdirat(pool->dir_fd, subdirs[i], 0700), 0);
}

static int setup_overlay(void **state)
{
	struct world *world = *state = xcalloc(1, sizeof(*world));

	open_dir_pool(world, "overlay", &world->pool);
	return 0;
}

static int setup_dir(void **state)
{
	struct world *world = *state = xcalloc(1, sizeof(*world));

	open_dir_pool(world, "dir", &world->pool);
	return 0;
}

static int setup_btrfs(void **state)
{
	struct world *world = *state = xcalloc(1, sizeof(*world));

	open_dir_pool(world, "btrfs", &world->pool);
	return 0;
}

static int setup_trace(void **state)
{
	struct world *world = *state = xcalloc(1, sizeof(*world));

	open_dir_pool(world, "dir", &world->inner);
	world->trace = (struct trace){ &world->inner, count_line, world };
	trace_pool_init(&world->trace, &world->pool);
	return 0;
}

static int setup_mock(void **state)
{
	struct world *world = *state = xcalloc(1, sizeof(*world));

	mock_pool_init(&world->mock, &world->pool);
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	pool_close(&world->pool);
	pool_close(&world->inner);
	mock_done(&world->mock);
	if (world->dir[0] != '\0') {
		int tmp_fd = open(base_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		const char *name = world->dir + strlen(base_dir) + 1;
		assert_int_equal(tree_remove(tmp_fd, name, NULL, NULL), 0);
		(void)fd_close(tmp_fd);
	}
	free(world);
	return 0;
}

static void fill(struct world *world, const struct stage *stage)
{
	if (world->dir[0] == '\0')
		return;
	int fd = openat(stage->root_fd, "file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "text", 4), 4);
	assert_int_equal(close(fd), 0);
	assert_int_equal(mkdirat(stage->root_fd, "sub", 0750), 0);
	assert_int_equal(linkat(stage->root_fd, "file", stage->root_fd, "sub/link", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", stage->root_fd, "sub/sym"), 0);
	assert_int_equal(mkfifoat(stage->root_fd, "fifo", 0600), 0);
	assert_int_equal(fchmod(stage->root_fd, 0751), 0);
}

static void put(int dir_fd, const char *path, const char *text)
{
	int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(close(fd), 0);
}

static void make_image(struct world *world)
{
	const struct storage_driver *driver = world->pool.driver;
	struct stage stage;
	struct err err = { 0 };

	assert_int_equal(driver->image_begin(&world->pool, IMAGE, &stage, &err), 0);
	fill(world, &stage);
	assert_int_equal(driver->image_commit(&world->pool, &stage, &err), 0);
}

static int exists(struct world *world, enum volume_kind kind, const char *name)
{
	return world->pool.driver->volume_exists(&world->pool, kind, name, NULL);
}

/* S1, S3 */
static void test_image(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	struct stage first, second;

	assert_int_equal(driver->image_begin(&world->pool, IMAGE, &first, NULL), 0);
	assert_int_equal(driver->image_begin(&world->pool, IMAGE, &second, NULL), 0);
	assert_int_equal(exists(world, VOLUME_IMAGE, IMAGE), 0);
	assert_int_equal(driver->image_commit(&world->pool, &first, NULL), 0);
	assert_int_equal(exists(world, VOLUME_IMAGE, IMAGE), 1);
	assert_int_equal(driver->image_commit(&world->pool, &second, NULL), 1);
	assert_int_equal(driver->image_begin(&world->pool, IMAGE, &first, NULL), 1);
}

static void test_image_abort(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	struct stage stage;

	assert_int_equal(driver->image_begin(&world->pool, IMAGE, &stage, NULL), 0);
	fill(world, &stage);
	assert_int_equal(driver->image_abort(&world->pool, &stage, NULL), 0);
	assert_int_equal(exists(world, VOLUME_IMAGE, IMAGE), 0);
	make_image(world);
}

static void test_create(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	struct err err = { 0 };

	make_image(world);
	assert_int_equal(driver->volume_create(&world->pool, "c1", IMAGE, 0, &err), 0);
	assert_int_equal(exists(world, VOLUME_INSTANCE, "c1"), 1);
	assert_int_equal(driver->volume_create(&world->pool, "c1", IMAGE, 0, &err), 1);
	assert_int_equal(driver->volume_create(&world->pool, "empty", NULL, 0, &err), 0);
	assert_true(driver->volume_create(&world->pool, "c2", MISSING, 0, &err) < 0);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(exists(world, VOLUME_INSTANCE, "c2"), 0);
}

static void test_names(void **state)
{
	static const char *const bad[] = { "", ".", "..", "../x", "a/b", "/x", "x\ny", NULL };
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	char trash[UUID_LEN];

	for (size_t i = 0; bad[i]; i++) {
		struct err err = { 0 };
		struct stage stage;
		assert_true(driver->volume_create(&world->pool, bad[i], NULL, 0, &err) < 0);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_true(driver->image_begin(&world->pool, bad[i], &stage, &err) < 0);
		assert_true(driver->volume_hide(&world->pool, VOLUME_INSTANCE, bad[i], trash,
						&err) < 0);
		assert_true(driver->volume_create(&world->pool, "ok", bad[i], 0, &err) < 0);
	}
}

static void test_hide_and_free(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	char trash[UUID_LEN];

	make_image(world);
	assert_int_equal(driver->volume_create(&world->pool, "c1", IMAGE, 0, NULL), 0);
	assert_int_equal(driver->volume_hide(&world->pool, VOLUME_INSTANCE, "c1", trash, NULL), 0);
	assert_int_equal(exists(world, VOLUME_INSTANCE, "c1"), 0);
	/* the name is free before the space is */
	assert_int_equal(driver->volume_create(&world->pool, "c1", IMAGE, 0, NULL), 0);
	assert_int_equal(driver->volume_free(&world->pool, trash, NULL), 0);
	assert_int_equal(driver->volume_free(&world->pool, trash, NULL), 0);
	assert_int_equal(exists(world, VOLUME_INSTANCE, "c1"), 1);
	assert_int_equal(driver->volume_hide(&world->pool, VOLUME_INSTANCE, "c2", trash, NULL), 1);
	assert_int_equal(driver->volume_hide(&world->pool, VOLUME_IMAGE, IMAGE, trash, NULL), 0);
	assert_int_equal(driver->trash_empty(&world->pool, NULL), 0);
}

static bool always(void *data)
{
	(void)data;
	return true;
}

static void make_file_in(struct world *world, const char *volume, const char *name)
{
	_cleanup_(freep) char *path =
		xasprintf("%s/instances/%s/rootfs/%s", world->dir, volume, name);

	if (world->dir[0] == '\0')
		return;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

/* Somebody uses the volume. Returns: descriptor to be closed; -EBADF for the mock. */
static int use(struct world *world, const char *volume)
{
	_cleanup_(freep) char *path = xasprintf("%s/instances/%s", world->dir, volume);
	int fd;

	if (world->dir[0] == '\0') {
		strmap_set(&world->mock.used, volume, "");
		return -EBADF;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	return fd;
}

/* S4 */
static void test_in_use(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	_cleanup_(fd_closep) int fd = -EBADF;
	struct err err = { 0 };
	char trash[UUID_LEN];

	assert_int_equal(driver->volume_create(&world->pool, "c1", NULL, 0, NULL), 0);
	fd = use(world, "c1");
	assert_true(driver->volume_hide(&world->pool, VOLUME_INSTANCE, "c1", trash, &err) < 0);
	assert_int_equal(err.kind, ERR_CONFLICT);
	assert_int_equal(exists(world, VOLUME_INSTANCE, "c1"), 1);
	fd = fd_close(fd);
	(void)strmap_unset(&world->mock.used, "c1");
	assert_int_equal(driver->volume_hide(&world->pool, VOLUME_INSTANCE, "c1", trash, NULL), 0);
}

#define STAGE "11111111-2222-4333-8444-555555555555"
#define SNAP  "66666666-7777-4888-8999-aaaaaaaaaaaa"

static int copy_fill(struct world *world, enum volume_kind kind, const char *name,
		     enum copy_pass pass)
{
	const struct copy_request request = {
		.kind = kind, .volume = name, .stage = STAGE, .pass = pass
	};

	return world->pool.driver->copy_fill(&world->pool, &request, NULL);
}

/* S1, S3: a snapshot is there when it is committed, and what is made of it is an instance again. */
static void test_snapshot(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	char trash[UUID_LEN];
	uint64_t bytes;

	make_image(world);
	assert_int_equal(driver->volume_create(&world->pool, "c1", IMAGE, 0, NULL), 0);
	assert_int_equal(copy_fill(world, VOLUME_INSTANCE, "c1", COPY_LIVE), 0);
	assert_int_equal(copy_fill(world, VOLUME_INSTANCE, "c1", COPY_LIVE), 0);
	assert_int_equal(copy_fill(world, VOLUME_INSTANCE, "c1", COPY_REST), 0);
	assert_int_equal(exists(world, VOLUME_SNAPSHOT, SNAP), 0);
	assert_int_equal(driver->copy_commit(&world->pool, STAGE, VOLUME_SNAPSHOT, SNAP, trash,
					     NULL),
			 0);
	assert_string_equal(trash, "");
	assert_int_equal(exists(world, VOLUME_SNAPSHOT, SNAP), 1);
	assert_int_equal(driver->copy_commit(&world->pool, STAGE, VOLUME_SNAPSHOT, SNAP, trash,
					     NULL),
			 1);
	assert_int_equal(driver->volume_usage(&world->pool, VOLUME_SNAPSHOT, SNAP, &bytes, NULL),
			 0);
	assert_int_equal(copy_fill(world, VOLUME_SNAPSHOT, SNAP, COPY_WHOLE), 0);
	assert_int_equal(driver->copy_commit(&world->pool, STAGE, VOLUME_INSTANCE, "c1", trash,
					     NULL),
			 0);
	assert_int_equal(driver->volume_free(&world->pool, trash, NULL), 0);
	assert_int_equal(exists(world, VOLUME_INSTANCE, "c1"), 1);
	assert_int_equal(driver->volume_hide(&world->pool, VOLUME_SNAPSHOT, SNAP, trash, NULL), 0);
	assert_int_equal(exists(world, VOLUME_SNAPSHOT, SNAP), 0);
	assert_int_equal(driver->volume_hide(&world->pool, VOLUME_SNAPSHOT, SNAP, trash, NULL), 1);
}

static void test_snapshot_refused(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	const struct copy_request bad = { .kind = VOLUME_INSTANCE,
					  .volume = "c1",
					  .stage = "../x" };
	char trash[UUID_LEN];
	struct err err = { 0 };

	assert_int_equal(driver->volume_create(&world->pool, "c1", NULL, 0, NULL), 0);
	assert_true(copy_fill(world, VOLUME_INSTANCE, "../x", COPY_WHOLE) < 0);
	assert_true(driver->copy_fill(&world->pool, &bad, &err) < 0);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_true(copy_fill(world, VOLUME_INSTANCE, "none", COPY_WHOLE) < 0);
	assert_true(copy_fill(world, VOLUME_INSTANCE, "c1", COPY_REST) < 0);
	assert_true(driver->copy_commit(&world->pool, STAGE, VOLUME_SNAPSHOT, SNAP, trash, NULL) <
		    0);
	assert_int_equal(driver->copy_abort(&world->pool, STAGE, NULL), 0);
	world->pool.cancel = always;
	if (world->inner.driver)
		world->inner.cancel = always;
	make_file_in(world, "c1", "file");
	assert_int_equal(copy_fill(world, VOLUME_INSTANCE, "c1", COPY_WHOLE), -ECANCELED);
	world->pool.cancel = world->inner.cancel = NULL;
	assert_true(driver->copy_commit(&world->pool, STAGE, VOLUME_SNAPSHOT, SNAP, trash, NULL) <
		    0);
}

/* S4: what runs is not replaced; the copy waits. */
static void test_restore_in_use(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	_cleanup_(fd_closep) int fd = -EBADF;
	struct err err = { 0 };
	char trash[UUID_LEN];

	assert_int_equal(driver->volume_create(&world->pool, "c1", NULL, 0, NULL), 0);
	assert_int_equal(copy_fill(world, VOLUME_INSTANCE, "c1", COPY_WHOLE), 0);
	fd = use(world, "c1");
	assert_true(driver->copy_commit(&world->pool, STAGE, VOLUME_INSTANCE, "c1", trash, &err) <
		    0);
	assert_int_equal(err.kind, ERR_CONFLICT);
	fd = fd_close(fd);
	(void)strmap_unset(&world->mock.used, "c1");
	assert_int_equal(driver->copy_commit(&world->pool, STAGE, VOLUME_INSTANCE, "c1", trash,
					     NULL),
			 0);
}

/* S1, S3, S4 */
static void test_rename(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	struct pool *pool = &world->pool;
	struct err err = { 0 };

	make_image(world);
	assert_int_equal(driver->volume_create(pool, "c1", IMAGE, 0, NULL), 0);
	assert_int_equal(driver->volume_create(pool, "c2", IMAGE, 0, NULL), 0);
	assert_true(driver->volume_rename(pool, "c1", "c2", &err) < 0);
	assert_int_equal(err.kind, ERR_CONFLICT);
	assert_true(driver->volume_rename(pool, "none", "c3", &err) < 0);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_true(driver->volume_rename(pool, "c1", "../c3", &err) < 0);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_int_equal(driver->volume_rename(pool, "c1", "c3", &err), 0);
	assert_int_equal(driver->volume_rename(pool, "c1", "c3", &err), 1);
	assert_int_equal(exists(world, VOLUME_INSTANCE, "c1"), 0);
	assert_int_equal(exists(world, VOLUME_INSTANCE, "c3"), 1);
}

/* An instance's copy as jobs make it: filled, then committed. Returns: what failed, or 0. */
static int copy_instance(struct world *world, const struct copy_request *how, const char *name,
			 struct err *err)
{
	const struct storage_driver *driver = world->pool.driver;
	struct copy_request request = *how;
	char trash[UUID_LEN];
	int r;

	request.stage = STAGE;
	r = driver->copy_fill(&world->pool, &request, err);
	if (r == 0)
		r = driver->copy_commit(&world->pool, STAGE, VOLUME_INSTANCE, name, trash, err);
	return r == 0 && trash[0] ? driver->volume_free(&world->pool, trash, err) : r;
}

/* S1 */
static void test_copy(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	struct copy_request copy = {
		.kind = VOLUME_INSTANCE, .volume = "c1", .image = IMAGE, .forget = true
	};
	struct err err = { 0 };

	make_image(world);
	assert_true(copy_instance(world, &copy, "c2", &err) < 0);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(driver->volume_create(&world->pool, "c1", IMAGE, 0, NULL), 0);
	copy.older = "c2";
	assert_true(copy_instance(world, &copy, "c2", &err) < 0);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	copy.older = NULL;
	assert_int_equal(copy_instance(world, &copy, "c2", &err), 0);
	copy.older = "c2";
	assert_int_equal(copy_instance(world, &copy, "c2", &err), 0);
	assert_int_equal(exists(world, VOLUME_INSTANCE, "c2"), 1);
	copy.older = NULL;
	assert_true(copy_instance(world, &copy, "../c3", &err) < 0);
	assert_int_equal(err.kind, ERR_INVALID);
}

static void test_copy_of_snapshot(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	const struct copy_request copy = {
		.kind = VOLUME_SNAPSHOT, .volume = SNAP, .image = IMAGE, .forget = true
	};
	char trash[UUID_LEN];
	struct err err = { 0 };

	make_image(world);
	assert_int_equal(driver->volume_create(&world->pool, "c1", IMAGE, 0, NULL), 0);
	assert_true(copy_instance(world, &copy, "c2", &err) < 0);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(copy_fill(world, VOLUME_INSTANCE, "c1", COPY_WHOLE), 0);
	assert_int_equal(driver->copy_commit(&world->pool, STAGE, VOLUME_SNAPSHOT, SNAP, trash,
					     NULL),
			 0);
	assert_int_equal(copy_instance(world, &copy, "c2", &err), 0);
	assert_int_equal(exists(world, VOLUME_INSTANCE, "c2"), 1);
}

#define CUSTOM	"bbbbbbbb-2222-4333-8444-555555555555"
#define CUSTOM2 "cccccccc-2222-4333-8444-555555555555"

static void make_custom(struct world *world, const char *name, const char *text)
{
	const struct storage_driver *driver = world->pool.driver;
	struct copy_stage stage;
	char trash[UUID_LEN];

	assert_int_equal(driver->copy_begin(&world->pool, STAGE, &stage, NULL), 0);
	if (world->dir[0] != '\0')
		put(stage.root_fd, "file", text);
	(void)fd_close(stage.root_fd);
	(void)fd_close(stage.fd);
	assert_int_equal(driver->copy_commit(&world->pool, STAGE, VOLUME_CUSTOM, name, trash, NULL),
			 0);
}

/* Whether the file of a volume says so. */
static bool says(struct world *world, const char *volume, const char *text)
{
	_cleanup_(freep) char *path = xasprintf("custom/%s/rootfs/file", volume);
	char have[16] = "";
	int fd;

	if (world->dir[0] == '\0')
		return true;
	fd = openat(world->inner.driver ? world->inner.dir_fd : world->pool.dir_fd, path,
		    O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, have, sizeof(have) - 1) >= 0);
	assert_int_equal(close(fd), 0);
	return streq(have, text);
}

/* S1, S3: a volume of its own is made, kept as a snapshot, copied, put back and deleted. */
static void test_custom(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	struct pool *pool = &world->pool;
	char trash[UUID_LEN];
	uint64_t bytes;

	make_custom(world, CUSTOM, "old");
	assert_int_equal(exists(world, VOLUME_CUSTOM, CUSTOM), 1);
	assert_int_equal(exists(world, VOLUME_INSTANCE, CUSTOM), 0);
	assert_int_equal(driver->copy_commit(pool, STAGE, VOLUME_CUSTOM, CUSTOM, trash, NULL), 1);
	assert_int_equal(driver->volume_usage(pool, VOLUME_CUSTOM, CUSTOM, &bytes, NULL), 0);
	assert_int_equal(copy_fill(world, VOLUME_CUSTOM, CUSTOM, COPY_LIVE), 0);
	assert_int_equal(driver->copy_commit(pool, STAGE, VOLUME_SNAPSHOT, SNAP, trash, NULL), 0);
	make_custom(world, CUSTOM2, "new");
	assert_int_equal(copy_fill(world, VOLUME_SNAPSHOT, SNAP, COPY_WHOLE), 0);
	assert_int_equal(driver->copy_commit(pool, STAGE, VOLUME_CUSTOM, CUSTOM2, trash, NULL), 0);
	assert_string_not_equal(trash, "");
	assert_true(says(world, CUSTOM2, "old"));
	assert_int_equal(driver->volume_free(pool, trash, NULL), 0);
	assert_int_equal(driver->volume_hide(pool, VOLUME_CUSTOM, CUSTOM, trash, NULL), 0);
	assert_int_equal(driver->volume_free(pool, trash, NULL), 0);
	assert_int_equal(driver->volume_hide(pool, VOLUME_CUSTOM, CUSTOM, trash, NULL), 1);
	assert_int_equal(exists(world, VOLUME_CUSTOM, CUSTOM), 0);
	assert_int_equal(exists(world, VOLUME_SNAPSHOT, SNAP), 1);
	assert_true(copy_fill(world, VOLUME_CUSTOM, CUSTOM, COPY_WHOLE) < 0);
	assert_true(copy_fill(world, VOLUME_CUSTOM, "../x", COPY_WHOLE) < 0);
}

static int limit(struct world *world, const char *volume, const char *stage, uint64_t bytes)
{
	const bool custom = volume && streq(volume, CUSTOM);
	const struct volume_limit request = { volume, stage, bytes, custom };
	struct err err = { 0 };
	int r = world->pool.driver->volume_limit(&world->pool, &request, &err);

	return r < 0 ? -(int)err.kind : r;
}

/* Whether @bytes may be written to the volume, as who is not above quotas. */
static bool has_room(struct world *world, const char *volume, off_t bytes)
{
	_cleanup_(freep) char *path =
		xasprintf("%s/%s/%s/rootfs", world->dir,
			  streq(volume, CUSTOM) ? "custom" : "instances", volume);
	_cleanup_(fd_closep) int fd = open(path, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(caps_suspend(UINT64_C(1) << CAP_SYS_RESOURCE), 0);
	int r = fallocate(fd, 0, 0, bytes) < 0 ? errno : 0;
	assert_int_equal(caps_resume(UINT64_C(1) << CAP_SYS_RESOURCE), 0);
	assert_true(r == 0 || r == EDQUOT || r == ENOSPC);
	return r == 0;
}

/* An empty directory may take nothing at all. */
static void keep_file(struct world *world, const char *volume, off_t bytes)
{
	_cleanup_(freep) char *path = xasprintf("%s/instances/%s/rootfs/kept", world->dir, volume);
	_cleanup_(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fallocate(fd, 0, 0, bytes), 0);
}

/* Without quotas every size is refused, and no size is fine. */
static void check_no_quotas(struct world *world)
{
	const struct storage_driver *driver = world->pool.driver;
	struct err err = { 0 };

	assert_true(driver->volume_create(&world->pool, "c2", NULL, 64 << 20, &err) < 0);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	assert_int_equal(limit(world, "c1", NULL, 64 << 20), -(int)ERR_UNSUPPORTED);
	if (world->dir[0] != '\0') {
		assert_int_equal(copy_fill(world, VOLUME_INSTANCE, "c1", COPY_WHOLE), 0);
		assert_int_equal(limit(world, NULL, STAGE, 64 << 20), -(int)ERR_UNSUPPORTED);
		assert_int_equal(driver->copy_abort(&world->pool, STAGE, NULL), 0);
	}
	assert_int_equal(exists(world, VOLUME_INSTANCE, "c2"), 0);
}

static void check_quotas(struct world *world)
{
	const struct storage_driver *driver = world->pool.driver;
	bool real = world->dir[0] != '\0';
	char trash[UUID_LEN];

	assert_int_equal(driver->volume_create(&world->pool, "c3", NULL, 8 << 20, NULL), 0);
	assert_true(!real || (has_room(world, "c3", 4 << 20) && !has_room(world, "c3", 9 << 20)));
	assert_int_equal(limit(world, "c3", NULL, 32 << 20), 0);
	assert_true(!real || (has_room(world, "c3", 9 << 20) && !has_room(world, "c3", 40 << 20)));
	assert_int_equal(driver->volume_rename(&world->pool, "c3", "c5", NULL), 0);
	assert_true(!real || !has_room(world, "c5", 40 << 20));
	if (real)
		keep_file(world, "c5", 1 << 20);
	assert_int_equal(limit(world, "c5", NULL, real ? 64 << 10 : 1), -(int)ERR_INVALID);
	assert_true(!real || !has_room(world, "c5", 40 << 20));
	assert_int_equal(limit(world, "c5", NULL, 0), 0);
	assert_true(!real || has_room(world, "c5", 40 << 20));
	assert_int_equal(copy_fill(world, VOLUME_INSTANCE, "c1", COPY_WHOLE), 0);
	assert_int_equal(limit(world, NULL, STAGE, 16 << 20), 0);
	assert_int_equal(driver->copy_commit(&world->pool, STAGE, VOLUME_INSTANCE, "c4", trash,
					     NULL),
			 0);
	assert_true(!real || !has_room(world, "c4", 17 << 20));
	/* what replaces a volume has the limit that it was given, not that of the older one */
	assert_int_equal(copy_fill(world, VOLUME_INSTANCE, "c4", COPY_WHOLE), 0);
	assert_int_equal(limit(world, NULL, STAGE, 20 << 20), 0);
	assert_int_equal(driver->copy_commit(&world->pool, STAGE, VOLUME_INSTANCE, "c4", trash,
					     NULL),
			 0);
	assert_true(!real || (has_room(world, "c4", 17 << 20) && !has_room(world, "c4", 21 << 20)));
	assert_int_equal(driver->volume_free(&world->pool, trash, NULL), 0);
	assert_true(!real || !has_room(world, "c4", 21 << 20));
	/* a custom volume */
	assert_int_equal(limit(world, CUSTOM, NULL, 8 << 20), -(int)ERR_NOT_FOUND);
	assert_int_equal(copy_fill(world, VOLUME_INSTANCE, "c4", COPY_WHOLE), 0);
	assert_int_equal(driver->copy_commit(&world->pool, STAGE, VOLUME_CUSTOM, CUSTOM, trash,
					     NULL),
			 0);
	assert_int_equal(limit(world, CUSTOM, NULL, 8 << 20), 0);
	assert_true(!real ||
		    (has_room(world, CUSTOM, 4 << 20) && !has_room(world, CUSTOM, 9 << 20)));
	assert_int_equal(driver->volume_hide(&world->pool, VOLUME_CUSTOM, CUSTOM, trash, NULL), 0);
	assert_int_equal(driver->volume_free(&world->pool, trash, NULL), 0);
}

static void test_limit(void **state)
{
	struct world *world = *state;
	struct pool *pool = &world->pool;
	struct err err = { 0 };
	const char *how = NULL;

	assert_int_equal(pool->driver->volume_create(pool, "c1", NULL, 0, NULL), 0);
	assert_int_equal(limit(world, "c1", NULL, 0), 0);
	assert_int_equal(limit(world, "none", NULL, 0), -(int)ERR_NOT_FOUND);
	assert_int_equal(limit(world, "../x", NULL, 1 << 20), -(int)ERR_INVALID);
	assert_int_equal(limit(world, NULL, "../x", 1 << 20), -(int)ERR_INVALID);
	if (pool->driver->pool_quota(pool, &how, &err) < 0) {
		assert_int_equal(err.kind, ERR_UNSUPPORTED);
		check_no_quotas(world);
		world->mock.quotas = true;
		world->mock.used_bytes = 4096;
	}
	if (pool->driver->pool_quota(pool, &how, &err) < 0)
		return;
	assert_non_null(how);
	check_quotas(world);
}

#define CONTRACT(driver)                                                                          \
	{ "snapshot_" #driver, test_snapshot, setup_##driver, teardown, NULL },                   \
		{ "snapshot_refused_" #driver, test_snapshot_refused, setup_##driver, teardown,   \
		  NULL },                                                                         \
		{ "restore_in_use_" #driver, test_restore_in_use, setup_##driver, teardown,       \
		  NULL },                                                                         \
		{ "image_" #driver, test_image, setup_##driver, teardown, NULL },                 \
		{ "abort_" #driver, test_image_abort, setup_##driver, teardown, NULL },           \
		{ "create_" #driver, test_create, setup_##driver, teardown, NULL },               \
		{ "names_" #driver, test_names, setup_##driver, teardown, NULL },                 \
		{ "copy_" #driver, test_copy, setup_##driver, teardown, NULL },                   \
		{ "custom_" #driver, test_custom, setup_##driver, teardown, NULL },               \
		{ "copy_of_snapshot_" #driver, test_copy_of_snapshot, setup_##driver, teardown,   \
		  NULL },                                                                         \
		{ "rename_" #driver, test_rename, setup_##driver, teardown, NULL },               \
		{ "limit_" #driver, test_limit, setup_##driver, teardown, NULL },                 \
		{ "hide_and_free_" #driver, test_hide_and_free, setup_##driver, teardown, NULL }, \
	{                                                                                         \
		"in_use_" #driver, test_in_use, setup_##driver, teardown, NULL                    \
	}

/* A stage that somebody holds is left alone when the trash is emptied; a dead one goes. */
static void test_stages(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	struct stage stage;
	struct stat st;

	assert_int_equal(driver->image_begin(&world->pool, IMAGE, &stage, NULL), 0);
	assert_int_equal(mkdirat(world->pool.dir_fd, ".new-dead", 0700), 0);
	assert_int_equal(driver->trash_empty(&world->pool, NULL), 0);
	assert_int_equal(fstatat(world->pool.dir_fd, stage.name, &st, 0), 0);
	assert_int_equal(fstatat(world->pool.dir_fd, ".new-dead", &st, 0), -1);
	assert_int_equal(driver->image_commit(&world->pool, &stage, NULL), 0);
}

/* S2: a pool whose own directories were replaced by links gives nothing away. */
static void test_link_in_pool(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;

	assert_int_equal(unlinkat(world->pool.dir_fd, "instances", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("/tmp", world->pool.dir_fd, "instances"), 0);
	assert_true(driver->volume_create(&world->pool, "c1", NULL, 0, NULL) < 0);
	assert_true(exists(world, VOLUME_INSTANCE, "c1") < 0);
	assert_int_equal(unlinkat(world->pool.dir_fd, "instances", 0), 0);
}

static void test_cancelled_copy(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	struct err err = { 0 };

	make_image(world);
	world->pool.cancel = always;
	assert_int_equal(driver->volume_create(&world->pool, "c1", IMAGE, 0, &err), -ECANCELED);
	assert_int_equal(err.kind, ERR_CANCELLED);
	world->pool.cancel = NULL;
	assert_int_equal(exists(world, VOLUME_INSTANCE, "c1"), 0);
	assert_int_equal(driver->volume_create(&world->pool, "c1", IMAGE, 0, &err), 0);
}

/* The copy is the image: modes, links, fifos; not the same file. */
static void test_copy_is_faithful(void **state)
{
	struct world *world = *state;
	struct stat a, b, image;
	char text[PATH_MAX];

	make_image(world);
	assert_int_equal(world->pool.driver->volume_create(&world->pool, "c1", IMAGE, 0, NULL), 0);
	int fd = world->pool.dir_fd;
	assert_int_equal(fstatat(fd, "instances/c1/rootfs/file", &a, 0), 0);
	assert_int_equal(fstatat(fd, "instances/c1/rootfs/sub/link", &b, 0), 0);
	assert_int_equal(fstatat(fd, "images/" IMAGE "/rootfs/file", &image, 0), 0);
	assert_true(a.st_ino == b.st_ino && a.st_ino != image.st_ino);
	assert_int_equal(a.st_mode, image.st_mode);
	assert_int_equal(a.st_size, 4);
	assert_int_equal(a.st_mtim.tv_nsec, image.st_mtim.tv_nsec);
	assert_int_equal(fstatat(fd, "instances/c1/rootfs/fifo", &a, 0), 0);
	assert_true(S_ISFIFO(a.st_mode));
	ssize_t len = readlinkat(fd, "instances/c1/rootfs/sub/sym", text, sizeof(text));
	assert_int_equal(len, 11);
	assert_int_equal(fstatat(fd, "instances/c1/rootfs", &a, 0), 0);
	assert_int_equal(a.st_mode & 07777, 0751);
}

static void test_upper_is_like_the_image(void **state)
{
	struct world *world = *state;
	struct stat st;

	make_image(world);
	assert_int_equal(world->pool.driver->volume_create(&world->pool, "c1", IMAGE, 0, NULL), 0);
	assert_int_equal(fstatat(world->pool.dir_fd, "instances/c1/upper", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0751);
	assert_int_equal(fstatat(world->pool.dir_fd, "instances/c1/work", &st, 0), 0);
}

static ino_t inode(struct world *world, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(world->pool.dir_fd, path, &st, 0), 0);
	return st.st_ino;
}

/* What is the same is taken from the older copy; the machine-id is nobody's. */
static void test_refresh(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	struct copy_request copy = {
		.kind = VOLUME_INSTANCE, .volume = "c1", .image = IMAGE, .forget = true
	};
	int fd = world->pool.dir_fd;
	struct stat st;

	make_image(world);
	assert_int_equal(driver->volume_create(&world->pool, "c1", IMAGE, 0, NULL), 0);
	assert_int_equal(mkdirat(fd, "instances/c1/rootfs/etc", 0755), 0);
	assert_int_equal(symlinkat("file", fd, "instances/c1/rootfs/etc/machine-id"), 0);
	put(fd, "instances/c1/rootfs/lone", "same");
	put(fd, "instances/c1/rootfs/gone", "x");
	assert_int_equal(copy_instance(world, &copy, "c2", NULL), 0);
	assert_int_equal(fstatat(fd, "instances/c2/rootfs/file", &st, 0), 0);
	assert_int_equal(st.st_size, 4); /* the link was not followed */
	ino_t lone = inode(world, "instances/c2/rootfs/lone");
	assert_int_equal(unlinkat(fd, "instances/c1/rootfs/etc/machine-id", 0), 0);
	assert_int_equal(unlinkat(fd, "instances/c1/rootfs/gone", 0), 0);
	put(fd, "instances/c1/rootfs/etc/machine-id", "0123456789abcdef");
	put(fd, "instances/c1/rootfs/new", "new");
	copy.older = "c2";
	assert_int_equal(copy_instance(world, &copy, "c2", NULL), 0);
	assert_int_equal(inode(world, "instances/c2/rootfs/lone"), lone);
	assert_true(inode(world, "instances/c1/rootfs/lone") != lone);
	assert_int_equal(fstatat(fd, "instances/c2/rootfs/gone", &st, 0), -1);
	assert_int_equal(fstatat(fd, "instances/c2/rootfs/new", &st, 0), 0);
	assert_int_equal(fstatat(fd, "instances/c2/rootfs/etc/machine-id", &st, 0), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(fstatat(fd, "instances/c1/rootfs/etc/machine-id", &st, 0), 0);
	assert_int_equal(st.st_size, 16);
}

/* A file that the live pass shared with the older copy changes before the last one: C2. */
static void test_refresh_live(void **state)
{
	struct world *world = *state;
	const struct storage_driver *driver = world->pool.driver;
	struct copy_request copy = { .kind = VOLUME_INSTANCE, .volume = "c1", .stage = STAGE };
	const char *path = "instances/c2/rootfs/lone";
	int fd = world->pool.dir_fd;
	char trash[UUID_LEN];
	struct stat st;

	assert_int_equal(driver->volume_create(&world->pool, "c1", NULL, 0, NULL), 0);
	put(fd, "instances/c1/rootfs/lone", "same");
	assert_int_equal(copy_instance(world, &copy, "c2", NULL), 0);
	ino_t lone = inode(world, path);
	copy.older = "c2";
	copy.pass = COPY_LIVE;
	assert_int_equal(driver->copy_fill(&world->pool, &copy, NULL), 0);
	assert_int_equal(inode(world, ".new-" STAGE "/rootfs/lone"), lone);
	assert_int_equal(unlinkat(fd, "instances/c1/rootfs/lone", 0), 0);
	put(fd, "instances/c1/rootfs/lone", "other one");
	copy.pass = COPY_REST;
	copy.since_wall_ns = 1;
	assert_int_equal(driver->copy_fill(&world->pool, &copy, NULL), 0);
	assert_int_equal(inode(world, path), lone);
	assert_int_equal(fstatat(fd, path, &st, 0), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(driver->copy_commit(&world->pool, STAGE, VOLUME_INSTANCE, "c2", trash,
					     NULL),
			 0);
	assert_int_equal(fstatat(fd, path, &st, 0), 0);
	assert_int_equal(st.st_size, 9);
	assert_int_equal(driver->volume_free(&world->pool, trash, NULL), 0);
}

/* From one pool to another: what stands on an image cannot be taken. */
static void test_copy_across(void **state)
{
	struct world *world = *state;
	struct world *other = NULL;
	const struct storage_driver *driver = world->pool.driver;
	struct copy_request request = { .kind = VOLUME_CUSTOM, .volume = CUSTOM, .stage = STAGE };
	struct err err = { 0 };
	char trash[UUID_LEN];

	(void)setup_dir((void **)&other);
	assert_true(copy_across(&world->pool, &request, &other->pool, &err) < 0);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	make_custom(world, CUSTOM, "text");
	assert_int_equal(copy_across(&world->pool, &request, &other->pool, &err), 0);
	assert_int_equal(copy_across(&world->pool, &request, &other->pool, &err), 0);
	assert_int_equal(driver->copy_commit(&other->pool, STAGE, VOLUME_CUSTOM, CUSTOM2, trash,
					     NULL),
			 0);
	assert_true(says(other, CUSTOM2, "text"));
	make_image(world);
	assert_int_equal(driver->volume_create(&world->pool, "c1", IMAGE, 0, NULL), 0);
	request = (struct copy_request){ .kind = VOLUME_INSTANCE, .volume = "c1", .stage = STAGE };
	assert_true(copy_across(&world->pool, &request, &other->pool, &err) < 0);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	(void)teardown((void **)&other);
}

/* Of an instance that runs: a root in one pool, while it changes, to a stage in another. */
static void test_passes_across(void **state)
{
	struct world *world = *state;
	struct world *other = NULL;
	struct copy_request request = {
		.kind = VOLUME_INSTANCE, .volume = "c1", .stage = STAGE, .pass = COPY_LIVE
	};
	struct err err = { 0 };
	struct stat st;
	char trash[UUID_LEN];
	int fd = world->pool.dir_fd;

	(void)setup_overlay((void **)&other);
	int to = other->pool.dir_fd;
	assert_int_equal(world->pool.driver->volume_create(&world->pool, "c1", NULL, 0, NULL), 0);
	put(fd, "instances/c1/rootfs/stays", "same");
	put(fd, "instances/c1/rootfs/goes", "text");
	assert_int_equal(copy_across(&world->pool, &request, &other->pool, NULL), 0);
	assert_int_equal(fstatat(to, ".new-" STAGE "/rootfs/goes", &st, 0), 0);
	ino_t stays = inode(other, ".new-" STAGE "/rootfs/stays");
	assert_int_equal(unlinkat(fd, "instances/c1/rootfs/goes", 0), 0);
	put(fd, "instances/c1/rootfs/comes", "text");
	request.pass = COPY_REST;
	request.since_wall_ns = INT64_MAX; /* nothing that was there has changed */
	assert_int_equal(copy_across(&world->pool, &request, &other->pool, NULL), 0);
	assert_int_equal(fstatat(to, ".new-" STAGE "/rootfs/goes", &st, 0), -1);
	assert_int_equal(fstatat(to, ".new-" STAGE "/rootfs/comes", &st, 0), 0);
	assert_int_equal(inode(other, ".new-" STAGE "/rootfs/stays"), stays);
	assert_int_equal(other->pool.driver->copy_commit(&other->pool, STAGE, VOLUME_INSTANCE, "c2",
							 trash, NULL),
			 0);
	assert_true(copy_across(&world->pool, &request, &other->pool, &err) < 0);
	assert_int_equal(err.kind, ERR_NOT_FOUND); /* the stage became a volume */
	/* brought up to date: what is the same is taken from what is there, where links reach it */
	request.pass = COPY_LIVE;
	request.older = "c2";
	assert_int_equal(copy_across(&world->pool, &request, &other->pool, NULL), 0);
	bool projects =
		other->pool.driver->pool_quota(&other->pool, &(const char *){ NULL }, NULL) == 0;
	assert_int_equal(inode(other, ".new-" STAGE "/rootfs/stays") == stays, !projects);
	request.older = "c3";
	assert_true(copy_across(&world->pool, &request, &other->pool, &err) < 0);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	(void)teardown((void **)&other);
}

static void test_mock_fails_once(void **state)
{
	struct world *world = *state;

	world->mock.fail_slot = "volume_create";
	world->mock.fail_code = -ENOSPC;
	const struct storage_driver *driver = world->pool.driver;
	assert_int_equal(driver->volume_create(&world->pool, "c1", NULL, 0, NULL), -ENOSPC);
	assert_int_equal(driver->volume_create(&world->pool, "c1", NULL, 0, NULL), 0);
}

static void test_trace_tells(void **state)
{
	struct world *world = *state;

	make_image(world);
	assert_int_equal(world->n_lines, 2);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest btrfs_tests[] = { CONTRACT(btrfs) };
	const struct CMUnitTest tests[] = {
		CONTRACT(mock),
		CONTRACT(dir),
		CONTRACT(overlay),
		CONTRACT(trace),
		cmocka_unit_test_setup_teardown(test_stages, setup_dir, teardown),
		cmocka_unit_test_setup_teardown(test_link_in_pool, setup_overlay, teardown),
		cmocka_unit_test_setup_teardown(test_cancelled_copy, setup_dir, teardown),
		cmocka_unit_test_setup_teardown(test_copy_is_faithful, setup_dir, teardown),
		cmocka_unit_test_setup_teardown(test_upper_is_like_the_image, setup_overlay,
						teardown),
		cmocka_unit_test_setup_teardown(test_refresh, setup_dir, teardown),
		cmocka_unit_test_setup_teardown(test_refresh_live, setup_dir, teardown),
		cmocka_unit_test_setup_teardown(test_copy_across, setup_overlay, teardown),
		cmocka_unit_test_setup_teardown(test_passes_across, setup_dir, teardown),
		cmocka_unit_test_setup_teardown(test_mock_fails_once, setup_mock, teardown),
		cmocka_unit_test_setup_teardown(test_trace_tells, setup_trace, teardown),
	};

	if (argc > 1)
		base_dir = argv[1];
	if (argc == 2)
		return cmocka_run_group_tests(btrfs_tests, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
