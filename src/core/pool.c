/* core/pool.c - see pool.h */
#include "core/pool.h"

#include <errno.h>
#include <stdlib.h>

#include "aio/timer.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/job.h"
#include "core/pool_files.h"
#include "core/space.h"
#include "core/warning.h"
#include "db/pools.h"
#include "spec/daemon_config.h"
#include "spec/device.h"
#include "spec/idrange.h"
#include "storage/policy.h"

int pool_find(struct core *core, const char *name, struct pool_record **ret_pool, struct err *err)
{
	struct pool_record *pool = strmap_get(&core->pools, name);

	if (!pool)
		return err_kind(err, ERR_NOT_FOUND, "Storage pool not found: \"%s\"", name);
	*ret_pool = pool;
	return 0;
}

char *pool_dir(const struct core *core, const struct pool_record *pool)
{
	const char *source = strmap_get(&pool->config, "source");

	if (!str_empty(source) && !strmap_has(&pool->config, "volatile.disk"))
		return xstrdup(source);
	return xasprintf("%s/pools/%s", core->dirs.state, pool->name);
}

char *pool_shown_source(const struct core *core, const struct pool_record *pool)
{
	const char *source = strmap_get(&pool->config, "source");

	if (str_empty(source))
		source = strmap_get(&pool->config, "volatile.disk");
	return source ? xstrdup(source) : pool_dir(core, pool);
}

void pool_fill_job_anyway(struct core *core, const struct pool_record *pool, struct job *job)
{
	const char *source = strmap_get(&pool->config, "source");

	job->pool.name = xstrdup(pool->name);
	job->pool.driver = xstrdup(pool->driver);
	job->pool.dir = pool_dir(core, pool);
	job->pool.disk = xstrdup(strmap_get(&pool->config, "volatile.disk"));
	job->pool.uuid = xstrdup(strmap_get(&pool->config, "volatile.uuid"));
	job->pool.own_disk = job->pool.disk && str_empty(source);
	job->pool.own_dir = str_empty(source) || job->pool.disk;
	job->id_base = core->config->idmap_base;
	job->id_count = IDRANGE_COUNT;
	job->reserve_bytes = space_reserve(core, &job->pool);
}

int pool_fill_job(struct core *core, const char *name, struct job *job, struct err *err)
{
	struct pool_record *pool = NULL;
	int r = pool_find(core, name, &pool, err);

	if (r < 0)
		return r;
	r = pool_check_available(core, pool, err);
	if (r == 0)
		pool_fill_job_anyway(core, pool, job);
	return r;
}

/* Why it could not be prepared; NULL: nobody says. Borrowed. */
static const char *reason_of(struct core *core, const struct pool_record *pool)
{
	_cleanup_(freep) char *entity = xasprintf("storage-pools/%s", pool->name);
	_cleanup_(freep) char *what = xasprintf("prepare storage pool \"%s\": ", pool->name);
	const char *why = core_warning_text(core, POOL_WARNING, entity);
	const char *short_why = why ? str_after(why, what) : NULL;

	return short_why ? short_why : why;
}

int pool_check_available(struct core *core, const struct pool_record *pool, struct err *err)
{
	const char *why;

	if (streq(pool->status, "Created"))
		return 0;
	why = reason_of(core, pool);
	return err_kind(err, ERR_UNAVAILABLE, "storage pool \"%s\" is not available%s%s",
			pool->name, why ? ": " : "", why ? why : "");
}

int pool_check_there(struct core *core, const char *name, struct err *err)
{
	struct pool_record *pool = NULL;
	int r = pool_find(core, name, &pool, err);

	return r < 0 ? r : pool_check_available(core, pool, err);
}

bool pool_is_lost(const struct pool_record *pool)
{
	return streq(pool->status, "Unavailable");
}

int pool_check_removal(struct core *core, const char *name, const char *what, bool forget,
		       struct err *err)
{
	struct pool_record *pool = NULL;
	struct err why = { 0 };
	int r = pool_find(core, name, &pool, err);

	if (r < 0)
		return r;
	if (forget)
		return pool_is_lost(pool)
			       ? 0
			       : err_kind(err, ERR_INVALID,
					  "storage pool \"%s\" is available: delete the %s without "
					  "--forget",
					  name, what);
	if (pool_check_available(core, pool, &why) == 0)
		return 0;
	return err_kind(
		err, ERR_UNAVAILABLE,
		"%s; when it is back: sysctr admin recover --apply %s; when it is gone for good, "
		"--forget takes the %s out of the database and leaves what is there",
		why.msg, name, what);
}

void pool_tell_left(struct op *op, const char *name, const char *what)
{
	const struct pool_record *pool = strmap_get(&op->core->pools, name);
	_cleanup_(freep) char *source = pool ? pool_shown_source(op->core, pool) : NULL;

	strmap_set_take(
		&op->metadata, "left_behind",
		xasprintf("%s stays on storage pool \"%s\" (%s); if that comes back, sysctr "
			  "admin recover finds it",
			  what, name, source ? source : ""));
}

int pool_fill_from(struct core *core, const char *name, struct job *job, struct err *err)
{
	struct job from = { 0 };
	int r = pool_fill_job(core, name, &from, err);

	if (r == 0) {
		job->from_pool = from.pool;
		from.pool = (struct job_pool){ 0 };
	}
	wire_free(&job_schema, &from);
	return r;
}

struct pool_capabilities pool_capabilities(const struct pool_record *pool)
{
	uint32_t caps = 0;

	(void)storage_driver_caps(pool->driver, &caps, NULL); /* "auto": nothing is known yet */
	return (struct pool_capabilities){
		.shared_images = caps & (STORAGE_CAP_SHARED_IMAGE | STORAGE_CAP_SNAPSHOT),
		.layers = caps & STORAGE_CAP_SHARED_IMAGE,
		.fast_snapshots = caps & STORAGE_CAP_SNAPSHOT,
		.reflinks = pool->reflinks,
		.quotas = pool->quotas ? pool->quotas : "no: the pool is not available",
	};
}

void pool_take_abilities(struct pool_record *pool, const struct job_report *report)
{
	replace_str(&pool->quotas, strmap_get(&report->result, "quotas"));
	pool->reflinks = streq(strmap_get(&report->result, "reflinks"), "true");
}

int pool_check_quotas(const struct pool_record *pool, struct err *err)
{
	const char *quotas = pool_capabilities(pool).quotas;
	const char *why = str_after(quotas, "no: ");

	return why ? err_kind(err, ERR_UNSUPPORTED,
			      "storage pool \"%s\" (%s) cannot limit its size: %s; "
			      "leave \"size\" out",
			      pool->name, pool->driver, why)
		   : 0;
}

int pool_check_root(struct core *core, const struct strmap *device, struct err *err)
{
	const char *name = device_get(device, "pool", POOL_DEFAULT);
	struct pool_record *pool = NULL;
	int r;

	if (!device_get(device, "size", NULL))
		return 0;
	r = pool_find(core, name, &pool, err);
	return r < 0 ? r : pool_check_quotas(pool, err);
}

int pool_fill_root(struct core *core, const struct inst_record *record, struct inst_spec *spec,
		   struct err *err)
{
	_cleanup_(freep) char *dir = NULL;
	struct pool_record *pool = NULL;
	int r = pool_find(core, record->pool, &pool, err);

	if (r < 0)
		return r;
	dir = pool_dir(core, pool);
	return storage_fill_root(pool->driver, dir, record->name, record->image_fingerprint, spec,
				 err);
}

/* ---- preparing ---- */

static void free_preparing(void *data)
{
	struct pool_preparing *args = data;

	free(args->pool);
	free(args);
}

/* The driver that "auto" came down to is stored, so that later starts do not change it. */
int pool_store_driver(struct core *core, struct pool_record *pool, const char *driver,
		      struct err *err)
{
	_cleanup_(pool_record_freep) struct pool_record *copy = NULL;
	int r;

	if (!driver || streq(pool->driver, driver))
		return 0;
	copy = pool_record_copy(pool);
	replace_str(&copy->driver, driver);
	r = db_pool_update(core->db, copy, err);
	if (r == 0)
		replace_str(&pool->driver, driver);
	return r;
}

static enum op_next prepared(struct op *op, const struct job_report *report)
{
	const struct pool_preparing *args = op->args;
	struct pool_record *pool = strmap_get(&op->core->pools, args->pool);
	_cleanup_(freep) char *entity = xasprintf("storage-pools/%s", args->pool);

	if (!pool) {
		(void)err_kind(&op->err, ERR_CONFLICT, "storage pool \"%s\" was deleted meanwhile",
			       args->pool);
		return OP_FAIL;
	}
	if (op->err.code == 0)
		(void)pool_store_driver(op->core, pool, strmap_get(&report->result, "driver"),
					&op->err);
	pool_take_abilities(pool, report);
	replace_str(&pool->status, op->err.code < 0 ? "Unavailable" : "Created");
	core_warn(op->core, POOL_WARNING, entity, op->err.code < 0 ? op->err.msg : NULL);
	if (op->err.code == 0)
		pool_file_keep(op->core, pool);
	return op_result(op->err.code);
}

static enum op_next step_prepare(struct op *op)
{
	const struct pool_preparing *args = op->args;
	struct job job = { .kind = JOB_POOL_PREPARE };
	struct pool_record *pool = NULL;
	enum op_next next;

	if (pool_find(op->core, args->pool, &pool, &op->err) < 0)
		return OP_FAIL;
	replace_str(&pool->status, "Pending"); /* one at a time */
	pool_fill_job_anyway(op->core, pool, &job);
	job.pool.made = !job.pool.own_dir && pool_file_is_there(op->core, pool->name);
	next = job_run(op, &job, -EBADF, prepared);
	wire_free(&job_schema, &job);
	return next;
}

static const struct op_step prepare_steps[] = {
	{ "prepare", step_prepare, NULL },
	{ 0 },
};
const struct op_table pool_prepare_table = { "pool-prepare", prepare_steps };

struct prepare_waiter {
	struct op_waiter waiter;
	struct preparation *all;
};

/* All of them at a start. */
struct preparation {
	struct core *core;
	size_t left;
	void (*done)(struct core *core); /* NULL: was called */
	struct aio_timer patience;
	struct prepare_waiter *waiters;
	size_t n_waiters;
};

static void begin_without(struct preparation *all)
{
	void (*done)(struct core * core) = all->done;

	all->done = NULL;
	if (done)
		done(all->core);
}

static void one_prepared(struct op_waiter *waiter, struct op *op)
{
	struct preparation *all = container_of(waiter, struct prepare_waiter, waiter)->all;
	struct core *core = all->core;

	(void)op;
	if (--all->left > 0)
		return;
	begin_without(all);
	core->preparation = pool_preparation_free(all);
}

/* A disk that does not answer holds its helper up, and is to hold up nothing else. */
static void out_of_patience(void *data)
{
	struct preparation *all = data;

	strmap_for_each(entry, &all->core->pools)
	{
		struct pool_record *pool = entry->value;
		_cleanup_(freep) char *entity = xasprintf("storage-pools/%s", pool->name);

		if (!streq(pool->status, "Pending"))
			continue;
		replace_str(&pool->status, "Unavailable");
		core_warn(all->core, POOL_WARNING, entity,
			  "what it is on does not answer; it is still waited for");
	}
	begin_without(all);
}

static void prepare_one(struct preparation *all, const char *name)
{
	struct prepare_waiter *pw = &all->waiters[all->n_waiters++];
	struct pool_preparing *args = xcalloc(1, sizeof(*args));
	struct op *op;

	args->pool = xstrdup(name);
	op = op_new(all->core, OP_TASK, "Preparing storage pool", args, free_preparing, NULL);
	op_add_table(op, &pool_prepare_table);
	*pw = (struct prepare_waiter){ .waiter.done = one_prepared, .all = all };
	op_start(op);
	op_wait(op, &pw->waiter);
}

void pool_prepare_all(struct core *core, void (*done)(struct core *core))
{
	struct preparation *all;

	if (core->pools.len == 0) {
		done(core);
		return;
	}
	all = core->preparation = xcalloc(1, sizeof(*all));
	*all = (struct preparation){ .core = core, .left = core->pools.len, .done = done };
	all->waiters = xcalloc(core->pools.len, sizeof(*all->waiters));
	strmap_for_each(entry, &core->pools)
	{
		prepare_one(all, entry->key);
	}
	aio_timer_start(core->loop, &all->patience, core->config->storage_wait_s * NS_PER_S,
			out_of_patience, all);
}

struct preparation *pool_preparation_free(struct preparation *all)
{
	if (!all)
		return NULL;
	aio_timer_stop(&all->patience);
	for (size_t i = 0; i < all->n_waiters; i++)
		op_wait_cancel(&all->waiters[i].waiter);
	free(all->waiters);
	free(all);
	return NULL;
}
