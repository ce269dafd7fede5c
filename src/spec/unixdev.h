/*
 * spec/unixdev.h - options of devices of type unix-char and unix-block: device nodes; pure
 */
#pragma once

#include "base/err.h"
#include "base/strmap.h"
#include "spec/key.h"

enum {
	UNIXDEV_ROWS = 10
};
extern const struct key_row unixdev_rows[UNIXDEV_ROWS];

/* Errors: as of device_validate(). */
int unixdev_check(const struct strmap *device, struct err *err);
