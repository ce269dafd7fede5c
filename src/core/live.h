/*
 * core/live.h - new configuration for containers that run: all their monitors take it, or none keeps it
 *
 * Layer: core. Part of an operation that edits an instance or a profile:
 *
 *   live_ask() of each instance, while its memory has what it is to become
 *   live_await() as the step's result: one refusal, and those that took it get back what was
 *   live_take_back() as the step's undo, when a later step failed
 *
 * A daemon that dies in between finds the monitors again and gives each what the database says.
 */
#pragma once

#include "base/err.h"
#include "core/op.h"

struct core;
struct inst;
struct live;

struct live *live_new(struct core *core);
struct live *live_free(struct live *live); /* returns NULL */

/* Nothing to do for an instance that does not run. Errors: of resolving it; nothing was asked then. */
int live_ask(struct live *live, struct inst *inst, struct err *err);

/* Do not go on because of @err: live_await() fails with it once the answers are there. */
void live_refuse(struct live *live, const struct err *err);

enum op_next live_await(struct op *op, struct live *live);
void live_take_back(struct live *live);
