/*
 * storage/dir.h - an instance is a full copy of its image, for file systems that cannot do better
 *
 * Layer: storage. Where the file system can share blocks the copy costs no space.
 */
#pragma once

#include "storage/driver.h"

extern const struct storage_driver dir_driver;
