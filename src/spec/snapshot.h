/*
 * spec/snapshot.h - what an instance was at some time: the record, its likes, what it may be called
 *
 * Pure; local times are handed in broken down, so that tests choose zone and clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "base/vec.h"
#include "spec/instance.h"

#define SNAPSHOT_PATTERN "snap%d"

/* Strings are owned; free with snap_record_free(). */
struct snap_record {
	int64_t id; /* 0: not stored yet */
	int64_t instance_id;
	char *name;   /* "snap0" */
	char *volume; /* uuid: its directory in the instance's pool */
	struct inst_record
		*inst; /* the instance as it was; id range, pool and power do not count */
	int64_t created_wall_ns;
	int64_t expires_wall_ns; /* 0: never */
	bool scheduled;		 /* made by the instance's schedule: only those are pruned by it */
	uint64_t size_bytes;	 /* of its blocks; shared ones count too */
};

/* Makes an empty inst too. */
struct snap_record *snap_record_new(const char *name);
void snap_record_free(struct snap_record *record);
void snap_record_freep(struct snap_record **record);

/* Oldest first; a VEC() that has a name. */
struct snap_list {
	struct snap_record **items;
	size_t len, cap;
};

/* Put @record (taken) where it belongs by when it was made, behind others of that moment. */
void snap_list_add(struct snap_list *list, struct snap_record *record);
void snap_list_done(struct snap_list *list); /* frees the records too */

/* Names of their volumes: strv, NULL for none. */
char **snap_list_volumes(const struct snap_list *list);

/* What makes the snapshots of a copy those of its source. */
struct snap_changes {
	VEC(const struct snap_record *) come; /* of the source, oldest first */
	VEC(const struct snap_record *) go;   /* of the copy */
};

/*
 * Compare them as LXD and Incus do: one of the same name, made at the same time, is the same and stays.
 * @exclude_older: what the copy has no other of that name of comes only when it is newer than the newest
 * that both have. Free with snap_changes_done(); the records stay those of the lists.
 */
void snap_changes_find(const struct snap_list *source, const struct snap_list *copy,
		       bool exclude_older, struct snap_changes *ret_changes);
void snap_changes_done(struct snap_changes *changes);

/*
 * snapshots.pattern: letters, digits, . _ - and %d (a number), %Y %m %D %H %M %S (parts of the local
 * time), %F (%Y-%m-%D), %T (%H%M%S), %s (seconds since 1970). There is nothing else to be expanded.
 * Errors: ERR_INVALID with what would be right.
 */
int snapshot_pattern_check(const char *pattern, struct err *err);

/* Whether a name is taken. */
typedef bool snapshot_taken_fn(void *data, const char *name);

/*
 * The name that a valid @pattern gives at @local time: with %d the first number that is free above
 * all that are taken, else with "-1", "-2" ... behind it when it is taken. Returns: new string.
 */
char *snapshot_make_name(const char *pattern, const struct tm *local, int64_t wall_ns,
			 snapshot_taken_fn *taken, void *data);

/*
 * snapshots.expiry: "1M 2H 3d 4w 5m 6y", minutes to years; M and m differ. "" and "0" alone: never.
 * Added to @from_wall_ns in the calendar of UTC; a day that a month has not is its last.
 * Errors: ERR_INVALID with what would be right.
 */
int snapshot_expiry(const char *span, int64_t from_wall_ns, int64_t *ret_wall_ns, struct err *err);
