/* core/live.c - see live.h */
#include "core/live.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/hotplug.h"
#include "core/inst.h"
#include "core/inst_ops.h"
#include "core/monitor_conn.h"
#include "core/nat.h"
#include "core/network_filter.h"
#include "core/nicfilter.h"
#include "network/filter.h"

struct live {
	struct list node; /* in core->lives */
	struct core *core;
	struct op *op;	    /* waits for the answers; NULL: does not wait yet */
	struct list asking; /* questions that wait for the filters */
	size_t waiting;
	char **taken;	/* names of those that took it */
	struct err err; /* of the first that refused */
	struct net_filters filters;
};

struct question {
	struct list node; /* in live->asking, until it is sent */
	struct live *live;
	char *name;
	struct inst_spec spec;
};

struct live *live_new(struct core *core)
{
	struct live *live = xcalloc(1, sizeof(*live));

	live->core = core;
	list_init(&live->asking);
	list_append(&core->lives, &live->node);
	return live;
}

static void free_question(struct question *question)
{
	list_remove(&question->node);
	wire_free(&inst_spec_schema, &question->spec);
	free(question->name);
	free(question);
}

static void forget_questions(struct live *live)
{
	struct list *node, *next;

	list_for_each_safe(node, next, &live->asking)
		free_question(list_entry(node, struct question, node));
}

struct live *live_free(struct live *live)
{
	if (!live)
		return NULL;
	forget_questions(live);
	list_remove(&live->node);
	net_filters_done(&live->filters);
	strv_free(live->taken);
	free(live);
	return NULL;
}

void live_collect_filters(const struct core *core, struct net_filters *filters)
{
	const struct list *node;

	list_for_each(node, &core->lives)
		net_filters_merge(filters, &list_entry(node, struct live, node)->filters);
}

/* Also without filters of its own: an instance may have lost what it had. */
void live_settled(struct live *live)
{
	net_filters_done(&live->filters);
	(void)netman_filters_apply(live->core->net, NULL, NULL);
}

void live_take_back(struct live *live)
{
	for (char **name = live->taken; name && *name; name++) {
		struct inst *inst = strmap_get(&live->core->instances, *name);

		if (inst)
			inst_push_spec(inst);
	}
	live->taken = strv_free(live->taken);
	live_settled(live);
}

static enum op_next outcome(struct op *op, struct live *live)
{
	if (live->err.code >= 0)
		return OP_NEXT;
	live_take_back(live);
	op->err = live->err;
	return OP_FAIL;
}

/* Not what the host cannot do, which has the same code: docs/protocol-monitor.md, 6. */
static bool is_older(const struct err *why)
{
	return why->code == -EOPNOTSUPP && str_after(why->msg, "unknown request");
}

static void refused(struct live *live, const char *name, const struct err *why)
{
	if (live->err.code < 0)
		return;
	live->err = *why;
	if (is_older(why))
		(void)err_kind(&live->err, ERR_CONFLICT,
			       "instance \"%s\" was started by an older version: restart it first",
			       name);
	else
		(void)err_wrap(&live->err, "instance \"%s\"", name);
}

/* An instance that stopped meanwhile has the new configuration at its next start. */
static void answered(void *data, const struct msg *answer, enum msg_type type, int *fds,
		     size_t n_fds)
{
	struct question *question = data;
	struct live *live = question->live;
	struct err err = { 0 };

	(void)fds;
	(void)n_fds;
	if (answer && monitor_answer_err(answer, type, &err) < 0)
		refused(live, question->name, &err);
	else if (answer)
		strv_push(&live->taken, question->name);
	free_question(question);
	if (--live->waiting == 0 && live->op)
		op_resume(live->op, outcome(live->op, live));
}

int live_ask(struct live *live, struct inst *inst, struct err *err)
{
	struct question *question;
	int r;

	if (!inst->conn || inst->releasing)
		return 0;
	question = xcalloc(1, sizeof(*question));
	list_init(&question->node);
	question->live = live;
	question->name = xstrdup(inst->record->name);
	r = inst_ensure_networks(inst, err);
	if (r == 0)
		r = nat_check(inst, true, err);
	if (r == 0)
		r = hotplug_check(inst, err);
	if (r == 0)
		r = inst_make_spec(inst, &question->spec, err);
	if (r < 0) {
		free_question(question);
		return r;
	}
	nicfilter_add(inst, &live->filters);
	list_append(&live->asking, &question->node);
	return 0;
}

/* One that stopped meanwhile is asked nothing. */
static void send_question(struct live *live, struct question *question)
{
	struct inst *inst = strmap_get(&live->core->instances, question->name);
	struct err err = { 0 };

	list_remove(&question->node);
	if (!inst || !inst->conn || inst->releasing) {
		free_question(question);
		return;
	}
	live->waiting++;
	if (monitor_request_spec(inst, &question->spec, answered, question, &err) == 0)
		return;
	live->waiting--;
	refused(live, question->name, &err);
	free_question(question);
}

static void send_questions(struct live *live)
{
	struct list *node, *next;

	list_for_each_safe(node, next, &live->asking)
		send_question(live, list_entry(node, struct question, node));
}

static void filters_done(void *data, const struct err *err)
{
	struct live *live = data;
	struct op *op = live->op;

	if (err) {
		live_refuse(live, err);
		forget_questions(live);
	} else {
		send_questions(live);
	}
	if (live->waiting == 0)
		op_resume(op, outcome(op, live));
}

void live_refuse(struct live *live, const struct err *err)
{
	if (live->err.code >= 0)
		live->err = *err;
}

enum op_next live_await(struct op *op, struct live *live)
{
	if (live->err.code < 0)
		forget_questions(live);
	live->op = op;
	if (!net_filters_empty(&live->filters) && !list_empty(&live->asking) &&
	    !netman_filters_apply(live->core->net, filters_done, live))
		return OP_WAIT;
	send_questions(live);
	return live->waiting > 0 ? OP_WAIT : outcome(op, live);
}
