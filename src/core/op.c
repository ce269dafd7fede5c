/* core/op.c - see op.h */
#include "core/op.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/events.h"
#include "core/inst.h"

enum {
	PROGRESS_INTERVAL_NS = 100 * NS_PER_MS
};

static const char *const class_names[] = {
	[OP_TASK] = "task",
	[OP_WEBSOCKET] = "websocket",
	[OP_TOKEN] = "token",
};
static_assert(ARRAY_LEN(class_names) == OP_CLASS_MAX, "one name per class");

static const struct {
	const char *name;
	int code;
} statuses[] = {
	[OP_PENDING] = { "Pending", 105 },	 [OP_RUNNING] = { "Running", 103 },
	[OP_CANCELLING] = { "Cancelling", 104 }, [OP_SUCCESS] = { "Success", 200 },
	[OP_FAILURE] = { "Failure", 400 },	 [OP_CANCELLED] = { "Cancelled", 401 },
};
static_assert(ARRAY_LEN(statuses) == OP_STATUS_MAX, "one row per status");

const char *op_class_name(enum op_class class)
{
	return class_names[class];
}

const char *op_status_name(enum op_status status)
{
	return statuses[status].name;
}

int op_status_code(enum op_status status)
{
	return statuses[status].code;
}

bool op_is_final(const struct op *op)
{
	return op->status >= OP_SUCCESS;
}

void ops_init(struct ops *ops)
{
	*ops = (struct ops){ 0 };
	list_init(&ops->all);
}

static const struct op_step *current(const struct op *op)
{
	return &op->tables[op->table]->steps[op->step];
}

const char *op_step_name(const struct op *op)
{
	if (op->table >= op->n_tables)
		return "";
	return current(op)->name ? current(op)->name : "";
}

static void touch(struct op *op)
{
	op->updated_wall_ns = aio_wall_now(op->core->loop);
	events_publish_op(&op->core->events, op);
}

static void set_status(struct op *op, enum op_status status)
{
	log_trace(((struct log_keys){ .op = op->id, .step = op_step_name(op) }), "%s -> %s",
		  op_status_name(op->status), op_status_name(status));
	op->status = status;
	touch(op);
}

static void expire(void *data)
{
	op_unref(data);
}

static void finish(struct op *op)
{
	enum op_status status = OP_SUCCESS;

	if (op->err.code < 0)
		status = op->err.kind == ERR_CANCELLED ? OP_CANCELLED : OP_FAILURE;
	if (status == OP_FAILURE)
		log_info(((struct log_keys){ .op = op->id,
					     .inst = op->inst ? op->inst->record->name : NULL }),
			 "%s failed: %s", op->description, op->err.msg);
	core_release(op);
	op->cancel_wait = NULL;
	set_status(op, status);
	while (!list_empty(&op->waiters)) {
		struct op_waiter *waiter = list_entry(op->waiters.next, struct op_waiter, node);

		list_remove(&waiter->node);
		waiter->done(waiter, op);
	}
	aio_timer_start(op->core->loop, &op->expiry, (uint64_t)OP_KEEP_MS * NS_PER_MS, expire, op);
}

/* Undoing stops at the very first step, or for a failure at what op_commit() made final. */
static bool undo_is_over(const struct op *op)
{
	if (op->table == 0 && op->step == 0)
		return true;
	return op->err.kind != ERR_CANCELLED && op->table == op->keep_table &&
	       op->step == op->keep_step;
}

static size_t table_len(const struct op_table *table)
{
	size_t n = 0;

	while (table->steps[n].name)
		n++;
	return n;
}

static void step_back(struct op *op)
{
	if (op->step == 0)
		op->step = table_len(op->tables[--op->table]);
	op->step--;
}

/* Undo from the step before the current one; returns when something waits. */
static void undo_steps(struct op *op)
{
	while (!undo_is_over(op)) {
		step_back(op);
		if (!current(op)->undo)
			continue;
		log_trace(((struct log_keys){ .op = op->id, .step = current(op)->name }), "undo");
		if (current(op)->undo(op) == OP_WAIT) {
			op->waiting = true;
			return;
		}
	}
	finish(op);
}

static void begin_undo(struct op *op)
{
	if (op->table < op->n_tables && op->err.kind != ERR_CANCELLED && op->inst) {
		struct err cause = op->err;

		(void)err_wrap(&op->err, "instance \"%s\": %s", op->inst->record->name,
			       op_step_name(op));
		op->err.kind = cause.kind;
	}
	op->undoing = true;
	if (op->no_return)
		finish(op);
	else
		undo_steps(op);
}

static void check_kill(const struct op *op)
{
	char *place;

	if (!op->core->ops.kill_after)
		return;
	place = xasprintf("%s/%s", op->tables[op->table]->name, current(op)->name);
	if (streq(place, op->core->ops.kill_after))
		(void)raise(SIGKILL);
	free(place);
}

/* The step at hand is done. Returns: whether another one follows. */
static bool advance(struct op *op)
{
	check_kill(op);
	op->step++;
	while (op->table < op->n_tables && !current(op)->name) {
		op->table++;
		op->step = 0;
	}
	return op->table < op->n_tables;
}

static void run_steps(struct op *op)
{
	while (op->table < op->n_tables) {
		enum op_next next;

		if (op->cancel_asked && !op->no_return) {
			(void)err_kind(&op->err, ERR_CANCELLED, "cancelled");
			begin_undo(op);
			return;
		}
		log_trace(((struct log_keys){ .op = op->id, .step = current(op)->name }), "run");
		op->cancel_wait = NULL;
		next = current(op)->run(op);
		if (next == OP_WAIT) {
			op->waiting = true;
			return;
		}
		if (next == OP_FAIL) {
			begin_undo(op);
			return;
		}
		if (!advance(op))
			break;
	}
	finish(op);
}

static void take_turn(void *data)
{
	struct op *op = data;

	if (op->undoing) {
		undo_steps(op);
	} else if (op->status == OP_PENDING) {
		set_status(op, OP_RUNNING);
		run_steps(op);
	} else if (op->err.code < 0) {
		if (op->cancel_asked && !op->no_return)
			(void)err_kind(&op->err, ERR_CANCELLED, "cancelled");
		begin_undo(op);
	} else {
		if (!op->again)
			(void)advance(op);
		op->again = false;
		run_steps(op);
	}
	op_unref(op);
}

struct op *op_new(struct core *core, enum op_class class, const char *description, void *args,
		  void (*free_args)(void *), struct err *err)
{
	struct op *op;

	if (core->ops.count >= OP_COUNT_MAX) {
		if (free_args)
			free_args(args);
		(void)err_kind(err, ERR_UNAVAILABLE, "%d operations are there already",
			       OP_COUNT_MAX);
		return NULL;
	}
	op = xcalloc(1, sizeof(*op));
	op->core = core;
	op->refs = 1;
	op->class = class;
	op->description = description;
	op->args = args;
	op->free_args = free_args;
	op->created_wall_ns = op->updated_wall_ns = aio_wall_now(core->loop);
	(void)uuid_new(op->id);
	list_init(&op->waiters);
	list_init(&op->reading);
	list_append(&core->ops.all, &op->node);
	core->ops.count++;
	return op;
}

void op_add_table(struct op *op, const struct op_table *table)
{
	assert(op->n_tables < OP_TABLES_MAX);
	op->tables[op->n_tables++] = table;
}

void op_add_resource(struct op *op, const char *kind, const char *name)
{
	struct op_resource *resource;

	vec_for_each(known, &op->resources)
		if (streq(known->kind, kind) && streq(known->name, name))
			return;
	resource = vec_push(&op->resources);
	resource->kind = kind;
	resource->name = xstrdup(name);
}

void op_start(struct op *op)
{
	touch(op);
	(void)op_ref(op);
	aio_defer(op->core->loop, take_turn, op);
}

void op_commit(struct op *op)
{
	op->keep_table = op->table;
	op->keep_step = op->step + 1;
	if (!current(op)[1].name) {
		op->keep_table++;
		op->keep_step = 0;
	}
}

void op_no_return(struct op *op)
{
	op->no_return = true;
}

void op_resume(struct op *op, enum op_next next)
{
	assert(op->waiting && next != OP_WAIT);
	op->waiting = false;
	op->cancel_wait = NULL;
	if (next == OP_FAIL && op->err.code == 0)
		(void)err_set(&op->err, -EIO, "%s", op_step_name(op));
	(void)op_ref(op);
	aio_defer(op->core->loop, take_turn, op);
}

void op_resume_again(struct op *op)
{
	op->again = true;
	op_resume(op, OP_NEXT);
}

enum op_next op_result(int r)
{
	return r < 0 ? OP_FAIL : OP_NEXT;
}

void op_progress(struct op *op, const char *stage, uint64_t now_bytes, uint64_t total_bytes)
{
	uint64_t now = aio_now(op->core->loop);
	bool new_stage = !streq(op->stage, stage);
	struct list *node, *tmp;

	if (new_stage) {
		replace_str(&op->stage, stage);
		op->stage_start_ns = now;
	}
	op->now_bytes = now_bytes;
	op->total_bytes = total_bytes;
	if (!new_stage && now - op->progress_sent_ns < PROGRESS_INTERVAL_NS)
		return;
	op->progress_sent_ns = now;
	touch(op);
	list_for_each_safe(node, tmp, &op->waiters) {
		struct op_waiter *waiter = list_entry(node, struct op_waiter, node);

		if (waiter->progress)
			waiter->progress(waiter, op);
	}
}

int op_cancel(struct op *op, struct err *err)
{
	if (op_is_final(op))
		return err_kind(err, ERR_INVALID, "Only running operations can be cancelled");
	if (op->no_return)
		return err_kind(err, ERR_INVALID, "This operation can't be cancelled");
	if (op->cancel_asked || op->undoing)
		return 0;
	op->cancel_asked = true;
	if (op->status == OP_RUNNING)
		set_status(op, OP_CANCELLING);
	if (op->waiting && op->cancel_wait)
		op->cancel_wait(op);
	return 0;
}

struct op *op_find(struct core *core, const char *id)
{
	struct list *node;

	list_for_each(node, &core->ops.all)
		if (streq(list_entry(node, struct op, node)->id, id))
			return list_entry(node, struct op, node);
	return NULL;
}

struct op *op_ref(struct op *op)
{
	op->refs++;
	return op;
}

static void op_free(struct op *op)
{
	list_remove(&op->node);
	op->core->ops.count--;
	aio_timer_stop(&op->expiry);
	if (op->free_args)
		op->free_args(op->args);
	vec_for_each(resource, &op->resources)
		free(resource->name);
	free(op->resources.items);
	strmap_done(&op->metadata);
	strmap_done(&op->fds);
	free(op->stage);
	free(op->flight_key);
	free(op);
}

void op_unref(struct op *op)
{
	if (--op->refs == 0)
		op_free(op);
}

/* Whoever still holds one will not run any more. */
void ops_done(struct ops *ops)
{
	struct list *node, *tmp;

	list_for_each_safe(node, tmp, &ops->all)
		op_free(list_entry(node, struct op, node));
}

void op_wait(struct op *op, struct op_waiter *waiter)
{
	assert(!op_is_final(op));
	list_append(&op->waiters, &waiter->node);
}

void op_wait_cancel(struct op_waiter *waiter)
{
	list_remove(&waiter->node);
}
