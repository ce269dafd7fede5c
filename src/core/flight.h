/*
 * core/flight.h - work that several operations want and only one does: unpacking, building
 *
 * Layer: core. A flight is an op of its own with a key; ops that need its outcome wait for it and
 * show its progress. When the last of them is cancelled, so is the flight;
 * who comes to one that is being cancelled waits for its end and starts another.
 */
#pragma once

#include "core/op.h"

/*
 * Wait, as the current step of @op, for the flight @key; the step has to return what this returns.
 *
 * @start: makes and starts the flight's op when there is none. @arg: for it.
 */
typedef struct op *flight_start_fn(struct core *core, const void *arg, struct err *err);
enum op_next flight_join(struct op *op, const char *key, flight_start_fn *start, const void *arg);

/*
 * Wait, as the current step of @op, until nobody is about @key; then the step runs again. The step has to
 * return what this returns; OP_NEXT: nobody is.
 */
enum op_next flight_await(struct op *op, const char *key);

/* Whether a flight with that key is under way. */
bool flight_exists(struct core *core, const char *key);
