/*
 * core/hotplug.h - devices of instances that are found by what they are, and come and go with them
 *
 * Layer: core. What the host has is read from sysfs when it is asked for; an event of the kernel only
 * says that it is time to look again. Running instances with such devices get their spec again, as
 * with any edit: their monitors exchange what is another one by then.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct core;
struct hotplug;
struct inst;
struct inst_spec;

/* Never fails: without events (a warning) devices are found at starts and edits only. */
struct hotplug *hotplug_new(struct core *core);
struct hotplug *hotplug_free(struct hotplug *hotplug);

/* Add the nodes of its gpu, unix-hotplug and usb devices as the host has them now. */
void hotplug_fill(const struct inst *inst, struct inst_spec *spec);

/* Errors: ERR_INVALID naming a device with required=true that the host does not have. */
int hotplug_check(const struct inst *inst, struct err *err);

/* Whether the host has the node @source, which may come later. */
bool hotplug_has_node(const char *source);
