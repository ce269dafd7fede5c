/* spec/volume.h - a custom volume of a storage pool, and its snapshots (spec, pure) */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "spec/key.h"

/* Strings are owned; free with volume_record_free(). */
struct volume_record {
	int64_t id; /* 0: not stored yet */
	char *pool;
	char *name;
	char *volume; /* uuid: its directory in the pool */
	char *description;
	struct strmap config;
	int64_t created_wall_ns;
};

/* A snapshot of one; free with volume_snap_free(). */
struct volume_snap {
	int64_t id; /* 0: not stored yet */
	int64_t volume_id;
	char *name;
	char *volume; /* uuid */
	char *description;
	int64_t created_wall_ns;
	int64_t expires_wall_ns; /* 0: never */
	bool scheduled;		 /* made by the schedule: only those are pruned by it */
	uint64_t size_bytes;	 /* of its blocks; shared ones count too */
};

extern const struct key_table volume_keys;

struct volume_record *volume_record_new(const char *pool, const char *name);
struct volume_record *volume_record_copy(const struct volume_record *record);
void volume_record_free(struct volume_record *record);
void volume_record_freep(struct volume_record **record);

struct volume_snap *volume_snap_new(const char *name);
struct volume_snap *volume_snap_copy(const struct volume_snap *snap);
void volume_snap_free(struct volume_snap *snap);
void volume_snap_freep(struct volume_snap **snap);

/* Name and keys. Whether the pool can keep to a "size" is its driver's business. */
int volume_record_validate(const struct volume_record *record, struct err *err);
