/*
 * storage/overlay.h - images are shared read-only layers, an instance is an upper layer of its own
 *
 * Layer: storage. An instance is made in constant time; the monitor mounts it.
 */
#pragma once

#include "storage/driver.h"

extern const struct storage_driver overlay_driver;
