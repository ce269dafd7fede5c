/*
 * core/image_publish.c - an instance or a snapshot to an image
 *
 *   snapshot: read-on -> publish
 *   stopped: check -> await-released -> publish
 *   running: still_table -> read-on -> publish -> drop -> erase
 *
 * The image is in the store when its row is (image_store_add()).
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/image_publish.h"
#include "core/image_store.h"
#include "core/inst.h"
#include "core/inst_events.h"
#include "core/inst_ids.h"
#include "core/job.h"
#include "core/pool.h"
#include "core/snapshot.h"

void image_publish_free(struct image_publish *publish)
{
	if (!publish)
		return;
	image_record_free(publish->given);
	still_done(&publish->still);
	free(publish->compression);
	free(publish->snapshot);
	free(publish);
}

static void free_publish(void *data)
{
	image_publish_free(data);
}

static enum op_next published(struct op *op, const struct job_report *report)
{
	const struct image_publish *publish = op->args;

	if (op->err.code < 0)
		return OP_FAIL;
	return op_result(image_store_add(op, report, publish->given, &op->err));
}

/* The image's own words count, then what the instance says of the image it was made from. */
static void fill_properties(const struct inst_record *record, const struct image_record *given,
			    struct strmap *properties)
{
	strmap_for_each(entry, &record->config)
	{
		const char *key = str_after(entry->key, "image.");

		if (key && !streq(key, "serial"))
			strmap_set(properties, key, entry->value);
	}
	strmap_merge(properties, &given->properties);
	if (!strmap_has(properties, "name"))
		strmap_set(properties, "name", record->name);
}

static enum op_next step_publish(struct op *op)
{
	const struct image_publish *publish = op->args;
	const struct inst_record *record = op->inst->record;
	struct job job = { .kind = JOB_IMAGE_PUBLISH };
	struct snap_record *snapshot = NULL;
	enum op_next next = OP_FAIL;

	if (publish->snapshot &&
	    snapshot_find(op->inst, publish->snapshot, &snapshot, &op->err) < 0)
		return OP_FAIL;
	if (pool_fill_job(op->core, record->pool, &job, &op->err) == 0) {
		image_store_fill_job(op->core, &job);
		job.volume = xstrdup(record->name);
		if (publish->still.snapshot)
			job.snapshot = xstrdup(publish->still.snapshot->volume);
		else if (snapshot)
			job.snapshot = xstrdup(snapshot->volume);
		record = snapshot ? snapshot->inst : record;
		job.image = xstrdup(record->image_fingerprint);
		strmap_set(&job.variables, "architecture", record->architecture);
		strmap_set(&job.variables, "compression", publish->compression);
		fill_properties(record, publish->given, &job.properties);
		next = job_run(op, &job, -EBADF, published);
	}
	wire_free(&job_schema, &job);
	return next;
}

static const struct op_step snapshot_steps[] = {
	{ "read-on", inst_step_read_on, NULL },
	{ "publish", step_publish, NULL },
	{ 0 },
};
static const struct op_table snapshot_table = { "snapshot-publish", snapshot_steps };

static const struct op_step steps[] = {
	{ "check", inst_step_check_stopped, NULL },
	{ "await-released", inst_step_await_released, NULL },
	{ "publish", step_publish, NULL },
	{ 0 },
};
static const struct op_table publish_table = { "image-publish", steps };

static const struct op_step still_steps[] = {
	{ "read-on", inst_step_read_on, NULL },
	{ "publish", step_publish, NULL },
	{ "drop", still_step_drop, NULL },
	{ "erase", still_step_erase, NULL },
	{ 0 },
};
static const struct op_table publish_still_table = { "publish-still", still_steps };

static void add_tables(struct op *op, const struct inst *inst, struct image_publish *publish)
{
	if (publish->snapshot) {
		op_add_table(op, &snapshot_table);
	} else if (inst->state == INST_STOPPED) {
		op_add_table(op, &publish_table);
	} else {
		still_init(&publish->still);
		op_add_table(op, &still_table);
		op_add_table(op, &publish_still_table);
	}
}

int image_publish(struct inst *inst, struct image_publish *publish, struct op **ret_op,
		  struct err *err)
{
	struct snap_record *snapshot;
	struct op *op;
	int r = core_check_open(inst->core, err);

	if (r == 0)
		r = job_check_compression(publish->compression, err);
	if (r == 0)
		r = inst_check_packable(inst->record, err);
	if (r == 0 && publish->snapshot)
		r = snapshot_find(inst, publish->snapshot, &snapshot, err);
	if (r < 0) {
		image_publish_free(publish);
		return r;
	}
	op = op_new(inst->core, OP_TASK, "Publishing image", publish, free_publish, err);
	if (!op)
		return -EBUSY;
	r = inst_claim(inst, op, err);
	if (r < 0) {
		op_unref(op);
		return r;
	}
	op_add_resource(op, "instances", inst->record->name);
	add_tables(op, inst, publish);
	op_start(op);
	*ret_op = op;
	return 0;
}
