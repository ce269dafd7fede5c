/* api/instance_state.h - the state of an instance, as /state and recursion=2 show it (api) */
#pragma once

#include "codec/jsonw.h"
#include "spec/msg.h"

struct inst;

struct api_req;

/*
 * Ask every running instance of @insts for its usage, then call @done once with the answers in the
 * same order (NULL: not running, or no answer). An instance may be gone by then: @names tell.
 */
struct stats_list {
	size_t n;
	char **names; /* strv */
	struct msg **answers;
};
typedef void stats_done_fn(struct api_req *req, const struct stats_list *list);
void stats_gather(struct api_req *req, char **names, stats_done_fn *done);

/* @stats: the answer to MSG_STATS; NULL: only what is known without asking (lists). */
void write_instance_state(struct jsonw *w, const struct inst *inst, const struct msg *stats);
