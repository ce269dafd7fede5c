/* core/pool_edit.c - see pool_edit.h */
#include "core/pool_edit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/job.h"
#include "core/pool.h"
#include "core/pool_files.h"
#include "core/volume.h"
#include "core/warning.h"
#include "db/pools.h"
#include "spec/device.h"
#include "spec/keys.h"
#include "spec/profile.h"
#include "storage/policy.h"

#define SIZE_SMALLEST (256ULL << 20)
#define SIZE_LEAST    (1ULL << 30)
#define SIZE_MOST     (30ULL << 30)

struct pool_args {
	char *name;
	char *status; /* before it was to be deleted */
	bool noted;   /* in a file of core/pool_files.h, then */
};

static void free_args(void *data)
{
	struct pool_args *args = data;

	free(args->name);
	free(args->status);
	free(args);
}

static const char *name_of(const struct op *op)
{
	return ((const struct pool_args *)op->args)->name;
}

/* The pool that an op works on: its own as long as the status says so. */
static struct pool_record *pool_of(struct op *op)
{
	return strmap_get(&op->core->pools, name_of(op));
}

static void publish(struct core *core, const char *action, const char *name)
{
	events_publish_lifecycle(&core->events, action, "storage-pools", name);
}

static int start(struct core *core, const char *what, const char *name,
		 const struct op_table *table, struct op **ret_op, struct err *err)
{
	struct pool_args *args = xcalloc(1, sizeof(*args));
	struct op *op;

	args->name = xstrdup(name);
	op = op_new(core, OP_TASK, what, args, free_args, err);
	if (!op)
		return -EBUSY;
	op_add_resource(op, "storage-pools", name);
	op_add_table(op, table);
	op_start(op);
	*ret_op = op;
	return 0;
}

static enum op_next run_job(struct op *op, enum job_kind kind, job_done_fn *done)
{
	struct job job = { .kind = kind };
	enum op_next next;

	pool_fill_job_anyway(op->core, pool_of(op), &job);
	if (kind == JOB_POOL_CREATE) {
		const struct strmap *config = &pool_of(op)->config;

		(void)parse_bytes(strmap_get(config, "size") ?: "0", &job.size_bytes); /* checked */
		job.pool.full_quotas = op->core->full_quotas;
		job.pool.wipe = keys_get_bool(config, "source.wipe", false);
	}
	next = job_run(op, &job, -EBADF, done);
	wire_free(&job_schema, &job);
	return next;
}

/* ---- making ---- */

static enum op_next step_insert(struct op *op)
{
	return op_result(db_pool_insert(op->core->db, pool_of(op), &op->err));
}

static enum op_next undo_insert(struct op *op)
{
	struct pool_record *pool = pool_of(op);
	struct err err = { 0 };

	if (db_pool_delete(op->core->db, pool->id, &err) < 0)
		replace_str(&pool->status, "Unavailable"); /* a row without a pool: to be deleted */
	else
		(void)strmap_unset(&op->core->pools, name_of(op));
	return OP_NEXT;
}

static enum op_next made(struct op *op, const struct job_report *report)
{
	pool_take_abilities(pool_of(op), report);
	if (op->err.code == 0)
		(void)pool_store_driver(op->core, pool_of(op),
					strmap_get(&report->result, "driver"), &op->err);
	return op_result(op->err.code);
}

static enum op_next step_make(struct op *op)
{
	return run_job(op, JOB_POOL_CREATE, made);
}

/* It is as it was made: empty. What cannot be removed is in nobody's way. */
static enum op_next unmade(struct op *op, const struct job_report *report)
{
	(void)op;
	(void)report;
	return OP_NEXT;
}

static enum op_next undo_make(struct op *op)
{
	enum op_next next = run_job(op, JOB_POOL_DELETE, unmade);

	return next == OP_FAIL ? OP_NEXT : next;
}

static enum op_next step_open(struct op *op)
{
	replace_str(&pool_of(op)->status, "Created");
	pool_file_keep(op->core, pool_of(op));
	publish(op->core, "storage-pool-created", name_of(op));
	return OP_NEXT;
}

static const struct op_step make_steps[] = {
	{ "insert", step_insert, undo_insert },
	{ "make", step_make, undo_make },
	{ "open", step_open, NULL },
	{ 0 },
};
static const struct op_table make_table = { "pool-create", make_steps };

/* Whether one of the directories is the other, or is in it. */
static bool overlaps(const char *a, const char *b)
{
	size_t len_a = strlen(a), len_b = strlen(b), len = MIN(len_a, len_b);

	if (strncmp(a, b, len) != 0)
		return false;
	return len_a == len_b || (len_a > len_b ? a : b)[len] == '/';
}

int pool_check_place(struct core *core, const struct pool_record *record, struct err *err)
{
	_cleanup_(freep) char *dir = pool_dir(core, record);
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		dir[--len] = '\0';
	strmap_for_each(entry, &core->pools)
	{
		_cleanup_(freep) char *other = pool_dir(core, entry->value);

		if (overlaps(dir, other))
			return err_kind(err, ERR_CONFLICT,
					"\"%s\" is where storage pool \"%s\" has \"%s\"", dir,
					entry->key, other);
	}
	return 0;
}

/* A fifth of what is free, as others do. */
static uint64_t choose_size(const char *dir)
{
	struct statvfs st = { 0 };

	(void)statvfs(dir, &st);
	return MAX(MIN((uint64_t)st.f_bavail * st.f_frsize / 5, SIZE_MOST), SIZE_LEAST);
}

static int choose_file(struct core *core, struct pool_record *pool, struct err *err)
{
	_cleanup_(freep) char *path = xasprintf("%s/disks/%s.img", core->dirs.state, pool->name);
	_cleanup_(freep) char *size = NULL;
	uint64_t bytes = 0;

	if (!strmap_has(&pool->config, "size")) {
		size = xasprintf("%" PRIu64 "MiB", choose_size(core->dirs.state) >> 20);
		strmap_set(&pool->config, "size", size);
	}
	if (parse_bytes(strmap_get(&pool->config, "size"), &bytes) < 0 || bytes < SIZE_SMALLEST)
		return err_kind(err, ERR_INVALID, "\"size\" of a btrfs is at least 256MiB");
	strmap_set(&pool->config, "volatile.disk", path);
	return 0;
}

/* Where the file system of a btrfs pool is, unless its source is a directory on one. */
static int choose_disk(struct core *core, struct pool_record *pool, struct err *err)
{
	const char *source = strmap_get(&pool->config, "source");
	char uuid[UUID_LEN];
	struct stat st;
	int r = 0;

	for (size_t i = pool->config.len; i-- > 0;)
		if (str_after(pool->config.items[i].key, "volatile."))
			(void)strmap_unset(&pool->config, pool->config.items[i].key);
	if (!streq(pool->driver, "btrfs"))
		return 0;
	if (str_empty(source))
		r = choose_file(core, pool, err);
	else if (stat(source, &st) == 0 && S_ISBLK(st.st_mode))
		strmap_set(&pool->config, "volatile.disk", source);
	else
		return 0;
	strmap_set(&pool->config, "volatile.uuid", uuid_new(uuid));
	return r;
}

static int check_driver(const char *driver, struct err *err)
{
	uint32_t caps;

	if (str_empty(driver))
		return err_kind(err, ERR_INVALID, "No driver provided");
	return streq(driver, "auto") ? 0 : storage_driver_caps(driver, &caps, err);
}

int pool_make(struct core *core, const struct pool_record *record, struct op **ret_op,
	      struct err *err)
{
	_cleanup_(pool_record_freep) struct pool_record *copy = pool_record_copy(record);
	int r = core_check_open(core, err);

	keys_drop_empty(&copy->config);
	if (r == 0)
		r = check_driver(copy->driver, err);
	if (r == 0)
		r = pool_record_validate(copy, err);
	if (r == 0 && strmap_has(&core->pools, copy->name))
		r = err_kind(err, ERR_CONFLICT, "storage pool \"%s\" exists already", copy->name);
	if (r == 0)
		r = choose_disk(core, copy, err);
	if (r == 0)
		r = pool_check_place(core, copy, err);
	if (r < 0)
		return r;
	copy->id = 0;
	replace_str(&copy->status, "Pending");
	strmap_set_take(&core->pools, record->name, TAKE_PTR(copy));
	r = start(core, "Creating storage pool", record->name, &make_table, ret_op, err);
	if (r < 0)
		(void)strmap_unset(&core->pools, record->name);
	return r;
}

/* ---- editing ---- */

/* The source is shown also when it was not given; what the daemon noted is not up for edits. */
static void drop_shown(struct core *core, const struct pool_record *current,
		       struct pool_record *edited)
{
	_cleanup_(freep) char *source = pool_shown_source(core, current);

	if (!strmap_has(&current->config, "source") &&
	    streq(strmap_get(&edited->config, "source"), source))
		(void)strmap_unset(&edited->config, "source");
	strmap_for_each(entry, &current->config) if (str_after(entry->key, "volatile."))
		strmap_set(&edited->config, entry->key, entry->value);
}

static uint64_t size_of(const struct pool_record *pool)
{
	uint64_t bytes = 0;

	(void)parse_bytes(strmap_get(&pool->config, "size") ?: "0", &bytes); /* checked */
	return bytes;
}

static bool may_change(const char *key, const struct pool_record *pool)
{
	return str_after(key, "user.") || (streq(key, "size") && strmap_has(&pool->config, "size"));
}

/* @b: has what of @a cannot be changed. */
static int check_fixed(const struct pool_record *a, const struct pool_record *b, struct err *err)
{
	strmap_for_each(entry, &a->config)
	{
		if (!may_change(entry->key, b) &&
		    !streq(entry->value, strmap_get(&b->config, entry->key)))
			return err_kind(err, ERR_INVALID,
					"\"%s\" cannot be changed: make another pool and move what "
					"is in this one",
					entry->key);
	}
	return 0;
}

static int check_edit(struct core *core, const struct pool_record *current,
		      struct pool_record *edited, struct err *err)
{
	int r;

	keys_drop_empty(&edited->config);
	drop_shown(core, current, edited);
	r = pool_record_validate(edited, err);
	if (r == 0)
		r = check_fixed(current, edited, err);
	if (r == 0)
		r = check_fixed(edited, current, err);
	if (r == 0 && size_of(edited) < size_of(current))
		r = err_kind(err, ERR_INVALID,
			     "\"size\" cannot become smaller: make another pool and move what is "
			     "in this one");
	return r;
}

/* @edited: taken when it is stored. */
static int store_edit(struct core *core, struct pool_record **edited, struct err *err)
{
	struct pool_record *copy = *edited, *current = NULL;
	int r = pool_find(core, copy->name, &current, err);

	if (r < 0)
		return r;
	copy->id = current->id;
	replace_str(&copy->driver, current->driver);
	replace_str(&copy->status, current->status);
	r = db_pool_update(core->db, copy, err);
	if (r < 0)
		return r;
	_cleanup_(freep) char *name = xstrdup(copy->name);
	pool_file_keep(core, copy);
	strmap_set_take(&core->pools, name, TAKE_PTR(*edited));
	publish(core, "storage-pool-updated", name);
	return 0;
}

static void free_record(void *data)
{
	pool_record_free(data);
}

static enum op_next step_grow(struct op *op)
{
	const struct pool_record *edited = op->args;
	struct job job = { .kind = JOB_POOL_GROW, .size_bytes = size_of(edited) };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, edited->name, &job, &op->err) == 0)
		next = job_run(op, &job, -EBADF, NULL);
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next step_store(struct op *op)
{
	struct pool_record *edited = op->args;
	int r = store_edit(op->core, &edited, &op->err);

	op->args = edited; /* NULL once it is the map's */
	return op_result(r);
}

static const struct op_step grow_steps[] = {
	{ "grow", step_grow, NULL },
	{ "store", step_store, NULL },
	{ 0 },
};
static const struct op_table grow_table = { "pool-grow", grow_steps };

int pool_edit(struct core *core, const struct pool_record *record, struct op **ret_op,
	      struct err *err)
{
	_cleanup_(pool_record_freep) struct pool_record *copy = pool_record_copy(record);
	struct pool_record *current = NULL;
	struct op *op;
	int r = pool_find(core, record->name, &current, err);

	if (r == 0)
		r = check_edit(core, current, copy, err);
	if (r < 0)
		return r;
	*ret_op = NULL;
	if (size_of(copy) == size_of(current))
		return store_edit(core, &copy, err);
	op = op_new(core, OP_TASK, "Growing storage pool", TAKE_PTR(copy), free_record, err);
	if (!op)
		return -EBUSY;
	op_add_resource(op, "storage-pools", record->name);
	op_add_table(op, &grow_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

/* ---- deleting ---- */

static int check_profiles(struct core *core, const char *name, struct err *err)
{
	strmap_for_each(entry, &core->profiles)
	{
		const struct profile_record *profile = entry->value;

		strmap_for_each(device, &profile->devices) if (
			streq(device_get(device->value, "pool", NULL),
			      name)) return err_kind(err, ERR_CONFLICT,
						     "The storage pool is currently in use: device \"%s\" of profile "
						     "\"%s\" names it",
						     device->key, entry->key);
	}
	return 0;
}

static int check_volumes(struct core *core, const char *name, struct err *err)
{
	return volume_any_in(core, name)
		       ? err_kind(err, ERR_CONFLICT,
				  "The storage pool is currently in use: there are custom volumes "
				  "in it; see: sysctr storage volume list %s",
				  name)
		       : 0;
}

static int check_unused(struct core *core, const struct pool_record *pool, struct err *err)
{
	int r = check_volumes(core, pool->name, err);

	if (r < 0)
		return r;
	strmap_for_each(entry, &core->instances)
	{
		const struct inst *inst = entry->value;

		if (streq(inst->record->pool, pool->name))
			return err_kind(err, ERR_CONFLICT,
					"The storage pool is currently in use: instance \"%s\" is "
					"on it; delete it first",
					entry->key);
	}
	return check_profiles(core, pool->name, err);
}

static int check_deletable(struct core *core, const struct pool_record *pool, struct err *err)
{
	if (streq(pool->status, "Pending") || streq(pool->status, "Deleting"))
		return err_kind(err, ERR_CONFLICT, "storage pool \"%s\" is being made or deleted",
				pool->name);
	return check_unused(core, pool, err);
}

/* From here on nothing new is put on it. */
static enum op_next step_claim(struct op *op)
{
	struct pool_args *args = op->args;
	struct pool_record *pool = NULL;
	int r = pool_find(op->core, args->name, &pool, &op->err);

	if (r == 0)
		r = check_deletable(op->core, pool, &op->err);
	if (r < 0)
		return OP_FAIL;
	args->status = xstrdup(pool->status);
	args->noted = pool_file_is_there(op->core, pool->name);
	replace_str(&pool->status, "Deleting");
	return OP_NEXT;
}

static enum op_next undo_claim(struct op *op)
{
	const struct pool_args *args = op->args;

	replace_str(&pool_of(op)->status, args->status);
	if (args->noted)
		pool_file_keep(op->core, pool_of(op));
	return OP_NEXT;
}

static enum op_next step_forget_images(struct op *op)
{
	struct core *core = op->core;
	struct pool_record *pool = pool_of(op);
	_cleanup_(freep) char *prefix = xasprintf("%s/", pool->name);

	if (db_pool_forget_images(core->db, pool->id, &op->err) < 0)
		return OP_FAIL;
	for (size_t i = core->image_volumes.len; i-- > 0;)
		if (str_after(core->image_volumes.items[i].key, prefix))
			(void)strmap_unset(&core->image_volumes, core->image_volumes.items[i].key);
	return OP_NEXT;
}

/* What a crash leaves of it is an empty pool: nothing to be missed. */
static enum op_next step_remove(struct op *op)
{
	pool_file_drop(op->core, name_of(op));
	return run_job(op, JOB_POOL_DELETE, NULL);
}

static enum op_next step_delete_row(struct op *op)
{
	struct core *core = op->core;
	struct pool_record *pool = pool_of(op);
	_cleanup_(freep) char *entity = xasprintf("storage-pools/%s", pool->name);

	if (db_pool_delete(core->db, pool->id, &op->err) < 0)
		return OP_FAIL;
	op_no_return(op);
	core_warn(core, POOL_WARNING, entity, NULL);
	(void)strmap_unset(&core->pools, name_of(op));
	publish(core, "storage-pool-deleted", name_of(op));
	return OP_NEXT;
}

static const struct op_step delete_steps[] = {
	{ "claim", step_claim, undo_claim },
	{ "forget-images", step_forget_images, NULL },
	{ "remove", step_remove, NULL },
	{ "delete-row", step_delete_row, NULL },
	{ 0 },
};
static const struct op_table delete_table = { "pool-delete", delete_steps };

/* What is on it is nobody's any more. */
static enum op_next step_leave(struct op *op)
{
	const char *source = strmap_get(&pool_of(op)->config, "source");

	pool_file_drop(op->core, name_of(op));
	strmap_set_take(
		&op->metadata, "left_behind",
		xasprintf("what is in it stays; if it comes back: sysctr admin recover %s%s%s",
			  name_of(op), source ? " --source " : "", source ? source : ""));
	return OP_NEXT;
}

static const struct op_step forget_steps[] = {
	{ "claim", step_claim, undo_claim },
	{ "forget-images", step_forget_images, NULL },
	{ "leave", step_leave, NULL },
	{ "delete-row", step_delete_row, NULL },
	{ 0 },
};
static const struct op_table forget_table = { "pool-forget", forget_steps };

int pool_delete(struct core *core, const char *name, bool forget, struct op **ret_op,
		struct err *err)
{
	struct pool_record *pool = NULL;
	int r = core_check_open(core, err);

	if (r == 0)
		r = pool_find(core, name, &pool, err);
	if (r == 0)
		r = check_deletable(core, pool, err);
	if (r == 0 && forget)
		r = pool_check_removal(core, name, "storage pool", true, err);
	return r < 0 ? r
		     : start(core, "Deleting storage pool", name,
			     forget ? &forget_table : &delete_table, ret_op, err);
}
