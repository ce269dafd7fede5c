/*
 * core/inst_ids.h - ids of the host that instances have: ranges of their own, and those of raw.idmap
 *
 * Layer: core. Files on disk have ids from 0, so that nothing is chowned when a range changes.
 */
#pragma once

#include "base/err.h"

struct core;
struct inst;
struct inst_record;
struct strmap;

/*
 * A range that nobody has, placeholders and containers that the database does not know included, of
 * the length that its expanded configuration asks for; into its record.
 */
int inst_choose_ids(struct inst *inst, struct err *err);

/*
 * Before a start: another range, stored, when it asks for another length than it has, and raw.idmap
 * checked, since the configuration of the daemon may be another one than when that was set.
 */
int inst_settle_ids(struct inst *inst, struct err *err);

/*
 * raw.idmap of the expanded @config against the ids that containers get, and those that they got.
 * Errors: ERR_INVALID.
 */
int inst_check_idmap(struct core *core, const struct strmap *config, struct err *err);

/* What helpers pack, in their own range, has no more ids. Errors: ERR_UNSUPPORTED. */
int inst_check_packable(const struct inst_record *record, struct err *err);
