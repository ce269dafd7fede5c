/* db/profiles.h - profiles (db, sysctrd) */
#pragma once

#include "base/err.h"
#include "db/db.h"
#include "spec/profile.h"

int db_profiles_load(struct db *db, void (*take)(void *data, struct profile_record *record),
		     void *data, struct err *err);

/* Errors: ERR_CONFLICT. Fills record->id. */
int db_profile_insert(struct db *db, struct profile_record *record, struct err *err);
int db_profile_update(struct db *db, const struct profile_record *record, struct err *err);

/* Errors: ERR_CONFLICT while instances use it. */
int db_profile_delete(struct db *db, int64_t id, struct err *err);
