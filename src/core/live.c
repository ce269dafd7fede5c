/* core/live.c - see live.h */
#include "core/live.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/inst_ops.h"
#include "core/monitor_conn.h"

struct live {
	struct core *core;
	struct op *op; /* waits for the answers; NULL: does not wait yet */
	size_t waiting;
	char **taken;	/* names of those that took it */
	struct err err; /* of the first that refused */
};

struct question {
	struct live *live;
	char *name;
};

struct live *live_new(struct core *core)
{
	struct live *live = xcalloc(1, sizeof(*live));

	live->core = core;
	return live;
}

struct live *live_free(struct live *live)
{
	if (live)
		strv_free(live->taken);
	free(live);
	return NULL;
}

void live_take_back(struct live *live)
{
	for (char **name = live->taken; name && *name; name++) {
		struct inst *inst = strmap_get(&live->core->instances, *name);

		if (inst)
			inst_push_spec(inst);
	}
	live->taken = strv_free(live->taken);
}

static enum op_next outcome(struct op *op, struct live *live)
{
	if (live->err.code >= 0)
		return OP_NEXT;
	live_take_back(live);
	op->err = live->err;
	return OP_FAIL;
}

static void refused(struct live *live, const char *name, const struct err *why)
{
	if (live->err.code < 0)
		return;
	live->err = *why;
	if (why->code == -EOPNOTSUPP)
		(void)err_kind(&live->err, ERR_CONFLICT,
			       "instance \"%s\" was started by an older version: restart it first",
			       name);
	else
		(void)err_wrap(&live->err, "instance \"%s\"", name);
	live->err.kind = why->code == -EOPNOTSUPP ? ERR_CONFLICT : why->kind;
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
	free(question->name);
	free(question);
	if (--live->waiting == 0 && live->op)
		op_resume(live->op, outcome(live->op, live));
}

int live_ask(struct live *live, struct inst *inst, struct err *err)
{
	struct inst_spec spec = { 0 };
	struct question *question;
	int r;

	if (!inst->conn || inst->releasing)
		return 0;
	r = inst_ensure_networks(inst, err);
	if (r == 0)
		r = inst_make_spec(inst, &spec, err);
	if (r == 0) {
		question = xcalloc(1, sizeof(*question));
		question->live = live;
		question->name = xstrdup(inst->record->name);
		live->waiting++;
		r = monitor_request_spec(inst, &spec, answered, question, err);
		if (r < 0) {
			live->waiting--;
			free(question->name);
			free(question);
		}
	}
	wire_free(&inst_spec_schema, &spec);
	return r;
}

void live_refuse(struct live *live, const struct err *err)
{
	if (live->err.code >= 0)
		live->err = *err;
}

enum op_next live_await(struct op *op, struct live *live)
{
	if (live->waiting == 0)
		return outcome(op, live);
	live->op = op;
	return OP_WAIT;
}
