/*
 * storage/policy.h - where a pool's volumes lie and what a driver offers; pure, the one header of
 * this layer that sysctrd may see
 *
 *   <pool>/images/<fingerprint>/rootfs       read-only, ids unshifted, shared
 *   <pool>/instances/<name>/rootfs           dir, btrfs (a subvolume, as all others there), or overlay without an image: the root itself
 *   <pool>/instances/<name>/{upper,work}     overlay
 *   <pool>/snapshots/<uuid>/{rootfs|upper}   what an instance's volume held; its name is in the
 *                                            database, so that renaming touches no disk
 *   <pool>/records/, <pool>/pool.yaml       what the database says of it all (storage/side.h)
 *   <pool>/custom/<uuid>/rootfs              a custom volume; its name is in the database too
 *   <pool>/.new-<uuid>, <pool>/trash/<uuid>  unfinished; dead
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "spec/instance.h"

enum storage_cap {
	STORAGE_CAP_SHARED_IMAGE = 1 << 0, /* instances stand on the image's volume */
	STORAGE_CAP_SNAPSHOT = 1 << 1,	   /* in constant time */
};

/* What a pool holds; each kind has a directory of its own. */
enum volume_kind {
	VOLUME_IMAGE,
	VOLUME_INSTANCE,
	VOLUME_SNAPSHOT, /* of an instance or of a custom volume */
	VOLUME_CUSTOM,	 /* of its own: attached to instances as a disk */
	VOLUME_KIND_MAX
};

/* How a volume is copied while somebody may write to it. */
enum copy_pass {
	COPY_WHOLE, /* nobody does */
	COPY_LIVE,  /* somebody may: of an instance COPY_REST has to follow */
	COPY_REST,  /* nobody does any more: bring the copy of COPY_LIVE up to date */
	COPY_PASS_MAX
};

/* STORAGE_CAP_* of a driver by name. Errors: ERR_INVALID "unknown storage driver". */
int storage_driver_caps(const char *driver, uint32_t *ret_caps, struct err *err);

/* Names of all drivers, NULL-terminated, best first. */
const char *const *storage_driver_names(void);

/*
 * Fill root_kind, root_path and root_lower of *@spec for the volume @instance.
 * @image: fingerprint, NULL when it stands on none. root_path is the volume's directory for
 * ROOT_OVERLAY and the root file system for ROOT_DIR; whoever uses it holds it with flock.
 */
int storage_fill_root(const char *driver, const char *pool_dir, const char *instance,
		      const char *image, struct inst_spec *spec, struct err *err);

/* What is mounted of the custom volume @volume (a uuid): owned by the caller. */
char *storage_custom_root(const char *pool_dir, const char *volume);
