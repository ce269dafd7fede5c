/* db/pools.h - storage pools (db, sysctrd) */
#pragma once

#include "base/err.h"
#include "db/db.h"
#include "spec/pool.h"

int db_pools_load(struct db *db, void (*take)(void *data, struct pool_record *record), void *data,
		  struct err *err);

/* Errors: ERR_CONFLICT. Fills record->id. */
int db_pool_insert(struct db *db, struct pool_record *record, struct err *err);
int db_pool_update(struct db *db, const struct pool_record *record, struct err *err);

/* Forget that images are unpacked on it. */
int db_pool_forget_images(struct db *db, int64_t id, struct err *err);

/* Errors: ERR_CONFLICT while instances or image volumes are on it. */
int db_pool_delete(struct db *db, int64_t id, struct err *err);
