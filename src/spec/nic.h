/* spec/nic.h - names and addresses that we give to network interfaces (spec, pure) */
#pragma once

#include <stdbool.h>

#include "base/strmap.h"

enum {
	NIC_HWADDR_LEN = 17 + 1,
	NIC_IFNAME_LEN = 15 + 1,
	NIC_PREFIX_LEN = 7 + 1
};

/* A random 00:16:3e:xx:xx:xx. Returns @out. */
const char *nic_new_hwaddr(char out[NIC_HWADDR_LEN]);

/* What the host interfaces of the daemon @tag begin with: "sysctr-". Returns @out. */
const char *nic_host_prefix(const char *tag, char out[NIC_PREFIX_LEN]);

/*
 * The name of the host's end of a nic: the prefix and eight characters of a hash, the same for the
 * same arguments at any time. Returns @out.
 */
const char *nic_host_name(const char *tag, const char *instance, const char *device,
			  char out[NIC_IFNAME_LEN]);

/*
 * How the nics among the expanded @devices are called inside, by device: as they say themselves; else
 * as "volatile.DEVICE.name" of @config notes it, unless another one is called so; else the first of
 * eth0, eth1 ... that is free. Added to @names.
 */
void nic_inner_names(const struct strmap *devices, const struct strmap *config,
		     struct strmap *names);

/* Whether somebody has that MAC address. */
typedef bool nic_taken_fn(void *data, const char *hwaddr);

/*
 * Note in @config, as volatile.DEVICE.*, the MAC address and the name inside of nics that have none.
 * @taken: asked of each address that is made up.
 */
void nic_fill_volatile(const struct strmap *devices, struct strmap *config, nic_taken_fn *taken,
		       void *data);

/* Whether @ifname can have been made by nic_host_name() for @tag. */
bool nic_host_name_is_ours(const char *tag, const char *ifname);
