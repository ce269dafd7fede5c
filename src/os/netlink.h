/*
 * os/netlink.h - links and addresses over rtnetlink
 *
 * Layer os; monitor and sysctrd (core/network). Requests block for the kernel's answer, which comes
 * at once; reading events never blocks.
 *
 *   L1  Errors carry the kernel's extended ack ("Invalid MAC address") where it has one.
 *   L2  Messages are built by os/nlmsg: an attribute's length can never wrap.
 *   L3  A table has a fixed size: however many links and addresses a guest makes, no more is stored.
 *   L4  A socket opened in a namespace keeps it alive: free it when the container's init is dead.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum {
	NETLINK_NICS_MAX = 64,
	NETLINK_ADDRS_MAX = 512, /* of all nics together */
	NETLINK_MAC_LEN = 6,
};

struct netlink;

struct netlink_veth {
	const char *host_name;
	const char *bridge; /* becomes the host end's master; NULL: none */
	const char *peer_name;
	int peer_netns_fd;	 /* -EBADF: use peer_pid */
	pid_t peer_pid;		 /* 0 with no fd: our own namespace */
	const uint8_t *peer_mac; /* NETLINK_MAC_LEN bytes; NULL: the kernel's choice */
	uint32_t mtu;		 /* both ends; 0: the kernel's */
	uint32_t queue_len;	 /* the same, in packets */
	bool down;		 /* the host end stays so: nothing passes yet */
};

/* Kept with bridge ports. */
struct netlink_port {
	bool isolated;
	bool learning;
	bool flood;
};

struct netlink_addr {
	uint8_t nic; /* index into the table's nics */
	uint8_t family;
	uint8_t prefix_len;
	uint8_t scope;	/* RT_SCOPE_* */
	uint32_t flags; /* IFA_F_*: tentative ones are listed too */
	uint8_t bytes[16];
};

struct netlink_nic {
	int index;
	int peer_index; /* IFLA_LINK: of a veth's other end, in its namespace; 0: none */
	char name[IFNAMSIZ];
	uint8_t mac[NETLINK_MAC_LEN];
	bool has_mac;
	bool up;      /* IFF_UP */
	bool running; /* IFF_LOWER_UP: carrier */
	uint32_t mtu;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
	uint64_t rx_errors, tx_errors, rx_dropped, tx_dropped;
};

/* 50 KB: allocate it. */
struct netlink_table {
	size_t n_nics;
	size_t n_addrs;
	size_t left_out; /* links and addresses there was no room for */
	struct netlink_nic nics[NETLINK_NICS_MAX];
	struct netlink_addr addrs[NETLINK_ADDRS_MAX];
};

enum netlink_open_flags {
	NETLINK_EVENTS = 1 << 0, /* subscribe to link and address changes; then ask nothing on it */
};

/* Parse "00:16:3e:aa:bb:cc". Returns: 0 or -EINVAL (multicast and all-zero ones too). */
int netlink_parse_mac(const char *text, uint8_t ret_mac[NETLINK_MAC_LEN]);

/*
 * Open a socket in the namespace of @netns_fd (-EBADF: our own). The caller must be single-threaded.
 * @flags: enum netlink_open_flags. Allocates fallibly.
 */
int netlink_open(int netns_fd, uint32_t flags, struct netlink **ret_nl, struct err *err);
struct netlink *netlink_free(struct netlink *nl);
void netlink_freep(struct netlink **nl);
int netlink_fd(const struct netlink *nl); /* to poll */

/* Errors: -EEXIST. STP off, @mac NULL: the kernel's choice; it is up when this returns. */
int netlink_bridge_create(struct netlink *nl, const char *name, const uint8_t *mac, uint32_t mtu,
			  struct err *err);

/*
 * Make a pair whose peer appears in its namespace under its final name; the host end is in the
 * bridge, and up unless that is not wanted. The peer is down: the kernel cannot bring it up before the pair is complete.
 * @ret_index: of the host end. Errors: -EEXIST; -ENODEV for the bridge.
 */
int netlink_veth_create(struct netlink *nl, const struct netlink_veth *veth, int *ret_index,
			struct err *err);

/* Errors: -ENODEV when there is no such link. */
int netlink_link_index(struct netlink *nl, const char *name, int *ret_index, struct err *err);
int netlink_link_delete(struct netlink *nl, const char *name, struct err *err);
int netlink_link_set_up(struct netlink *nl, const char *name, bool up, struct err *err);
int netlink_link_set_mtu(struct netlink *nl, const char *name, uint32_t mtu, struct err *err);
int netlink_link_set_mac(struct netlink *nl, const char *name, const uint8_t *mac, struct err *err);
int netlink_link_set_master(struct netlink *nl, const char *name, const char *bridge,
			    struct err *err); /* NULL bridge: none */
int netlink_port_set(struct netlink *nl, const char *name, const struct netlink_port *port,
		     struct err *err);

/* @address: 4 or 16 bytes by @family. Adding one that is there, deleting one that is not: success. */
int netlink_addr_add(struct netlink *nl, const char *name, const struct netlink_addr *addr,
		     struct err *err);
int netlink_addr_delete(struct netlink *nl, const char *name, const struct netlink_addr *addr,
			struct err *err);

/* Links of the socket's namespace, with addresses and counters. */
int netlink_read_table(struct netlink *nl, struct netlink_table *ret_table, struct err *err);

/*
 * Call @fn for each link whose name begins with @prefix; no limit on their number. @fn returns 0 to
 * go on. It must not use @nl.
 */
int netlink_for_each_link(struct netlink *nl, const char *prefix,
			  int (*fn)(void *data, const struct netlink_nic *nic), void *data,
			  struct err *err);

/*
 * Read what waits on a socket of NETLINK_EVENTS, at most a few messages: a guest that flaps its
 * addresses costs no more than a poll that fires again.
 *
 * Returns: 1 when links or addresses changed or events were lost (read the table again, on another
 * socket, at a rate of your choice), 0 when not, -errno.
 */
int netlink_read_events(struct netlink *nl);
