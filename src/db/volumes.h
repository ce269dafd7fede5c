/* db/volumes.h - custom volumes and their snapshots (db, sysctrd) */
#pragma once

#include "base/err.h"
#include "db/db.h"
#include "spec/volume.h"

/* Hand every row to @take, which owns it then; oldest first. */
int db_volumes_load(struct db *db, void (*take)(void *data, struct volume_record *record),
		    void *data, struct err *err);
int db_volume_snaps_load(struct db *db, void (*take)(void *data, struct volume_snap *snap),
			 void *data, struct err *err);

/* Store a new one; fills record->id. Errors: ERR_CONFLICT (name taken), ERR_NOT_FOUND (pool). */
int db_volume_insert(struct db *db, struct volume_record *record, struct err *err);

/* Make the row with record->id what the record says; the name too. Errors: as insert. */
int db_volume_update(struct db *db, const struct volume_record *record, struct err *err);

/* With its snapshots. */
int db_volume_delete(struct db *db, int64_t id, struct err *err);

/* The same for snapshots. */
int db_volume_snap_insert(struct db *db, struct volume_snap *snap, struct err *err);
/* Name, description, expiry and volume. */
int db_volume_snap_update(struct db *db, const struct volume_snap *snap, struct err *err);
int db_volume_snap_delete(struct db *db, int64_t id, struct err *err);
