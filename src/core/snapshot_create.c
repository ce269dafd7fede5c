/*
 * core/snapshot_create.c - a new snapshot, of an instance that runs or does not
 *
 *   journal -> STILL_STEPS (core/still.h) -> commit -> record -> delete-replaced -> clean-up
 *
 * One that it replaces is there until the new one is: "record" exchanges their rows.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "aio/loop.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/journal.h"
#include "core/snapshot.h"
#include "core/still.h"
#include "db/snapshots.h"
#include "spec/keys.h"
#include "spec/names.h"

struct create_args {
	struct still still; /* first */
	char **replaced;    /* its name; NULL: none */
	struct snapshot_rests rests;
};

static void free_args(void *data)
{
	struct create_args *args = data;

	still_done(&args->still);
	strv_free(args->replaced);
	snapshot_rests_done(&args->rests);
	free(args);
}

static int store(struct op *op)
{
	struct create_args *args = op->args;
	struct db *db = op->core->db;
	int r = db_begin(db, &op->err);

	if (r < 0)
		return r;
	r = journal_erase_in_tx(op, &op->err);
	if (r == 0 && args->replaced)
		r = snapshots_forget_in_tx(op, args->replaced, &args->rests, &op->err);
	if (r == 0)
		r = db_snapshot_insert(db, args->still.snapshot, &op->err);
	return db_end(db, r, &op->err);
}

static enum op_next step_record(struct op *op)
{
	struct create_args *args = op->args;
	struct inst *inst = op->inst;
	const char *name = args->still.snapshot->name;

	if (store(op) < 0)
		return OP_FAIL;
	op_no_return(op);
	if (args->replaced)
		snapshots_drop(inst, args->replaced);
	snapshot_publish(inst, "instance-snapshot-created", name);
	log_info(((struct log_keys){ .inst = inst->record->name }), "snapshot made name=%s", name);
	snap_list_add(&inst->snapshots, TAKE_PTR(args->still.snapshot));
	return OP_NEXT;
}

static enum op_next step_delete_replaced(struct op *op)
{
	const struct create_args *args = op->args;

	return args->replaced ? snapshots_delete_rests(op, &args->rests) : OP_NEXT;
}

static enum op_next step_clean_up(struct op *op)
{
	const struct create_args *args = op->args;

	if (args->replaced)
		snapshots_clean_up(op, &args->rests);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "journal", still_step_journal, journal_undo },
	STILL_STEPS,
	{ "commit", still_step_commit, NULL },
	{ "record", step_record, NULL },
	{ "delete-replaced", step_delete_replaced, NULL },
	{ "clean-up", step_clean_up, NULL },
	{ 0 },
};
static const struct op_table create_table = { "snapshot-create", steps };

/* ---- the request ---- */

static bool is_taken(void *data, const char *name)
{
	struct snap_record *snapshot;

	return snapshot_find(data, name, &snapshot, NULL) == 0;
}

char *snapshot_choose_name(const struct strmap *config, const struct snapshot_request *request,
			   int64_t now_wall_ns, snapshot_taken_fn *taken, void *data)
{
	time_t now_s = (time_t)(now_wall_ns / NS_PER_S);
	struct tm local;

	if (!str_empty(request->name))
		return xstrdup(request->name);
	(void)localtime_r(&now_s, &local);
	return snapshot_make_name(keys_get(config, "snapshots.pattern", SNAPSHOT_PATTERN), &local,
				  now_wall_ns, taken, data);
}

int snapshot_choose_expiry(const struct strmap *config, const struct snapshot_request *request,
			   int64_t created_wall_ns, int64_t *ret_wall_ns, struct err *err)
{
	const char *key = request->scheduled ? "snapshots.expiry" : "snapshots.expiry.manual";

	*ret_wall_ns = request->expires_wall_ns;
	if (request->has_expiry)
		return 0;
	return snapshot_expiry(keys_get(config, key, ""), created_wall_ns, ret_wall_ns, err);
}

static int make_record(struct inst *inst, const struct snapshot_request *request,
		       struct snap_record **ret_snapshot, struct err *err)
{
	int64_t now = aio_wall_now(inst->core->loop);
	_cleanup_(freep) char *name =
		snapshot_choose_name(&inst->expanded.config, request, now, is_taken, inst);
	_cleanup_(snap_record_freep) struct snap_record *snapshot = NULL;
	char uuid[UUID_LEN];
	int r = name_validate(NAME_SNAPSHOT, name, err);

	if (r < 0)
		return r;
	if (is_taken(inst, name) && !request->replace)
		return err_kind(err, ERR_CONFLICT, "snapshot \"%s\" exists already", name);
	snapshot = snap_record_new(name);
	inst_record_free(snapshot->inst);
	snapshot->inst = inst_record_copy(inst->record);
	snapshot->instance_id = inst->record->id;
	snapshot->volume = xstrdup(uuid_new(uuid));
	snapshot->created_wall_ns = now;
	snapshot->scheduled = request->scheduled;
	r = snapshot_choose_expiry(&inst->expanded.config, request, now, &snapshot->expires_wall_ns,
				   err);
	if (r == 0)
		*ret_snapshot = TAKE_PTR(snapshot);
	return r;
}

int snapshot_create(struct inst *inst, const struct snapshot_request *request, struct op **ret_op,
		    struct err *err)
{
	struct create_args *args;
	struct snap_record *snapshot = NULL;
	struct op *op;
	int r = core_check_open(inst->core, err);

	if (r == 0)
		r = request->replace ? inst_check_unread(inst, err) : inst_check_free(inst, err);
	if (r == 0)
		r = make_record(inst, request, &snapshot, err);
	if (r < 0)
		return r;
	args = xcalloc(1, sizeof(*args));
	args->still.snapshot = snapshot;
	(void)uuid_new(args->still.stage);
	if (is_taken(inst, snapshot->name))
		strv_push(&args->replaced, snapshot->name);
	op = op_new(inst->core, OP_TASK, "Snapshotting instance", args, free_args, err);
	if (!op)
		return -EBUSY;
	(void)inst_claim(inst, op, NULL); /* it is free */
	snapshot_add_resource(op, inst, snapshot->name);
	op_add_table(op, &create_table);
	op_start(op);
	*ret_op = op;
	return 0;
}
