/* db/backups.h - backups of instances that were asked for (db, sysctrd) */
#pragma once

#include "base/err.h"
#include "db/db.h"
#include "spec/backup_record.h"

/* Hand every row to @take, which owns it then; oldest first. */
int db_backups_load(struct db *db, void (*take)(void *data, struct backup_record *record),
		    void *data, struct err *err);

/* Errors: ERR_CONFLICT (name taken). */
int db_backup_insert(struct db *db, const struct backup_record *record, struct err *err);
int db_backup_rename(struct db *db, const struct backup_record *record, const char *name,
		     struct err *err);
int db_backup_delete(struct db *db, const struct backup_record *record, struct err *err);
