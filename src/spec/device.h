/*
 * spec/device.h - a device: its keys and values ("type" -> "nic", "network" -> "sysctrbr0")
 *
 * A set of devices is a strmap from the device's name to a struct strmap; use devices_init().
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/strmap.h"
#include "spec/key.h"

/* Make *@devices an empty set that owns its devices. */
void devices_init(struct strmap *devices);

/* The device @name, made empty when missing; owned by the set. */
struct strmap *devices_add(struct strmap *devices, const char *name);
struct strmap *devices_get(const struct strmap *devices, const char *name);
void devices_copy(struct strmap *dst, const struct strmap *src); /* deep; dst is emptied first */
bool devices_equal(const struct strmap *a, const struct strmap *b);

/* The first of @keys that @device has a value of; NULL: none. */
const char *device_first_of(const struct strmap *device, const char *const *keys);

/* The value of @key of @device, or @fallback. Borrowed. */
const char *device_get(const struct strmap *device, const char *key, const char *fallback);

/*
 * Check a device's type, keys and values as they stand after expansion.
 * Errors: ERR_INVALID naming device, key, value and what would be right; ERR_UNSUPPORTED for types
 * that other managers have and this one does not.
 */
int device_validate(const char *name, const struct strmap *device, struct err *err);

/*
 * The same for a device of a profile or an instance before expansion: nothing is required, and
 * without a type every option of any type is fine.
 */
int device_validate_partial(const char *name, const struct strmap *device, struct err *err);

/* Each device as it stands, and what spans them: one root disk, no interface name twice. */
int devices_validate(const struct strmap *devices, struct err *err);

/* "/a//b/./c/" as "/a/b/c"; owned by the caller. */
char *device_plain_path(const char *path);

bool device_is_root(const struct strmap *device);

/*
 * Whether an instance that runs with @old can get @new without a restart.
 * Errors: ERR_INVALID naming device and key.
 */
int devices_check_live(const struct strmap *old, const struct strmap *new, struct err *err);

/* The name of the device that is the root disk; NULL: none. Borrowed. */
const char *devices_root(const struct strmap *devices);

/* For iteration: the options of the types that are supported here, NULL for others. */
const struct key_table *device_options(const char *type);
const char *const *device_type_names(void); /* NULL-terminated */
