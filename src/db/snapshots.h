/* db/snapshots.h - snapshots of instances; when the next ones, of volumes too, are due (db, sysctrd) */
#pragma once

#include "base/err.h"
#include "db/db.h"
#include "spec/snapshot.h"

/* Hand every row to @take, which owns it then; oldest first. */
int db_snapshots_load(struct db *db, void (*take)(void *data, struct snap_record *record),
		      void *data, struct err *err);

/* Store a new one; fills record->id. Errors: ERR_CONFLICT (name taken). */
int db_snapshot_insert(struct db *db, struct snap_record *record, struct err *err);
int db_snapshot_rename(struct db *db, int64_t id, const char *name, struct err *err);
int db_snapshot_set_expiry(struct db *db, int64_t id, int64_t wall_ns, struct err *err);
int db_snapshot_delete(struct db *db, int64_t id, struct err *err);

/* When schedules are due: of instances, and of custom volumes. */
struct db_runs;
extern const struct db_runs db_instance_runs;
extern const struct db_runs db_volume_runs;

/* The next run of the schedule of @id's row. @schedule NULL: none any more. */
int db_run_set(struct db *db, const struct db_runs *runs, int64_t id, const char *schedule,
	       int64_t next_wall_ns, struct err *err);
int db_runs_load(struct db *db, const struct db_runs *runs,
		 void (*take)(void *data, int64_t id, const char *schedule, int64_t next_wall_ns),
		 void *data, struct err *err);
