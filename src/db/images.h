/*
 * db/images.h - images with aliases and properties, and which pools hold them unpacked (db, sysctrd)
 *
 * An unpacked image volume has a row of its own: it outlives its image while instances stand on it.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "db/db.h"
#include "spec/image.h"

int db_images_load(struct db *db, void (*take)(void *data, struct image_record *record), void *data,
		   struct err *err);

/* With properties and aliases. Errors: ERR_CONFLICT (fingerprint or alias taken). Fills id. */
int db_image_insert(struct db *db, struct image_record *record, struct err *err);
int db_image_update(struct db *db, const struct image_record *record, struct err *err);
int db_image_set_last_used(struct db *db, int64_t id, int64_t wall_ns, struct err *err);
int db_image_delete(struct db *db, int64_t id, struct err *err);

/* Point an alias to another image, or make it; taken away from where it was. */
int db_image_alias_set(struct db *db, int64_t image_id, const char *name, const char *description,
		       struct err *err);
int db_image_alias_rename(struct db *db, const char *name, const char *new_name, struct err *err);
int db_image_alias_delete(struct db *db, const char *name, struct err *err);

/* Unpacked volumes. @users: instances of that pool that stand on it. */
int db_image_volumes_load(struct db *db,
			  void (*take)(void *data, const char *pool, const char *fingerprint,
				       uint64_t users),
			  void *data, struct err *err);
int db_image_volume_insert(struct db *db, const char *pool, const char *fingerprint,
			   struct err *err); /* fine when it is there already */
int db_image_volume_delete(struct db *db, const char *pool, const char *fingerprint,
			   struct err *err);
