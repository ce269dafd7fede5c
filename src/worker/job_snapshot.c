/* worker/job_snapshot.c - the jobs on snapshots and on what is restored from them */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "base/macro.h"
#include "base/str.h"
#include "os/layers.h"
#include "storage/pool.h"
#include "storage/transfer.h"
#include "worker/jobs.h"

static bool ask_report(void *data)
{
	return report_cancelled(data);
}

/* What job->snapshot, else job->volume is. */
static enum volume_kind kind_of(const struct job *job)
{
	if (job->snapshot)
		return VOLUME_SNAPSHOT;
	return job->custom ? VOLUME_CUSTOM : VOLUME_INSTANCE;
}

static int open_pool(const struct job *job, struct report *report, struct pool *ret_pool,
		     struct err *err)
{
	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, ret_pool, err);

	if (r < 0)
		return r;
	ret_pool->cancel = ask_report;
	ret_pool->cancel_data = report;
	ret_pool->reserve_bytes = job->reserve_bytes;
	return 0;
}

/* From another pool. */
static int copy_across_pools(const struct job *job, const struct copy_request *request,
			     struct report *report, struct err *err)
{
	const struct job_pool *pool = &job->from_pool;
	_cleanup_(pool_close) struct pool from = { .dir_fd = -EBADF };
	_cleanup_(pool_close) struct pool to = { .dir_fd = -EBADF };
	const struct transfer transfer = { .from = &from,
					   .to = &to,
					   .from_stage = !job->snapshot && !job->from_volume,
					   .keep_layer = job->keep_layer,
					   .request = *request };
	bool merges = request->pass == COPY_WHOLE && request->image && !job->keep_layer;
	int r = merges ? layers_begin(err) : 0; /* before directories are opened */

	if (merges)
		report->stays = false; /* what it mounts goes with it */
	if (r == 0)
		r = pool_open(pool->name, pool->driver, pool->dir, &from, err);
	if (r == 0)
		r = open_pool(job, report, &to, err);
	return r < 0 ? r : transfer_volume(&transfer, err);
}

int job_snapshot_copy(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -EBADF };
	const struct copy_request request = {
		.kind = kind_of(job),
		.volume = job->snapshot	     ? job->snapshot
			  : job->from_volume ? job->from_volume
					     : job->volume,
		.stage = job->stage,
		.older = job->refresh ? job->volume : NULL,
		.forget = job->forget,
		.image = job->image,
		.pass = job->pass < COPY_PASS_MAX ? job->pass : COPY_WHOLE,
		.since_wall_ns = job->since_wall_ns,
	};
	int r;

	report_stage(report, request.pass == COPY_REST ? "copy-rest" : "copy");
	if (job->from_pool.dir)
		return copy_across_pools(job, &request, report, err);
	r = open_pool(job, report, &pool, err);
	return r < 0 ? r : pool.driver->copy_fill(&pool, &request, err);
}

static int report_size(struct pool *pool, const char *snapshot, struct report *report,
		       struct err *err)
{
	uint64_t bytes;
	char text[24];
	int r = pool->driver->volume_usage(pool, VOLUME_SNAPSHOT, snapshot, &bytes, err);

	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "%" PRIu64, bytes);
	report_result(report, "size", text);
	return 0;
}

int job_snapshot_commit(const struct job *job, struct report *report, struct err *err)
{
	const struct volume_limit limit = { .stage = job->stage, .bytes = job->size_bytes };
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -EBADF };
	char trash[UUID_LEN];
	int r = open_pool(job, report, &pool, err);

	if (r < 0)
		return r;
	/* what does not fit is refused before anything is exchanged */
	if (job->size_bytes > 0)
		r = pool.driver->volume_limit(&pool, &limit, err);
	if (r < 0)
		return r;
	r = pool.driver->copy_commit(&pool, job->stage, kind_of(job),
				     job->snapshot ? job->snapshot : job->volume, trash, err);
	if (r < 0)
		return r;
	if (job->snapshot)
		return report_size(&pool, job->snapshot, report, err);
	report_result(report, "replaced", "true");
	report_flush(report);
	return trash[0] != '\0' ? pool.driver->volume_free(&pool, trash, err) : 0;
}

/* All are hidden before the space of one is freed; a copy in the making may have the name of its volume. */
int hide_snapshots(struct pool *pool, const struct job *job, char ***ret_trash, struct err *err)
{
	for (char **snapshot = job->snapshots; snapshot && *snapshot; snapshot++) {
		char trash[UUID_LEN];
		int r = pool->driver->copy_abort(pool, *snapshot, err);

		if (r == 0)
			r = pool->driver->volume_hide(pool, VOLUME_SNAPSHOT, *snapshot, trash, err);
		if (r < 0)
			return r;
		if (r == 0)
			strv_push(ret_trash, trash);
	}
	return 0;
}

int free_trash(struct pool *pool, char *const *trash, struct err *err)
{
	int first = 0;

	for (; trash && *trash; trash++) {
		int r = pool->driver->volume_free(pool, *trash, err);

		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}

int job_snapshot_delete(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -EBADF };
	_cleanup_(strv_freep) char **trash = NULL;
	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &pool, err);

	if (r == 0 && job->stage)
		r = pool.driver->copy_abort(&pool, job->stage, err);
	if (r == 0)
		r = hide_snapshots(&pool, job, &trash, err);
	if (r < 0)
		return r;
	report_result(report, "hidden", "true");
	report_flush(report);
	return free_trash(&pool, trash, err);
}
