/*
 * core/recover_pool.c - pools that the database does not know: see recover.h
 *
 *   look -> register -> prepare -> open -> read
 *
 * A trial ends with "look". Where a pool is, is known from its note in the state directory, from
 * where pools without a source are, or from whoever asks; of what the pool says itself only its name,
 * its description and what its user noted are taken, and its driver if nothing else tells it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/job.h"
#include "core/pool_edit.h"
#include "core/pool_files.h"
#include "core/recover.h"
#include "core/recover_priv.h"
#include "core/warning.h"
#include "db/pools.h"
#include "spec/names.h"
#include "storage/policy.h"

/* ---- where it is ---- */

static int find_at_source(struct core *core, const struct recover_request *request,
			  struct pool_record *record, struct err *err)
{
	struct stat st;

	if (*request->source != '/')
		return err_kind(err, ERR_INVALID, "source \"%s\" must be an absolute path",
				request->source);
	if (stat(request->source, &st) < 0)
		return err_kind(err, ERR_UNAVAILABLE, "source \"%s\" is not there",
				request->source);
	if (S_ISREG(st.st_mode))
		return err_kind(
			err, ERR_INVALID,
			"\"%s\" is a file: move it to \"%s/disks/NAME.img\", where the files "
			"of pools are, then recover NAME without a source",
			request->source, core->dirs.state);
	if (!S_ISBLK(st.st_mode) && !S_ISDIR(st.st_mode))
		return err_kind(err, ERR_INVALID,
				"\"%s\" is neither a directory nor a block device",
				request->source);
	strmap_set(&record->config, "source", request->source);
	if (!S_ISBLK(st.st_mode))
		return 0;
	strmap_set(&record->config, "volatile.disk", request->source);
	if (request->driver && !streq(request->driver, "btrfs"))
		return err_kind(err, ERR_INVALID,
				"\"%s\" is a block device: only btrfs pools are on one",
				request->source);
	return 0;
}

/* Where pools without a source are: in a file of their own, or below the state directory. */
static int find_in_state(struct core *core, struct pool_record *record, struct err *err)
{
	_cleanup_(freep) char *disk = xasprintf("%s/disks/%s.img", core->dirs.state, record->name);
	_cleanup_(freep) char *dir =
		xasprintf("%s/pools/%s/instances", core->dirs.state, record->name);
	struct stat st;

	if (stat(disk, &st) == 0 && S_ISREG(st.st_mode)) {
		strmap_set_take(&record->config, "size",
				xasprintf("%" PRIu64 "MiB", (uint64_t)st.st_size >> 20));
		strmap_set(&record->config, "volatile.disk", disk);
		return 0;
	}
	if (access(dir, F_OK) == 0)
		return 0;
	return err_kind(
		err, ERR_NOT_FOUND,
		"nothing is known of a storage pool \"%s\": if it is there, name its source, "
		"the directory or block device (--source)",
		record->name);
}

static int find_place(struct core *core, const struct recover_request *request,
		      struct pool_record **ret_record, struct err *err)
{
	_cleanup_(pool_record_freep) struct pool_record *record = NULL;
	struct err noted = { 0 };
	int r = 0;

	if (!request->source && str_empty(request->pool))
		return err_kind(err, ERR_INVALID, "name a storage pool, or its source");
	if (!str_empty(request->pool))
		r = name_validate(NAME_POOL, request->pool, err);
	if (r < 0)
		return r;
	if (!request->source && pool_file_read(core, request->pool, ret_record, &noted) == 0)
		return 0;
	record = pool_record_new(request->pool ? request->pool : "");
	r = request->source ? find_at_source(core, request, record, err)
			    : find_in_state(core, record, err);
	if (r == 0)
		*ret_record = TAKE_PTR(record);
	else if (noted.code < 0 && noted.kind != ERR_NOT_FOUND)
		*err = noted; /* the note is there, and broken */
	return r;
}

/* ---- looking ---- */

static int choose_name(const struct recovery *found, struct pool_record *record, struct err *err)
{
	if (!str_empty(record->name))
		return 0;
	if (!found->pool.name)
		return err_kind(err, ERR_INVALID, "it does not say its name (%s): give it one",
				found->pool_problem ? "its pool.yaml cannot be read"
						    : "it has no pool.yaml");
	replace_str(&record->name, found->pool.name);
	return name_validate(NAME_POOL, record->name, err);
}

/* What is a stranger's word, and harmless. */
static void take_words(const struct recovery *found, struct pool_record *record)
{
	if (!record->description && found->pool.description)
		record->description = str_printable(found->pool.description, false);
	strmap_for_each(entry, &found->pool.config)
	{
		if (str_after(entry->key, "user.") && !strmap_has(&record->config, entry->key) &&
		    key_check(&pool_keys, entry->key, entry->value, NULL) == 0)
			strmap_set(&record->config, entry->key, entry->value);
	}
}

static int check_file_system(struct core *core, const struct pool_record *record, struct err *err)
{
	const char *uuid = strmap_get(&record->config, "volatile.uuid");
	const char *disk = strmap_get(&record->config, "volatile.disk");

	strmap_for_each(entry, &core->pools)
	{
		const struct pool_record *other = entry->value;

		if (uuid && streq(strmap_get(&other->config, "volatile.uuid"), uuid))
			return err_kind(err, ERR_CONFLICT,
					"\"%s\" is the file system of storage pool \"%s\" already",
					disk, entry->key);
	}
	return 0;
}

static int check_name(struct core *core, const char *name, struct err *err)
{
	return strmap_has(&core->pools, name)
		       ? err_kind(err, ERR_CONFLICT,
				  "storage pool \"%s\" exists already: give this one another name",
				  name)
		       : 0;
}

static int complete(struct op *op, const struct recovery *found)
{
	struct recover *recover = op->args;
	struct pool_record *record = recover->lost;
	int r = choose_name(found, record, &op->err);

	if (r == 0)
		r = check_name(op->core, record->name, &op->err);
	if (r < 0)
		return r;
	replace_str(&recover->pool.pool, record->name);
	if (!record->driver || streq(record->driver, "auto"))
		replace_str(&record->driver, found->driver);
	if (found->uuid)
		strmap_set(&record->config, "volatile.uuid", found->uuid);
	take_words(found, record);
	r = pool_record_validate(record, &op->err);
	if (r == 0)
		r = check_file_system(op->core, record, &op->err);
	return r < 0 ? r : pool_check_place(op->core, record, &op->err);
}

/* For as long as it is looked at, the pool is there. */
static int try_on(struct op *op, struct recovery *found)
{
	struct recover *recover = op->args;
	struct pool_record *trial = pool_record_copy(recover->lost);
	int r;

	replace_str(&trial->status, "Created");
	replace_str(&trial->quotas, "yes: as far as is known");
	strmap_set_take(&op->core->pools, trial->name, trial);
	r = recover_report(op, found);
	(void)strmap_unset(&op->core->pools, recover->pool.pool);
	return r;
}

static enum op_next looked(struct op *op, const struct job_report *report)
{
	struct recover *recover = op->args;
	struct recovery found = { 0 };
	int r = recover_read_found(op, &found);

	(void)report;
	if (r == 0)
		r = complete(op, &found);
	if (r == 0 && !recover->apply)
		r = try_on(op, &found);
	wire_free(&recovery_schema, &found);
	return op_result(r);
}

static enum op_next step_look(struct op *op)
{
	const struct recover *recover = op->args;

	return recover_look(op, recover->lost, looked);
}

/* ---- having it ---- */

static enum op_next step_register(struct op *op)
{
	const struct recover *recover = op->args;
	struct pool_record *record;

	/* another one may have come meanwhile */
	if (check_name(op->core, recover->pool.pool, &op->err) < 0 ||
	    pool_check_place(op->core, recover->lost, &op->err) < 0)
		return OP_FAIL;
	record = pool_record_copy(recover->lost);
	replace_str(&record->status, "Pending");
	if (db_pool_insert(op->core->db, record, &op->err) < 0) {
		pool_record_free(record);
		return OP_FAIL;
	}
	strmap_set_take(&op->core->pools, recover->pool.pool, record);
	return OP_NEXT;
}

static enum op_next undo_register(struct op *op)
{
	const struct recover *recover = op->args;
	struct pool_record *record = strmap_get(&op->core->pools, recover->pool.pool);
	_cleanup_(freep) char *entity = xasprintf("storage-pools/%s", recover->pool.pool);
	struct err err = { 0 };

	if (!record || streq(record->status, "Deleting"))
		return OP_NEXT; /* somebody was faster */
	if (db_pool_delete(op->core->db, record->id, &err) < 0) {
		log_error(((struct log_keys){ .op = op->id }), "undo: %s", err.msg);
		replace_str(&record->status, "Unavailable"); /* a row: to be deleted */
		return OP_NEXT;
	}
	core_warn(op->core, POOL_WARNING, entity, NULL);
	(void)strmap_unset(&op->core->pools, recover->pool.pool);
	return OP_NEXT;
}

static enum op_next step_open(struct op *op)
{
	const struct recover *recover = op->args;

	op_commit(op);
	log_info(LOG_NONE, "storage pool %s recovered", recover->pool.pool);
	events_publish_lifecycle(&op->core->events, "storage-pool-created", "storage-pools",
				 recover->pool.pool);
	return OP_NEXT;
}

static const struct op_step pool_steps[] = {
	{ "look", step_look, NULL },
	{ "register", step_register, undo_register },
	{ 0 },
};
static const struct op_step trial_steps[] = {
	{ "look", step_look, NULL },
	{ 0 },
};
static const struct op_step open_steps[] = {
	{ "open", step_open, NULL },
	{ 0 },
};
static const struct op_table pool_table = { "recover-pool", pool_steps };
static const struct op_table trial_table = { "recover-trial", trial_steps };
static const struct op_table open_table = { "recover-open", open_steps };

static int check_request(struct core *core, const struct recover_request *request, struct err *err)
{
	uint32_t caps;
	int r = core_check_open(core, err);

	if (r == 0 && !str_empty(request->pool))
		r = check_name(core, request->pool, err);
	if (r == 0 && request->driver)
		r = storage_driver_caps(request->driver, &caps, err);
	return r;
}

int recover_lost_start(struct core *core, const struct recover_request *request, struct op **ret_op,
		       struct err *err)
{
	_cleanup_(pool_record_freep) struct pool_record *record = NULL;
	struct recover *recover = NULL;
	struct op *op;
	int r = check_request(core, request, err);

	if (r == 0)
		r = find_place(core, request, &record, err);
	if (r == 0)
		r = recover_new(request, &recover, err);
	if (r < 0)
		return r;
	if (request->driver)
		replace_str(&record->driver, request->driver);
	recover->was_lost = true;
	recover->lost = TAKE_PTR(record);
	op = recover_new_op(core, recover, err);
	if (!op)
		return -EBUSY;
	op_add_table(op, request->apply ? &pool_table : &trial_table);
	if (request->apply) {
		op_add_table(op, &pool_prepare_table);
		op_add_table(op, &open_table);
		op_add_table(op, &recover_table);
	}
	op_start(op);
	*ret_op = op;
	return 0;
}
