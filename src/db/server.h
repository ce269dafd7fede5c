/* db/server.h - the server's own configuration, and warnings (db, sysctrd) */
#pragma once

#include "base/err.h"
#include "base/strmap.h"
#include "db/db.h"
#include "spec/warning.h"

/* *@ret_config is all zero before. */
int db_config_load(struct db *db, struct strmap *ret_config, struct err *err);

/* @value NULL: unset. */
int db_config_set(struct db *db, const char *key, const char *value, struct err *err);

int db_warnings_load(struct db *db, void (*take)(void *data, struct warning_record *record),
		     void *data, struct err *err);

/* Make or replace the row of record->uuid. Errors: ERR_CONFLICT (same type and entity). */
int db_warning_set(struct db *db, const struct warning_record *record, struct err *err);
int db_warning_delete(struct db *db, const char *uuid, struct err *err);
