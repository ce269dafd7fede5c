/*
 * core/inst_create.c - a new instance, from a name that is only claimed to a committed row
 *
 *   claim -> have-image -> fill-in -> unpack-image -> journal -> make-volume -> record
 *
 * The row is the last step: what a crash leaves before it is a volume with a journal row, which
 * core/reconcile.c removes. A cancelled launch undoes the row as well.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "aio/loop.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/image.h"
#include "core/inst.h"
#include "core/inst_create.h"
#include "core/inst_ids.h"
#include "core/inst_move.h"
#include "core/inst_ops.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/network.h"
#include "core/pool.h"
#include "core/privileged.h"
#include "core/quota.h"
#include "core/snapshot.h"
#include "core/template.h"
#include "db/instances.h"
#include "spec/device.h"
#include "spec/image.h"
#include "spec/names.h"
#include "spec/nic.h"
#include "spec/profile.h"

void inst_create_request_free(struct inst_create_request *request)
{
	if (!request)
		return;
	still_done(&request->still);
	inst_record_free(request->record);
	free(request->image);
	image_source_done(&request->from);
	free(request->copy_from);
	free(request->copy_snapshot);
	free(request->detour);
	snap_list_done(&request->coming);
	strv_free(request->going);
	snapshot_rests_done(&request->rests);
	free(request);
}

static void free_request(void *data)
{
	inst_create_request_free(data);
}

static enum op_next step_claim(struct op *op)
{
	(void)op; /* done by inst_create(), so that the second one hears of it at once */
	return OP_NEXT;
}

enum op_next inst_create_undo_claim(struct op *op)
{
	struct inst *inst = op->inst;
	_cleanup_(freep) char *pool = xstrdup(inst->record->pool);
	_cleanup_(freep) char *image = xstrdup(inst->record->image_fingerprint);

	core_release(op);
	inst_remove(inst);
	image_volume_unused(op->core, pool, image); /* the image may have been deleted meanwhile */
	return OP_NEXT;
}

static enum op_next step_have_image(struct op *op)
{
	const struct inst_create_request *request = op->args;

	if (request->source == INST_SOURCE_NONE)
		return OP_NEXT;
	if (request->from.server)
		return image_ensure_pulled(op, &request->from);
	return image_ensure(op, request->image);
}

int inst_fill_from_image(struct op *op, const char *what, struct inst_record *record)
{
	struct image_record *image;
	int r = image_resolve(op->core, what, &image, &op->err);

	if (r < 0)
		return r;
	replace_str(&record->image_fingerprint, image->fingerprint);
	replace_str(&record->architecture, image->architecture);
	strmap_set(&record->config, "volatile.base_image", image->fingerprint);
	strmap_for_each(entry, &image->properties)
	{
		_cleanup_(freep) char *key = xasprintf("image.%s", entry->key);

		strmap_set(&record->config, key, entry->value);
	}
	return image_used(op->core, image, &op->err);
}

static bool has_hwaddr(const struct inst *inst, const char *hwaddr)
{
	strmap_for_each(entry, &inst->record->config)
	{
		if (str_after(entry->key, "volatile.") && str_ends_with(entry->key, ".hwaddr") &&
		    strcasecmp(entry->value, hwaddr) == 0)
			return true;
	}
	strmap_for_each(entry, &inst->expanded.devices)
	{
		if (strcasecmp(device_get(entry->value, "hwaddr", ""), hwaddr) == 0)
			return true;
	}
	return false;
}

bool inst_hwaddr_is_taken(struct core *core, const char *hwaddr)
{
	strmap_for_each(entry, &core->instances)
	{
		if (has_hwaddr(entry->value, hwaddr))
			return true;
	}
	return false;
}

static bool is_taken(void *data, const char *hwaddr)
{
	return inst_hwaddr_is_taken(data, hwaddr);
}

void inst_note_nics(struct inst *inst)
{
	nic_fill_volatile(&inst->expanded.devices, &inst->record->config, is_taken, inst->core);
}

int inst_choose_pool(struct inst *inst, struct err *err)
{
	struct pool_record *pool;

	strmap_for_each(entry, &inst->expanded.devices)
	{
		if (streq(device_get(entry->value, "type", NULL), "disk") &&
		    streq(device_get(entry->value, "path", NULL), "/")) {
			replace_str(&inst->record->pool,
				    device_get(entry->value, "pool", POOL_DEFAULT));
			return pool_find(inst->core, inst->record->pool, &pool, err);
		}
	}
	return err_kind(err, ERR_INVALID,
			"no root disk: add one (-d root,type=disk,path=/,pool=default) or use a "
			"profile that has it");
}

static int fill_from_source(struct op *op, const struct inst_create_request *request)
{
	const struct image_record *image;

	if (!request->from.server)
		return inst_fill_from_image(op, request->image, op->inst->record);
	image = image_by_source(op->core, &request->from);
	if (!image)
		return err_kind(&op->err, ERR_CONFLICT, "the image was deleted meanwhile");
	return inst_fill_from_image(op, image->fingerprint, op->inst->record);
}

static enum op_next step_fill_in(struct op *op)
{
	const struct inst_create_request *request = op->args;
	struct inst *inst = op->inst;
	char uuid[UUID_LEN];
	int r = 0;

	if (request->source == INST_SOURCE_IMAGE)
		r = fill_from_source(op, request);
	if (r == 0)
		r = inst_choose_ids(inst, &op->err);
	if (r < 0)
		return OP_FAIL;
	strmap_set(&inst->record->config, "volatile.uuid", uuid_new(uuid));
	inst_note_nics(inst);
	inst_expand(inst);
	quota_note(inst->record, quota_wanted(&inst->expanded));
	return OP_NEXT;
}

static enum op_next step_unpack_image(struct op *op)
{
	const struct inst_record *record = op->inst->record;

	if (!record->image_fingerprint)
		return OP_NEXT;
	return image_ensure_volume(op, record->pool, record->image_fingerprint);
}

enum op_next inst_create_journal(struct op *op)
{
	_cleanup_(strmap_done) struct strmap extra = { 0 };

	snapshots_fill_journal(op->inst, &extra);
	return op_result(
		journal_write_with(op, "instance-create", op->inst->record, &extra, &op->err));
}

static enum op_next volume_job(struct op *op, enum job_kind kind, job_done_fn *done)
{
	const struct inst_record *record = op->inst->record;
	struct job job = { .kind = kind };
	struct err err = { 0 };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, record->pool, &job, &err) == 0) {
		job.volume = xstrdup(record->name);
		job.image = xstrdup(record->image_fingerprint);
		job.size_bytes = quota_wanted(&op->inst->expanded);
		if (kind == JOB_VOLUME_DELETE)
			job.snapshots = snapshots_volumes(op->inst);
		next = job_run(op, &job, -EBADF, done);
	} else if (!op->undoing) {
		op->err = err;
	}
	wire_free(&job_schema, &job);
	return next == OP_FAIL && op->undoing ? OP_NEXT : next;
}

static enum op_next step_make_volume(struct op *op)
{
	return volume_job(op, JOB_VOLUME_CREATE, NULL);
}

static enum op_next root_is_gone(struct op *op, const struct job_report *report)
{
	(void)job_undone(op, report);
	return journal_undo(op);
}

/* Whatever the steps after it came to: a helper that died may have made all of it. */
enum op_next inst_create_undo_journal(struct op *op)
{
	return volume_job(op, JOB_VOLUME_DELETE, root_is_gone);
}

static bool has_address(const struct strmap *device)
{
	return streq(device_get(device, "type", NULL), "nic") &&
	       device_get(device, "network", NULL);
}

static int release_gone_nics(struct inst *inst, struct err *err)
{
	_cleanup_(strv_freep) char **keep = NULL;

	strmap_for_each(entry, &inst->expanded.devices) if (has_address(entry->value))
		strv_push(&keep, entry->key);
	return netman_release_others(inst->core->net, inst->record->id, (const char *const *)keep,
				     err);
}

int inst_assign_nics(struct inst *inst, struct err *err)
{
	int r = release_gone_nics(inst, err);

	if (r < 0)
		return r;
	strmap_for_each(entry, &inst->expanded.devices)
	{
		_cleanup_(freep) char *key = xasprintf("volatile.%s.hwaddr", entry->key);
		struct netman_addresses addresses;
		struct netman_nic nic = {
			.instance_id = inst->record->id,
			.instance = inst->record->name,
			.device = entry->key,
			.network = device_get(entry->value, "network", NULL),
			.hwaddr = device_get(entry->value, "hwaddr",
					     strmap_get(&inst->record->config, key)),
			.ipv4 = device_get(entry->value, "ipv4.address", NULL),
			.ipv6 = device_get(entry->value, "ipv6.address", NULL),
		};

		if (!has_address(entry->value))
			continue;
		r = netman_assign_nic(inst->core->net, &nic, &addresses, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* With the journal's row of @op, unless that is NULL. */
static int store(struct inst *inst, struct op *op, struct err *err)
{
	struct db *db = inst->core->db;
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	r = db_instance_insert(db, inst->record, err);
	if (r == 0)
		r = snapshots_insert_in_tx(inst, &inst->snapshots, err);
	if (r == 0)
		r = inst_assign_nics(inst, err);
	if (r == 0 && op)
		r = journal_erase_in_tx(op, err);
	r = db_end(db, r, err);
	if (r < 0)
		netman_rolled_back(inst->core->net);
	else
		inst->stored = true;
	return r;
}

int inst_store(struct inst *inst, struct err *err)
{
	return store(inst, NULL, err);
}

enum op_next inst_create_record(struct op *op)
{
	struct inst *inst = op->inst;

	if (store(inst, op, &op->err) < 0)
		return OP_FAIL;
	op_commit(op);
	log_info(((struct log_keys){ .inst = inst->record->name }), "instance created");
	privileged_warn(inst);
	events_publish_lifecycle(&op->core->events, "instance-created", "instances",
				 inst->record->name);
	return OP_NEXT;
}

enum op_next inst_create_undo_record(struct op *op)
{
	struct inst *inst = op->inst;
	struct err err = { 0 };

	if (inst_forget(op, &err) < 0)
		log_error(((struct log_keys){ .inst = inst->record->name }), "undo: %s", err.msg);
	inst->stored = false;
	privileged_forget(op->core, inst->record->name);
	events_publish_lifecycle(&op->core->events, "instance-deleted", "instances",
				 inst->record->name);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "claim", step_claim, inst_create_undo_claim },
	{ "have-image", step_have_image, NULL },
	{ "fill-in", step_fill_in, NULL },
	{ "unpack-image", step_unpack_image, NULL },
	{ "journal", inst_create_journal, inst_create_undo_journal },
	{ "make-volume", step_make_volume, NULL },
	{ "record", inst_create_record, inst_create_undo_record },
	{ 0 },
};
static const struct op_table create_table = { "create", steps };

static const struct op_step copy_steps[] = {
	{ "claim", step_claim, inst_create_undo_claim },
	{ "hold-source", inst_copy_hold, inst_copy_let_go },
	{ "await-source", inst_copy_await_source, NULL },
	{ "have-image", inst_copy_have_image, NULL },
	{ "fill-in", step_fill_in, NULL },
	{ "journal", inst_copy_journal, inst_create_undo_journal },
	STILL_STEPS,
	{ "carry-over", inst_copy_carry_over, inst_copy_undo_carry },
	{ "drop-detour", inst_copy_drop_detour, NULL },
	{ "copy-volume", inst_copy_volume, NULL },
	{ "copy-snapshots", inst_copy_snapshots, inst_copy_undo_snapshots },
	{ "release-source", inst_copy_let_go, NULL },
	{ "record", inst_create_record, inst_create_undo_record },
	{ 0 },
};
static const struct op_table copy_table = { "copy", copy_steps };

/* "brisk-otter": from words that are host names by themselves. */
static char *make_up_name(struct core *core)
{
	static const char *const first[] = { "brisk", "calm",  "clear", "eager", "early", "fair",
					     "fine",  "glad",  "keen",	"kind",	 "light", "mild",
					     "neat",  "quick", "sharp", "sound" };
	static const char *const second[] = { "badger", "crane",  "curlew", "eagle",
					      "finch",	"heron",  "ibex",   "lark",
					      "lynx",	"marten", "otter",  "plover",
					      "raven",	"robin",  "swift",  "wren" };
	uint8_t dice[2];

	for (;;) {
		_cleanup_(freep) char *name = NULL;

		random_bytes(dice, sizeof(dice));
		name = xasprintf("%s-%s", first[dice[0] % ARRAY_LEN(first)],
				 second[dice[1] % ARRAY_LEN(second)]);
		if (core->instances.len > ARRAY_LEN(first) * ARRAY_LEN(second) / 2) {
			free(name);
			name = xasprintf("c%02x%02x%zx", dice[0], dice[1], core->instances.len);
		}
		if (!strmap_has(&core->instances, name))
			return TAKE_PTR(name);
	}
}

int inst_check_no_root(struct core *core, const char *pool, const char *name, struct err *err)
{
	_cleanup_(freep) char *dir = NULL;
	_cleanup_(freep) char *path = NULL;
	struct pool_record *record = NULL;
	struct stat st;
	int r = pool_find(core, pool, &record, err);

	if (r < 0)
		return r;
	dir = pool_dir(core, record);
	path = xasprintf("%s/instances/%s", dir, name);
	if (lstat(path, &st) < 0)
		return 0; /* of a pool that is not there, whoever makes the root says more */
	return err_kind(err, ERR_CONFLICT,
			"storage pool \"%s\" has a root \"%s\" already, which is no instance's: "
			"\"sysctr admin recover\" may take it in; else remove \"%s\", or choose "
			"another name",
			pool, name, path);
}

int inst_check_new_name(struct core *core, const char *name, struct err *err)
{
	const struct inst *inst;
	int r = name_validate(NAME_INSTANCE, name, err);

	if (r < 0)
		return r;
	inst = strmap_get(&core->instances, name);
	if (inst && !inst->stored && !inst->op)
		return err_kind(err, ERR_CONFLICT,
				"instance \"%s\" was deleted, but its volume could not be removed "
				"(see the log of sysctrd); its next start tries again",
				name);
	if (inst)
		return err_kind(err, ERR_CONFLICT, "instance \"%s\" exists already", name);
	return 0;
}

static int check_request(struct core *core, struct inst_create_request *request, struct err *err)
{
	struct inst_record *record = request->record;
	struct image_record *image;
	int r = core_check_open(core, err);

	if (r < 0)
		return r;
	if (str_empty(record->name)) {
		free(record->name);
		record->name = make_up_name(core);
	}
	r = inst_check_new_name(core, record->name, err);
	if (r < 0)
		return r;
	if (request->source == INST_SOURCE_COPY) {
		r = inst_copy_fill(core, request, err);
		if (r < 0)
			return r;
		inst_copy_init(request);
	}
	if (!record->profiles && !request->no_profiles)
		strv_push(&record->profiles, PROFILE_DEFAULT);
	r = inst_check_record(core, record, NULL, err);
	if (r < 0 || request->source != INST_SOURCE_IMAGE)
		return r;
	if (request->from.server)
		return image_source_check(&request->from, err);
	r = image_resolve(core, request->image, &image, err);
	return r < 0 && template_exists(core, request->image) ? 0 : r;
}

static struct op *make_op(struct core *core, struct inst_create_request *request, struct err *err)
{
	bool copy = request->source == INST_SOURCE_COPY;
	struct op *op = op_new(core, OP_TASK, copy ? "Copying instance" : "Creating instance",
			       request, free_request, err);

	if (!op)
		return NULL;
	op_add_resource(op, "instances", request->record->name);
	op_add_table(op, copy ? &copy_table : &create_table);
	if (request->start)
		op_add_table(op, &inst_start_table);
	return op;
}

int inst_create(struct core *core, struct inst_create_request *request, struct op **ret_op,
		struct err *err)
{
	struct inst *inst;
	struct op *op;
	int r = check_request(core, request, err);

	if (r < 0) {
		inst_create_request_free(request);
		return r;
	}
	op = make_op(core, request, err);
	if (!op)
		return -EBUSY;
	request->record->created_wall_ns = aio_wall_now(core->loop);
	replace_str(&request->record->power, "stopped");
	inst = inst_add(core, TAKE_PTR(request->record));
	inst_expand(inst);
	(void)inst_claim(inst, op, NULL); /* it is new: nobody has it */
	r = inst_choose_pool(inst, err);
	if (r == 0)
		r = inst_check_no_root(core, inst->record->pool, inst->record->name, err);
	if (r < 0) {
		core_release(op);
		inst_remove(inst);
		op_unref(op);
		return r;
	}
	op_start(op);
	*ret_op = op;
	return 0;
}
