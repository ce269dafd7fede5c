/* unpack/job_side_read.c - JOB_SIDE_READ: the side files of a pool, and what of that is there */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"
#include "spec/recovery.h"
#include "storage/pool_look.h"
#include "storage/side.h"
#include "unpack/guard.h"
#include "unpack/jobs.h"

struct text {
	enum side_kind kind;
	char *name;
	char *problem;
	struct buf bytes;
};

struct texts {
	VEC(struct text) list;
	enum side_kind kind; /* of those that are being read */
	int out_fd;	     /* of the sandbox */
};

static void take(void *data, const char *name, const struct buf *text, const char *problem)
{
	struct texts *texts = data;
	struct text *one = vec_push(&texts->list);

	one->kind = texts->kind;
	one->name = xstrdup(name);
	one->problem = xstrdup(problem);
	if (text)
		buf_add(&one->bytes, text->data, text->len);
}

static void texts_done(struct texts *texts)
{
	vec_for_each(text, &texts->list) {
		free(text->name);
		free(text->problem);
		buf_done(&text->bytes);
	}
	free(texts->list.items);
}

static int read_texts(struct pool *pool, struct texts *texts, struct err *err)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	int r = side_read_pool(pool->dir_fd, RECOVERY_FILE_BYTES_MAX, &text);

	texts->kind = SIDE_POOL;
	if (r != -ENOENT)
		take(texts, "", r < 0 ? NULL : &text, r < 0 ? strerror(-r) : NULL);
	for (texts->kind = SIDE_INSTANCE; texts->kind < SIDE_POOL; texts->kind++) {
		r = side_read_all(pool, texts->kind, RECOVERY_FILES_MAX, RECOVERY_FILE_BYTES_MAX,
				  take, texts, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- in the sandbox ---- */

static void parse_item(const struct text *text, struct recovery_item *item)
{
	bool custom = text->kind == SIDE_CUSTOM;
	struct err err = { 0 };
	int r = 0;

	item->name = xstrdup(text->name);
	item->problem = xstrdup(text->problem);
	if (!item->problem)
		r = (custom ? backup_parse_volume_index : backup_parse_index)(text->bytes.data,
									      text->bytes.len,
									      &item->index, &err);
	if (r < 0)
		item->problem = xstrdup(err.msg);
}

static void parse_pool(const struct text *text, struct recovery *recovery)
{
	struct err err = { 0 };

	recovery->pool_problem = xstrdup(text->problem);
	if (!text->problem &&
	    pool_record_parse(text->bytes.data, text->bytes.len, &recovery->pool, &err) < 0)
		recovery->pool_problem = xstrdup(err.msg);
}

static void parse(const struct text *text, struct recovery *recovery)
{
	if (text->kind == SIDE_POOL)
		parse_pool(text, recovery);
	else if (text->kind == SIDE_CUSTOM)
		parse_item(text, vec_push(&recovery->volumes));
	else
		parse_item(text, vec_push(&recovery->items));
}

static int parse_all(void *data, struct report *report, struct err *err)
{
	const struct texts *texts = data;
	struct recovery recovery = { 0 };
	struct buf bytes = { 0 };
	int r;

	(void)report;
	vec_for_each(text, &texts->list)
		parse(text, &recovery);
	wire_encode(&recovery_schema, &recovery, &bytes);
	r = fd_write_all(texts->out_fd, bytes.data, bytes.len);
	if (r < 0)
		(void)err_set(err, r, "hand over what the side files say");
	buf_done(&bytes);
	wire_free(&recovery_schema, &recovery);
	return r;
}

/* ---- outside ---- */

/* Beside the side files: the pool, and what is known of it without them. */
struct looked {
	struct pool pool;
	char uuid[BTRFS_UUID_LEN];
};

static bool is_missing(struct pool *pool, enum volume_kind kind, const char *name)
{
	return str_empty(name) || pool->driver->volume_exists(pool, kind, name, NULL) != 1;
}

static void look_for(struct pool *pool, enum volume_kind kind, struct recovery_item *item)
{
	if (item->problem)
		return;
	strmap_for_each(entry, &item->index.images)
	{
		if (is_missing(pool, VOLUME_IMAGE, entry->value))
			strv_push_take(&item->missing,
				       xasprintf("image %.12s", (const char *)entry->value));
	}
	vec_for_each(snapshot, &item->index.snapshots) {
		const char *volume = strmap_get(&item->index.volumes, snapshot->name);

		if (is_missing(pool, VOLUME_SNAPSHOT, volume))
			strv_push_take(&item->missing, xasprintf("snapshot %s", snapshot->name));
	}
	item->is_there = !is_missing(pool, kind, item->name);
}

/* What it says of itself is worth less than what is seen. */
static const struct storage_driver *choose_driver(const struct job *job, const struct pool *pool,
						  const struct recovery *recovery)
{
	const struct storage_driver *driver;

	if (job->pool.driver && !streq(job->pool.driver, "auto"))
		return storage_driver_find(job->pool.driver);
	if (job->pool.disk)
		return storage_driver_find("btrfs");
	driver = pool_tell_driver(pool);
	if (!driver && recovery->pool.driver)
		driver = storage_driver_find(recovery->pool.driver);
	return driver;
}

static int look_for_all(const struct job *job, struct looked *looked, struct recovery *recovery,
			struct err *err)
{
	struct pool *pool = &looked->pool;

	pool->driver = choose_driver(job, pool, recovery);
	if (!recovery->pool.name && !pool_looks_like_one(pool))
		return err_kind(err, ERR_NOT_FOUND, "there is no storage pool in \"%s\"",
				pool->dir);
	if (!pool->driver)
		return err_kind(
			err, ERR_INVALID,
			"nothing in \"%s\" tells which driver made the storage pool: name it "
			"(--driver overlay, btrfs or dir)",
			pool->dir);
	replace_str(&recovery->driver, pool->driver->name);
	replace_str(&recovery->uuid, str_empty(looked->uuid) ? NULL : looked->uuid);
	vec_for_each(item, &recovery->items)
		look_for(pool, VOLUME_INSTANCE, item);
	vec_for_each(volume, &recovery->volumes)
		look_for(pool, VOLUME_CUSTOM, volume);
	return 0;
}

/* What the sandbox wrote is a stranger's until it has been decoded. */
static int complete(const struct job *job, struct looked *looked, int fd, struct err *err)
{
	struct recovery recovery = { 0 };
	struct buf bytes = { 0 };
	int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : fd_read_all(fd, RECOVERY_BYTES_MAX, &bytes);

	if (r < 0)
		(void)err_set(err, r, "take over what the side files say");
	else
		r = wire_decode(&recovery_schema, bytes.data, bytes.len, &recovery, err);
	bytes.len = 0;
	if (r == 0)
		r = look_for_all(job, looked, &recovery, err);
	if (r == 0) {
		wire_encode(&recovery_schema, &recovery, &bytes);
		r = fd_write_all(STDOUT_FILENO, bytes.data, bytes.len);
		if (r < 0)
			(void)err_set(err, r, "hand over what the side files say");
	}
	buf_done(&bytes);
	wire_free(&recovery_schema, &recovery);
	return r;
}

static void looked_done(struct looked *looked)
{
	pool_close(&looked->pool);
}

int job_side_read(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(looked_done) struct looked looked = { .pool.dir_fd = -EBADF };
	_cleanup_(fd_closep) int fd = memfd_create("recovery", MFD_CLOEXEC);
	_cleanup_(texts_done) struct texts texts = { .out_fd = fd };
	const struct pool_request request = { .name = job->pool.name,
					      .dir = job->pool.dir,
					      .disk = job->pool.disk,
					      .uuid = job->pool.uuid };
	const struct guard_job guard = {
		.name = "side-read",
		.id_base = job->id_base,
		.id_count = job->id_count,
		.root_fd = -EBADF,
		.keep_fds = &texts.out_fd,
		.n_keep_fds = 1,
	};
	int r = pool_look(&request, &looked.pool, looked.uuid, err);

	if (r == 0 && fd < 0)
		r = err_set(err, -errno, "make a memory file");
	if (r == 0)
		r = read_texts(&looked.pool, &texts, err);
	if (r == 0)
		r = guard_run(&guard, parse_all, &texts, report, err);
	return r < 0 ? r : complete(job, &looked, fd, err);
}
