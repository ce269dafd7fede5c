/* unpack/job_side_read.c - JOB_SIDE_READ: the side files of a pool, and what of them is there */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"
#include "spec/recovery.h"
#include "storage/side.h"
#include "unpack/guard.h"
#include "unpack/jobs.h"

struct text {
	char *instance;
	char *problem;
	struct buf bytes;
};

struct texts {
	VEC(struct text) list;
	int out_fd; /* of the sandbox */
};

static void take(void *data, const char *instance, const struct buf *text, const char *problem)
{
	struct text *one = vec_push(&((struct texts *)data)->list);

	one->instance = xstrdup(instance);
	one->problem = xstrdup(problem);
	if (text)
		buf_add(&one->bytes, text->data, text->len);
}

static void texts_done(struct texts *texts)
{
	vec_for_each(text, &texts->list) {
		free(text->instance);
		free(text->problem);
		buf_done(&text->bytes);
	}
	free(texts->list.items);
}

/* ---- in the sandbox ---- */

static void parse(const struct text *text, struct recovery_item *item)
{
	struct err err = { 0 };

	item->name = xstrdup(text->instance);
	item->problem = xstrdup(text->problem);
	if (!item->problem &&
	    backup_parse_index(text->bytes.data, text->bytes.len, &item->index, &err) < 0)
		item->problem = xstrdup(err.msg);
}

static int parse_all(void *data, struct report *report, struct err *err)
{
	const struct texts *texts = data;
	struct recovery recovery = { 0 };
	struct buf bytes = { 0 };
	int r;

	(void)report;
	vec_for_each(text, &texts->list)
		parse(text, vec_push(&recovery.items));
	wire_encode(&recovery_schema, &recovery, &bytes);
	r = fd_write_all(texts->out_fd, bytes.data, bytes.len);
	if (r < 0)
		(void)err_set(err, r, "hand over what the side files say");
	buf_done(&bytes);
	wire_free(&recovery_schema, &recovery);
	return r;
}

/* ---- outside ---- */

static bool is_missing(struct pool *pool, enum volume_kind kind, const char *name)
{
	return str_empty(name) || pool->driver->volume_exists(pool, kind, name, NULL) != 1;
}

static void look_for(struct pool *pool, struct recovery_item *item)
{
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
	item->is_there = !is_missing(pool, VOLUME_INSTANCE, item->name);
}

/* What the sandbox wrote is a stranger's until it has been decoded. */
static int complete(struct pool *pool, int fd, struct err *err)
{
	struct recovery recovery = { 0 };
	struct buf bytes = { 0 };
	int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : fd_read_all(fd, RECOVERY_BYTES_MAX, &bytes);

	if (r < 0)
		(void)err_set(err, r, "take over what the side files say");
	else
		r = wire_decode(&recovery_schema, bytes.data, bytes.len, &recovery, err);
	bytes.len = 0;
	vec_for_each(item, &recovery.items)
		if (r == 0 && !item->problem)
			look_for(pool, item);
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

int job_side_read(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -1 };
	_cleanup_(fd_closep) int fd = memfd_create("recovery", MFD_CLOEXEC);
	_cleanup_(texts_done) struct texts texts = { .out_fd = fd };
	const struct guard_job guard = {
		.name = "side-read",
		.id_base = job->id_base,
		.id_count = job->id_count,
		.root_fd = -EBADF,
		.keep_fds = &texts.out_fd,
		.n_keep_fds = 1,
	};
	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &pool, err);

	if (r == 0 && fd < 0)
		r = err_set(err, -errno, "make a memory file");
	if (r == 0)
		r = side_read_all(&pool, RECOVERY_FILES_MAX, RECOVERY_FILE_BYTES_MAX, take, &texts,
				  err);
	if (r == 0)
		r = guard_run(&guard, parse_all, &texts, report, err);
	return r < 0 ? r : complete(&pool, fd, err);
}
