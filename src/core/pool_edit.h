/*
 * core/pool_edit.h - storage pools are made, edited and deleted
 *
 * Layer: core. A pool that is being made is "Pending", one that is being deleted "Deleting": nothing
 * is put on either. A crash leaves the first for the next start to prepare, the second as an empty
 * pool.
 */
#pragma once

#include "base/err.h"
#include "spec/pool.h"

struct core;
struct op;

/*
 * Make a pool; @record is copied. The result's driver is never "auto".
 *
 * Errors: ERR_CONFLICT (name or source is taken), ERR_INVALID; of the op: ERR_UNSUPPORTED with what
 * the file system lacks.
 */
int pool_make(struct core *core, const struct pool_record *record, struct op **ret_op,
	      struct err *err);

/* Errors: ERR_CONFLICT when its directory is another pool's, below or above one. */
int pool_check_place(struct core *core, const struct pool_record *record, struct err *err);

/*
 * Description, "user." keys, and a larger "size"; others have to be as they are.
 *
 * @ret_op: what makes the pool larger; NULL when all is done. Errors: ERR_INVALID, ERR_CONFLICT.
 */
int pool_edit(struct core *core, const struct pool_record *record, struct op **ret_op,
	      struct err *err);

/*
 * @forget: it is lost, and whatever is where it was stays there, unlooked at.
 * Errors: ERR_CONFLICT while an instance or a profile names it; ERR_INVALID.
 */
int pool_delete(struct core *core, const char *name, bool forget, struct op **ret_op,
		struct err *err);
