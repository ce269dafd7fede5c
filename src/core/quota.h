/*
 * core/quota.h - the size of root disks: what is wanted, what the volume has, making both the same
 *
 * Layer: core. What a volume has is noted in its instance's row as "volatile.root.size"; while it is
 * being changed the note says that nobody knows, so that the next start of the instance, or of
 * sysctrd, sets it again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/op.h"
#include "spec/expand.h"
#include "spec/instance.h"

struct core;
struct inst;

/* The "size" of the root disk in bytes; 0: none. */
uint64_t quota_wanted(const struct expanded *expanded);

/* A new volume has the limit @bytes (0: none): into the record, which the caller stores. */
void quota_note(struct inst_record *record, uint64_t bytes);

/* What is noted of @from is so of @record too. */
void quota_carry(struct inst_record *record, const struct inst_record *from);

/* Step: the volume of op->inst gets what is wanted, and that is stored; mostly nothing to do. */
enum op_next quota_step_settle(struct op *op);

/*
 * Part of an edit: the volume of op->inst gets the limit @bytes, and the note in memory follows,
 * for the caller to store. Errors: of volume_limit in storage/driver.h; it is what it was then.
 */
enum op_next quota_change(struct op *op, uint64_t bytes);

/* The same by itself, for an instance whose profile was edited; a failure is a warning. */
void quota_settle_later(struct inst *inst);
void quota_settle_all(struct core *core);
