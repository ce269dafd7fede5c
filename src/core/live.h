/*
 * core/live.h - new configuration for containers that run: all their monitors take it, or none keeps it
 *
 * Layer: core. Part of an operation that edits an instance or a profile:
 *
 *   live_ask() of each instance, while its memory has what it is to become
 *   live_await() as the step's result: first the filters of nics are made as narrow as either needs,
 *   then the monitors are asked; one refusal, and those that took it get back what was
 *   live_take_back() as the step's undo, when a later step failed; else live_settled()
 *
 * A daemon that dies in between finds the monitors again and gives each what the database says.
 */
#pragma once

#include "base/err.h"
#include "core/op.h"

struct core;
struct inst;
struct live;
struct net_filters;

struct live *live_new(struct core *core);
struct live *live_free(struct live *live); /* returns NULL */

/* Nothing to do for an instance that does not run. Errors: of resolving it; nothing was asked then. */
int live_ask(struct live *live, struct inst *inst, struct err *err);

/* Do not go on because of @err: live_await() fails with it once the answers are there. */
void live_refuse(struct live *live, const struct err *err);

enum op_next live_await(struct op *op, struct live *live);
void live_take_back(struct live *live);

/* What was asked for is what the instances are now. */
void live_settled(struct live *live);

/* What the nics of edits under way are to send, beside what the instances' nics do. */
void live_collect_filters(const struct core *core, struct net_filters *filters);
