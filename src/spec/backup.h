/*
 * spec/backup.h - what a backup says of the instance in it: backup/index.yaml, as LXD, Incus and
 * this program write it; and the side file beside an instance's volume, the same with a bit more
 *
 * Pure. It is parsed only in the sandbox of sysctr-unpack; sysctrd gets the struct by its schema
 * and takes every word of it for a stranger's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "base/vec.h"
#include "codec/wire.h"

enum {
	BACKUP_SNAPSHOTS_MAX = 200,
	BACKUP_PROFILES_MAX = 100,
	BACKUP_INDEX_BYTES_MAX = 4 << 20 /* encoded */
};

struct backup_device {
	char *name;
	struct strmap options;
};
extern const struct wire_schema backup_device_schema;

/* An instance, or a snapshot of it. NULL and 0: it does not say. */
struct backup_item {
	char *name;
	char *description;
	char *architecture;
	bool ephemeral;
	int64_t created_wall_ns;
	int64_t expires_wall_ns;
	char **profiles;
	struct strmap config;
	VEC(struct backup_device) devices;
	bool scheduled;	     /* a snapshot that its schedule made */
	uint64_t size_bytes; /* of a snapshot */
};
extern const struct wire_schema backup_item_schema;

struct backup_index {
	struct backup_item instance;
	VEC(struct backup_item) snapshots; /* oldest first; valid names, each once */
	VEC(struct backup_item) profiles;  /* name, description, config and devices */
	/* of a side file only; the key is a snapshot's name, "" the instance; uuids are not checked */
	struct strmap volumes; /* -> uuid of a snapshot's volume */
	struct strmap images;  /* -> fingerprint of what it stands on */
};
extern const struct wire_schema backup_index_schema; /* free with wire_free() */

/*
 * Fill the zeroed *@ret_index, which is to be freed also after a failure. The name of the instance
 * is not checked, since another one may be given.
 *
 * Errors: ERR_INVALID; ERR_UNSUPPORTED for backups in a storage driver's own format, of virtual
 * machines and of volumes.
 */
int backup_parse_index(const void *text, size_t len, struct backup_index *ret_index,
		       struct err *err);

/*
 * The same of a custom volume: the index has that as "instance", and its snapshots.
 * Errors: as above; ERR_UNSUPPORTED when it is no volume, or one of blocks.
 */
int backup_parse_volume_index(const void *text, size_t len, struct backup_index *ret_index,
			      struct err *err);
