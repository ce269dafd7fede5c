/*
 * spec/disk.h - options of devices of type disk, and what they come to; pure
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "spec/instance.h"
#include "spec/key.h"

#define DISK_TMPFS "tmpfs:" /* source */

enum {
	DISK_ROWS = 21
};
extern const struct key_row disk_rows[DISK_ROWS];

/* The whole device. Errors: as of device_validate(). */
int disk_check(const struct strmap *device, struct err *err);

/* What of a checked device needs nothing of the host: all but the source, and whose ids it has. */
void disk_fill(const char *name, const struct strmap *device, struct spec_disk *disk);

/* limits.read, limits.write and limits.max of a checked device. Returns: whether there are any. */
bool disk_limits(const struct strmap *device, struct limits_io *ret_io);
