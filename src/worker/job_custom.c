/* worker/job_custom.c - the jobs on custom volumes that those on instances' do not do as well */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "base/macro.h"
#include "os/fd.h"
#include "storage/copy.h"
#include "storage/pool.h"
#include "worker/jobs.h"

/* What is made in pool; from is the same one, or another. */
struct making {
	struct pool pool, other;
	struct pool *from;
	struct report *report;
	uint64_t size_bytes; /* of the volume itself; 0: none */
};

static bool ask_report(void *data)
{
	return report_cancelled(data);
}

static int open_pools(struct making *m, const struct job *job, struct err *err)
{
	const struct job_pool *from = &job->from_pool;
	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &m->pool, err);

	if (r == 0 && from->dir)
		r = pool_open(from->name, from->driver, from->dir, &m->other, err);
	if (r < 0)
		return r;
	m->from = from->dir ? &m->other : &m->pool;
	m->pool.cancel = ask_report;
	m->pool.cancel_data = m->report;
	m->pool.reserve_bytes = job->reserve_bytes;
	m->size_bytes = job->size_bytes;
	return 0;
}

static int make_empty(struct pool *pool, const char *stage, struct err *err)
{
	struct copy_stage begun;
	int r = pool->driver->copy_abort(pool, stage, err);

	if (r == 0)
		r = copy_check_space(pool, err);
	if (r == 0)
		r = pool->driver->copy_begin(pool, stage, &begun, err);
	if (r < 0)
		return r;
	(void)fd_close(begun.root_fd);
	(void)fd_close(begun.fd);
	return 0;
}

/* One volume, complete when it is seen; its stage has its own uuid. @request: NULL: an empty one. */
static int make_one(struct making *m, enum volume_kind kind, const char *volume,
		    const struct copy_request *request, struct err *err)
{
	const struct storage_driver *driver = m->pool.driver;
	char trash[UUID_LEN];
	int r = driver->volume_exists(&m->pool, kind, volume, err);

	if (r != 0)
		return r < 0 ? r : 0; /* done already: S3 */
	if (!request)
		r = make_empty(&m->pool, volume, err);
	else if (m->from == &m->pool)
		r = driver->copy_fill(&m->pool, request, err);
	else
		r = copy_across(m->from, request, &m->pool, err);
	if (r == 0 && kind == VOLUME_CUSTOM && m->size_bytes > 0)
		r = driver->volume_limit(&m->pool,
					 &(struct volume_limit){ .stage = volume,
								 .bytes = m->size_bytes },
					 err);
	if (r == 0)
		r = driver->copy_commit(&m->pool, volume, kind, volume, trash, err);
	return MIN(r, 0);
}

static int make_snapshots(struct making *m, const struct strmap *volumes, struct err *err)
{
	strmap_for_each(entry, volumes)
	{
		const struct copy_request request = { .kind = VOLUME_SNAPSHOT,
						      .volume = entry->key,
						      .stage = entry->value };
		int r = make_one(m, VOLUME_SNAPSHOT, entry->value, &request, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int job_custom_create(const struct job *job, struct report *report, struct err *err)
{
	struct making m = { .pool.dir_fd = -EBADF, .other.dir_fd = -EBADF, .report = report };
	const struct copy_request request = {
		.kind = job->snapshot ? VOLUME_SNAPSHOT : VOLUME_CUSTOM,
		.volume = job->snapshot ? job->snapshot : job->from_volume,
		.stage = job->volume,
		.pass = job->pass == COPY_LIVE ? COPY_LIVE : COPY_WHOLE,
	};
	int r = open_pools(&m, job, err);

	if (r == 0 && request.volume)
		report_stage(report, "copy");
	if (r == 0)
		r = make_snapshots(&m, &job->properties, err);
	if (r == 0)
		r = make_one(&m, VOLUME_CUSTOM, job->volume, request.volume ? &request : NULL, err);
	pool_close(&m.pool);
	pool_close(&m.other);
	return r;
}

static int measure(const struct job *job, enum volume_kind kind, struct report *report,
		   struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -EBADF };
	uint64_t bytes;
	char text[24];
	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &pool, err);

	if (r < 0)
		return r;
	pool.cancel = ask_report;
	pool.cancel_data = report;
	r = pool.driver->volume_usage(&pool, kind, job->volume, &bytes, err);
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "%" PRIu64, bytes);
	report_result(report, "size", text);
	return 0;
}

int job_custom_usage(const struct job *job, struct report *report, struct err *err)
{
	return measure(job, VOLUME_CUSTOM, report, err);
}

int job_instance_usage(const struct job *job, struct report *report, struct err *err)
{
	return measure(job, VOLUME_INSTANCE, report, err);
}
