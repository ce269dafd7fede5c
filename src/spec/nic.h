/* spec/nic.h - names and addresses that we give to network interfaces (spec, pure) */
#pragma once

#include <stdbool.h>

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

/* Whether @ifname can have been made by nic_host_name() for @tag. */
bool nic_host_name_is_ours(const char *tag, const char *ifname);
