/*
 * os/netlink_link.h - one link in full: read, changed, moved between namespaces; macvlans and VLANs
 *
 * Layer os; monitor and sysctrd. As os/netlink.h, whose sockets it uses.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "os/netlink.h"

struct netlink_link {
	int index;
	uint32_t flags; /* IFF_* */
	char name[IFNAMSIZ];
	uint8_t mac[NETLINK_MAC_LEN], permanent[NETLINK_MAC_LEN];
	bool has_mac, has_permanent;
	uint32_t mtu;
	int master;	 /* index of the bridge or bond that it is a port of; 0: none */
	char alias[256]; /* "" for none */
	char **altnames; /* strv */
};
void netlink_link_done(struct netlink_link *link);

/* By @index, or (0) by @name. Errors: -ENODEV. */
int netlink_link_read(struct netlink *nl, int index, const char *name,
		      struct netlink_link *ret_link, struct err *err);

/* What is to change; zero and NULL stay as they are. */
struct netlink_change {
	const char *name; /* also what it is called when it moves and its name is taken there */
	const uint8_t *mac;
	uint32_t mtu;
	const char *alias;	    /* "" for none */
	uint32_t flags, flags_mask; /* IFF_* */
	bool moves;
	int netns_fd;  /* where it moves, before anything else changes */
	int new_index; /* there; 0: the kernel's choice */
};

/* Errors: -EBUSY when @change->new_index is taken. */
int netlink_link_change(struct netlink *nl, int index, const struct netlink_change *change,
			struct err *err);

/* Another name of the link. Adding one that is there, deleting one that is not: success. */
int netlink_altname(struct netlink *nl, int index, const char *altname, bool add, struct err *err);

/* An interface that is made of another one: a VLAN, or a macvlan. */
struct netlink_child {
	const char *parent;
	const char *name;
	uint16_t vlan; /* 0: a macvlan */
	uint32_t mode; /* of a macvlan: MACVLAN_MODE_* */
	const uint8_t *mac;
	uint32_t mtu; /* 0: the parent's */
	int netns_fd; /* where it appears */
};

/* Errors: -ENODEV for the parent; ERR_UNSUPPORTED when the kernel has no such interfaces. */
int netlink_child_create(struct netlink *nl, const struct netlink_child *child, struct err *err);

/* VLANs of the bridge's port @name, from @first to @last. @native: it does not know of it. */
int netlink_port_vlans(struct netlink *nl, const char *name, uint16_t first, uint16_t last,
		       bool native, bool add, struct err *err);
