/* core/flight.c - see flight.h */
#include "core/flight.h"

#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"

static struct op *find(struct core *core, const char *key)
{
	struct list *node;

	list_for_each(node, &core->ops.all) {
		struct op *op = list_entry(node, struct op, node);

		if (op->flight_key && streq(op->flight_key, key) && !op_is_final(op))
			return op;
	}
	return NULL;
}

bool flight_exists(struct core *core, const char *key)
{
	return find(core, key) != NULL;
}

/* @op waits no longer. */
static void get_off(struct op *op)
{
	op_unref(TAKE_PTR(op->flight));
	op_unref(op);
}

static void landed(struct op_waiter *waiter, struct op *flight)
{
	struct op *op = container_of(waiter, struct op, passenger);

	if (flight->err.code < 0) {
		op->err = flight->err;
		if (op->err.kind == ERR_CANCELLED) /* not by us */
			op->err.kind = ERR_INTERNAL;
	}
	op_resume(op, op->err.code < 0 ? OP_FAIL : OP_NEXT);
	get_off(op);
}

/* Whatever came of it, @op looks again. */
static void landed_look_again(struct op_waiter *waiter, struct op *flight)
{
	struct op *op = container_of(waiter, struct op, passenger);

	(void)flight;
	op_resume_again(op);
	get_off(op);
}

static void pass_progress(struct op_waiter *waiter, struct op *flight)
{
	op_progress(container_of(waiter, struct op, passenger), flight->stage, flight->now_bytes,
		    flight->total_bytes);
}

static void give_up(struct op *op)
{
	(void)err_kind(&op->err, ERR_CANCELLED, "cancelled");
	op_resume(op, OP_FAIL);
	get_off(op);
}

static void leave(struct op *op)
{
	op_wait_cancel(&op->passenger);
	if (list_empty(&op->flight->waiters))
		(void)op_cancel(op->flight, NULL); /* -EINVAL: it has just landed */
	give_up(op);
}

/* What is under way was not begun for @op. */
static void look_away(struct op *op)
{
	op_wait_cancel(&op->passenger);
	give_up(op);
}

static enum op_next board(struct op *op, struct op *flight, struct op_waiter passenger,
			  void (*leaves)(struct op *op))
{
	(void)op_ref(op);
	op->flight = op_ref(flight);
	op->passenger = passenger;
	op_wait(flight, &op->passenger);
	op->cancel_wait = leaves;
	return OP_WAIT;
}

enum op_next flight_await(struct op *op, const char *key)
{
	struct op *flight = find(op->core, key);

	if (!flight)
		return OP_NEXT;
	return board(op, flight, (struct op_waiter){ .done = landed_look_again }, look_away);
}

enum op_next flight_join(struct op *op, const char *key, flight_start_fn *start, const void *arg)
{
	struct op *flight = find(op->core, key);

	if (!flight) {
		flight = start(op->core, arg, &op->err);
		if (!flight)
			return OP_FAIL;
		replace_str(&flight->flight_key, key);
	}
	return board(op, flight,
		     (struct op_waiter){
			     .done = flight->cancel_asked ? landed_look_again : landed,
			     .progress = pass_progress,
		     },
		     leave);
}
