/*
 * core/journal.h - what an operation leaves for the next sysctrd to finish or undo
 *
 * Layer: core. One row an operation, about one volume; core/reconcile.c reads them.
 */
#pragma once

#include "base/err.h"
#include "core/op.h"
#include "spec/instance.h"

/* @kind: "instance-create": its volume is nobody's until the row of the instance is there;
 * "instance-delete": the row is gone, the volume not yet; "instance-rename": the old name (object)
 * counts, the volume may be at "new_name"; "instance-rebuild": the root of "NAME.rebuild" has to take
 * the place of the old one; "instance-refresh": a stage may be left, one of its name in the pool
 * "detour" too, and "snapshots" that have no rows yet; core/still.h, core/snapshot.h, core/volume.h and core/inst_pool_move.c have more of them.
 * In the open transaction, if any. */
int journal_write(struct op *op, const char *kind, const struct inst_record *record,
		  struct err *err);

/* The same with more to know: @extra, added to the row's data. */
int journal_write_with(struct op *op, const char *kind, const struct inst_record *record,
		       const struct strmap *extra, struct err *err);

/* The same about something else: @object, and what finishing or undoing it needs. */
int journal_write_data(struct op *op, const char *kind, const char *object,
		       const struct strmap *data, struct err *err);
int journal_erase_in_tx(struct op *op, struct err *err);

/* By itself; a failure is logged, since the row is harmless then. */
void journal_erase(struct op *op);

/*
 * Undo of the step that wrote the row: it goes, unless something could not be removed
 * (op->undo_failed), which the next start tries again.
 */
enum op_next journal_undo(struct op *op);
