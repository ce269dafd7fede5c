/* api/snapshot_diff.c - GET of what has changed since a snapshot, passed on as the helper wrote it */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/handlers.h"
#include "base/mem.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/snapshot.h"

struct comparison {
	struct api_req *req;
	struct op *op;
	struct op_waiter waiter;
	int fd; /* of the result */
};

/* Answers and frees. */
static void finish(struct comparison *comparison, bool whole)
{
	struct api_req *req = comparison->req;

	if (whole)
		reply_file(req, TAKE_FD(comparison->fd), NULL);
	else
		reply_error(req);
	if (comparison->fd >= 0)
		(void)close(comparison->fd);
	op_unref(comparison->op);
	free(comparison);
}

static void compared(struct op_waiter *waiter, struct op *op)
{
	struct comparison *comparison = container_of(waiter, struct comparison, waiter);

	comparison->req->err = op->err;
	finish(comparison, op->status == OP_SUCCESS);
}

/* Nobody reads it any more. */
static void gone(void *data)
{
	struct comparison *comparison = data;

	op_wait_cancel(&comparison->waiter);
	(void)op_cancel(comparison->op, NULL); /* it may be over by now */
	(void)err_kind(&comparison->req->err, ERR_CANCELLED, "cancelled");
	finish(comparison, false);
}

void snapshot_diff_get(struct api_req *req)
{
	struct comparison *comparison;
	struct op *op = NULL;
	struct inst *inst;
	int fd = -1, r = inst_find(req->core, req->args[0], &inst, &req->err);

	if (r == 0)
		r = snapshot_diff(inst, req->args[1], api_query(req, "to"), &fd, &op, &req->err);
	if (r < 0) {
		reply_error(req);
		return;
	}
	comparison = xcalloc(1, sizeof(*comparison));
	comparison->req = req;
	comparison->op = op_ref(op);
	comparison->fd = fd;
	comparison->waiter.done = compared;
	op_wait(op, &comparison->waiter);
	http_req_on_gone(req->http, gone, comparison);
}
