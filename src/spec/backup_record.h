/*
 * spec/backup_record.h - a backup that clients ask for in two steps: what is to be in it (spec, pure)
 *
 * It has no bytes of its own: they are packed while they are fetched.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	BACKUPS_MAX = 100 /* of one instance or volume */
};

/* Strings are owned; free with backup_record_free(). */
struct backup_record {
	int64_t id;			/* of its row */
	int64_t instance_id, volume_id; /* whose it is; the other is 0 */
	char *name;			/* "backup0" */
	char *compression;		/* of job_compressions */
	bool alone;			/* without the snapshots */
	int64_t created_wall_ns;
	int64_t expires_wall_ns; /* 0: never */
};

struct backup_record *backup_record_new(const char *name);
struct backup_record *backup_record_copy(const struct backup_record *record);
void backup_record_free(struct backup_record *record);
void backup_record_freep(struct backup_record **record);
