/* core/journal.c - see journal.h */
#include "core/journal.h"

#include "aio/loop.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/core.h"
#include "core/op.h"
#include "db/journal.h"

int journal_write(struct op *op, const char *kind, const struct inst_record *record,
		  struct err *err)
{
	return journal_write_with(op, kind, record, NULL, err);
}

int journal_write_with(struct op *op, const char *kind, const struct inst_record *record,
		       const struct strmap *extra, struct err *err)
{
	struct strmap data = { 0 };
	int r;

	strmap_set(&data, "pool", record->pool);
	if (record->image_fingerprint)
		strmap_set(&data, "image", record->image_fingerprint);
	if (extra)
		strmap_merge(&data, extra);
	r = journal_write_data(op, kind, record->name, &data, err);
	strmap_done(&data);
	return r;
}

int journal_write_data(struct op *op, const char *kind, const char *object,
		       const struct strmap *data, struct err *err)
{
	_cleanup_(journal_record_freep) struct journal_record *row = journal_record_new(op->id);

	replace_str(&row->kind, kind);
	replace_str(&row->object, object);
	replace_str(&row->step, op_step_name(op));
	row->created_wall_ns = aio_wall_now(op->core->loop);
	strmap_merge(&row->data, data);
	return db_journal_set(op->core->db, row, err);
}

int journal_erase_in_tx(struct op *op, struct err *err)
{
	return db_journal_delete(op->core->db, op->id, err);
}

void journal_erase(struct op *op)
{
	struct err err = { 0 };

	if (db_journal_delete(op->core->db, op->id, &err) < 0)
		log_error(((struct log_keys){ .op = op->id }), "forget journal row: %s", err.msg);
}

enum op_next journal_undo(struct op *op)
{
	if (!op->undo_failed)
		journal_erase(op);
	return OP_NEXT;
}
