/*
 * worker/job_pool_prepare.c - JOB_POOL_PREPARE: a pool ready for use after whatever happened;
 * JOB_POOL_CREATE: a new one; JOB_POOL_GROW: more space for one in a file
 */
#include <stdlib.h>

#include "base/macro.h"
#include "base/mem.h"
#include "os/reflink.h"
#include "storage/pool.h"
#include "storage/pool_disk.h"
#include "storage/pool_make.h"
#include "worker/jobs.h"

enum {
	TRIAL_ID_BASE = 0x7fff0000, /* when the daemon names none: far from everybody's ranges */
	TRIAL_ID_COUNT = 65536
};

typedef int make_fn(const struct pool_request *request, struct pool *ret_pool, struct err *err);

/* Without quotas or reflinks a pool is as good as any. */
static void report_abilities(struct pool *pool, struct report *report)
{
	struct err err = { 0 };
	const char *how = NULL;
	int r = pool->driver->pool_quota(pool, &how, &err);
	_cleanup_(freep) char *text =
		r == 0 ? xasprintf("yes: %s", how) : xasprintf("no: %s", err_text(&err, r));

	report_result(report, "quotas", text);
	report_result(report, "reflinks", reflink_probe(pool->dir_fd) > 0 ? "true" : "false");
}

static int make(const struct job *job, make_fn *how, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -1 };
	struct pool_request request = {
		.name = job->pool.name,
		.driver = job->pool.driver,
		.dir = job->pool.dir,
		.ids = { job->id_base, job->id_count },
		.disk = job->pool.disk,
		.uuid = job->pool.uuid,
		.size_bytes = job->size_bytes,
		.wipe = job->pool.wipe,
		.full_quotas = job->pool.full_quotas,
		.made = job->pool.made,
	};

	if (request.ids.base == 0 || request.ids.count == 0)
		request.ids = (struct storage_ids){ TRIAL_ID_BASE, TRIAL_ID_COUNT };
	int r = how(&request, &pool, err);
	if (r < 0)
		return r;
	report_result(report, "driver", pool.driver->name);
	report_abilities(&pool, report);
	return 0;
}

int job_pool_prepare(const struct job *job, struct report *report, struct err *err)
{
	return make(job, pool_prepare, report, err);
}

int job_pool_create(const struct job *job, struct report *report, struct err *err)
{
	return make(job, pool_create, report, err);
}

int job_pool_grow(const struct job *job, struct report *report, struct err *err)
{
	const struct pool_request request = {
		.name = job->pool.name,
		.dir = job->pool.dir,
		.disk = job->pool.disk,
		.uuid = job->pool.uuid,
		.size_bytes = job->size_bytes,
	};

	(void)report;
	if (!job->pool.own_disk)
		return err_kind(err, ERR_INVALID, "the pool is in no file of its own");
	return pool_disk_grow(&request, err);
}
