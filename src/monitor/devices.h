/*
 * monitor/devices.h - the devices of a container: plugged in at its start, exchanged while it runs
 *
 * Layer: monitor. A kind of device is a row: the vector of the spec that has its devices, how one is
 * added and removed. What is not the same in two specs is removed and added again, unless it can be
 * altered.
 *
 *   V1  mon->spec has the devices that are plugged in, whatever spec comes next.
 *   V2  An exchange that fails is taken back: what was removed is there again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "codec/wire.h"
#include "os/bpfdev.h"
#include "os/cgroup_plan.h"

struct inst_spec;
struct mon;

/* What is known of a device that is plugged in, beside its row in the spec. */
struct plugged {
	char *device;
	uint64_t mount_id;	 /* os/plug.h */
	struct bpfdev_rule rule; /* what it lets be opened; type 0: nothing */
};
struct plugged_list {
	VEC(struct plugged) list;
};

struct limited_list {
	VEC(struct cgroup_io) list;
};

struct device_kind {
	const char *what;
	size_t offset;			  /* of the vector in struct inst_spec */
	const struct wire_schema *schema; /* of its items; char *device is their first member */
	bool late; /* added by devices_attach() at a start; else by a phase of its own */
	int (*add)(struct mon *mon, const void *item, struct err *err);
	int (*remove)(struct mon *mon, const void *item, struct err *err);
	/* NULL, or whether, and how, one becomes another where it is. */
	bool (*can_alter)(const void *old, const void *new);
	int (*alter)(struct mon *mon, const void *new, struct err *err);
};
extern const struct device_kind device_kind_nic;   /* setup_net.c */
extern const struct device_kind device_kind_disk;  /* device_disk.c */
extern const struct device_kind device_kind_node;  /* device_node.c */
extern const struct device_kind device_kind_proxy; /* device_proxy.c */

/* At a start, once the container's root is in place: all of mon->spec. */
int devices_attach(struct mon *mon, struct err *err);

/*
 * Plug and unplug until the devices are those of @spec, whose vectors of devices are exchanged for
 * those of mon->spec. After a failure @spec and mon->spec are as before.
 */
int devices_exchange(struct mon *mon, struct inst_spec *spec, struct err *err);

/* The life is over: everything went with it. */
void devices_forget(struct mon *mon);

/* Whether two items say the same. */
bool devices_same(const struct wire_schema *schema, const void *a, const void *b);

/* Of add and remove functions. */
struct plugged *devices_remember(struct mon *mon, const char *device, uint64_t mount_id);
bool devices_take(struct mon *mon, const char *device, uint64_t *ret_mount_id);
