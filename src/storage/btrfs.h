/*
 * storage/btrfs.h - a driver for btrfs: each root is a subvolume "rootfs" in the directory of its volume,
 * copies and snapshots take constant time
 *
 * Layer: storage. The directories are plain ones, so that stages, renames, locks and the trash are
 * those of storage/volume.h.
 */
#pragma once

#include "storage/driver.h"

extern const struct storage_driver btrfs_driver;
