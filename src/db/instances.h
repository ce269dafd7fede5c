/* db/instances.h - instances with configuration, devices, profiles and id range (db, sysctrd) */
#pragma once

#include "base/err.h"
#include "db/db.h"
#include "spec/instance.h"

/* Hand every row to @take, which owns it then; oldest first. */
int db_instances_load(struct db *db, void (*take)(void *data, struct inst_record *record),
		      void *data, struct err *err);

/*
 * Store a new one; fills record->id.
 * Errors: ERR_CONFLICT (name or id range taken), ERR_NOT_FOUND (pool or profile unknown).
 */
int db_instance_insert(struct db *db, struct inst_record *record, struct err *err);

/* Make the row with record->id what the record says; the name too. Errors: as insert. */
int db_instance_update(struct db *db, const struct inst_record *record, struct err *err);

/* Small changes without touching the rest. @value NULL: unset. */
int db_instance_set_config(struct db *db, int64_t id, const char *key, const char *value,
			   struct err *err);
int db_instance_set_power(struct db *db, int64_t id, const char *power, struct err *err);
int db_instance_set_last_used(struct db *db, int64_t id, int64_t wall_ns, struct err *err);

/* With its configuration, devices, leases and id range. */
int db_instance_delete(struct db *db, int64_t id, struct err *err);
