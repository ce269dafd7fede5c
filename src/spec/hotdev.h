/*
 * spec/hotdev.h - options of devices that are found by what they are: gpu, unix-hotplug, usb; pure
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/strmap.h"
#include "spec/key.h"

enum {
	GPU_ROWS = 13,
	UNIX_HOTPLUG_ROWS = 9,
	USB_ROWS = 12
};
extern const struct key_row gpu_rows[GPU_ROWS];
extern const struct key_row unix_hotplug_rows[UNIX_HOTPLUG_ROWS];
extern const struct key_row usb_rows[USB_ROWS];

/* Errors: as of device_validate(). */
int gpu_check(const struct strmap *device, struct err *err);
int unix_hotplug_check(const struct strmap *device, struct err *err);
int usb_check(const struct strmap *device, struct err *err);

/* A device of one of these types. */
bool hotdev_is(const struct strmap *device);

/* Whether the host has to have it when the instance starts. */
bool hotdev_is_required(const struct strmap *device);
