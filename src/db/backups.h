/* db/backups.h - backups of instances and custom volumes that were asked for (db, sysctrd) */
#pragma once

#include "base/err.h"
#include "db/db.h"
#include "spec/backup_record.h"

/* Hand every row to @take, which owns it then; oldest first. */
int db_backups_load(struct db *db, void (*take)(void *data, struct backup_record *record),
		    void *data, struct err *err);

/* Store a new one; fills record->id. Errors: ERR_CONFLICT (name taken). */
int db_backup_insert(struct db *db, struct backup_record *record, struct err *err);
int db_backup_rename(struct db *db, int64_t id, const char *name, struct err *err);
int db_backup_delete(struct db *db, int64_t id, struct err *err);
