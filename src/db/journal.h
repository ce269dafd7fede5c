/* db/journal.h - unfinished operations (db, sysctrd) */
#pragma once

#include "base/err.h"
#include "db/db.h"
#include "spec/journal.h"

/* Oldest first. */
int db_journal_load(struct db *db, void (*take)(void *data, struct journal_record *record),
		    void *data, struct err *err);

/* Make or replace the row of record->id. */
int db_journal_set(struct db *db, const struct journal_record *record, struct err *err);
int db_journal_delete(struct db *db, const char *id, struct err *err);
