/*
 * core/network.h - managed networks: a bridge with addresses, NAT, DHCP and DNS each
 *
 * Layer core. Calls block for a few netlink round trips at most; nft and dnsmasq are children.
 *
 *   N1  What a call answered with success is in the database.
 *   N2  Nothing on the host is touched that does not carry our tag or the name of one of our bridges.
 *   N3  A network that cannot be brought up is a warning, never a reason not to start: it is tried
 *       again on netlink and nft events and by a slow timer.
 *   N4  Closing leaves bridges, rules and dnsmasq as they are; the next netman_start() adopts them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"

struct aio_loop;
struct db;
struct net_filters;
struct netman;
struct network_record;

enum netman_warning {
	NETMAN_WARN_UNAVAILABLE, /* bridge or addresses could not be made */
	NETMAN_WARN_FIREWALL,	 /* nft missing or refused our table: no NAT */
	NETMAN_WARN_GUARD,	 /* nft refused the rules that keep instances from playing router */
	NETMAN_WARN_FOREIGN_DROP,    /* somebody else's forward chain drops by policy */
	NETMAN_WARN_BRIDGE_NF,	     /* ... and br_netfilter makes it hit traffic on the bridge */
	NETMAN_WARN_DHCP,	     /* dnsmasq missing or not staying up */
	NETMAN_WARN_DNS_PORT_IN_USE, /* port 53 is taken: DHCP works, names do not */
	NETMAN_WARNING_MAX
};

/* "network-unavailable", "network-firewall", ... for the API's list of warnings. */
const char *netman_warning_name(enum netman_warning kind);

/* Called from the loop or from inside a call below; they must not call back into the netman. */
struct netman_hooks {
	/* @message NULL: the warning is over. Repeated only when the text changes. */
	void (*warn)(void *data, const char *network, enum netman_warning kind,
		     const char *message);

	/* @action: "created" "updated" "deleted" "renamed" "up" "down" */
	void (*event)(void *data, const char *network, const char *action);

	/* The name of an instance of which a lease was read; NULL: gone, the lease is dropped. */
	const char *(*instance_name)(void *data, int64_t instance_id);
	/* Add what the nics that are or will soon be plugged in may send. */
	void (*filters)(void *data, struct net_filters *filters);
	void *data;
};

/* All strings are copied. */
struct netman_config {
	const char *tag;	 /* of the daemon; also the name of the nft table */
	const char *runtime_dir; /* below it: networks/<name>/ */
	const char *state_dir;	 /* below it: networks/<name>/ */
	struct netman_hooks hooks;
};

struct netman *netman_new(struct aio_loop *loop, struct db *db, const struct netman_config *config);

/* Read the rows, after those of instances. Touches nothing on the host. */
int netman_load(struct netman *nm, struct err *err);

/* Bring up what is loaded and keep it up from now on; returns at once (N3). */
void netman_start(struct netman *nm);

/* Stop watching, then free @nm and call @closed (NULL: nobody cares). N4. */
void netman_close(struct netman *nm, void (*closed)(void *data), void *data);

/* Borrowed until the next call that changes networks; NULL for "none". */
const struct network_record *netman_get(const struct netman *nm, const char *name);

/* In order of name; NULL behind the last. */
const struct network_record *netman_at(const struct netman *nm, size_t index);

/* What GET shows: "Created", "Pending" (coming up), "Errored". */
const char *netman_status(const struct netman *nm, const char *name);

/*
 * Store a new network and begin to bring it up. "auto" addresses are chosen here and stored as CIDR.
 * Errors: ERR_CONFLICT (name taken, or an interface of that name that is not ours), ERR_INVALID.
 */
int netman_create(struct netman *nm, const struct network_record *record, struct err *err);

/* Replace description and config of the network named @record->name; applies what changed. */
int netman_update(struct netman *nm, const struct network_record *record, struct err *err);

/* Take down and forget. Errors: ERR_CONFLICT while a lease of an instance is left. */
int netman_delete(struct netman *nm, const char *name, struct err *err);

/* Errors: ERR_CONFLICT while a lease of an instance is left. */
int netman_rename(struct netman *nm, const char *name, const char *new_name, struct err *err);

/*
 * Make sure that the bridge is there before a nic is attached to it; cheap when it is.
 * Errors: ERR_NOT_FOUND, ERR_UNAVAILABLE with the reason.
 */
int netman_ensure(struct netman *nm, const char *name, struct err *err);

/* Removes the bridge, our rules for it and its dnsmasq; the row stays. */
int netman_down(struct netman *nm, const char *name, struct err *err);

/* MTU for nics on it: bridge.mtu or 1500. */
uint32_t netman_mtu(const struct netman *nm, const char *name);

/* A nic of an instance, as its expanded device says. */
struct netman_nic {
	int64_t instance_id;  /* its row exists */
	const char *instance; /* name; also its name in DNS */
	const char *device;
	const char *network;
	const char *hwaddr; /* "00:16:3e:.." */
	const char *ipv4; /* ipv4.address of the device; NULL or "": from the pool; "none": none */
	const char *ipv6; /* ipv6.address; NULL or "": SLAAC address of hwaddr; "none": none */
};

struct netman_lease {
	char *hostname; /* instance, or what a foreign client called itself */
	char *device;	/* NULL for dynamic ones */
	char *hwaddr;
	char *address;		 /* IPv4 or IPv6 without prefix */
	bool dynamic;		 /* from dnsmasq's file: no instance of ours */
	int64_t expires_wall_ns; /* 0: never */
};
struct netman_leases {
	VEC(struct netman_lease) list;
};
void netman_leases_done(struct netman_leases *leases);

enum {
	NETMAN_ADDR_LEN = 46
};

struct netman_addresses {
	char ipv4[NETMAN_ADDR_LEN]; /* "" for none */
	char ipv6[NETMAN_ADDR_LEN];
	uint32_t ipv4_prefix; /* length */
	uint32_t ipv6_prefix;
};

/*
 * Give the nic its addresses, in a transaction of its own or in the one that is open (when that is
 * rolled back, say netman_rolled_back()). The same nic asked for again keeps its address as long as network
 * and wishes allow.
 *
 * Errors: ERR_CONFLICT (address taken: by whom), ERR_INVALID (outside the network), ERR_NOT_FOUND,
 * ERR_UNAVAILABLE (pool full).
 */
int netman_assign_nic(struct netman *nm, const struct netman_nic *nic,
		      struct netman_addresses *ret_addresses, struct err *err);

/* What netman_assign_nic() gave; "" when nothing. Memory only, no query. */
void netman_nic_addresses(const struct netman *nm, int64_t instance_id, const char *device,
			  struct netman_addresses *ret_addresses);

/* Nothing to release is success. @device NULL: all of the instance. */
int netman_release_nic(struct netman *nm, int64_t instance_id, const char *device, struct err *err);

/* All nics of the instance but those named. */
int netman_release_others(struct netman *nm, int64_t instance_id, const char *const *keep,
			  struct err *err);

/* The transaction in which nics were assigned or released was rolled back: read the rows again. */
void netman_rolled_back(struct netman *nm);

/* The addresses stay, the DNS names change. */
void netman_rename_instance(struct netman *nm, int64_t instance_id, const char *new_name);

/* Static ones of instances, gateways, then dynamic ones from dnsmasq. */
int netman_list_leases(const struct netman *nm, const char *name, struct netman_leases *ret_leases,
		       struct err *err);

struct netman_state_address {
	bool ipv6;
	char address[NETMAN_ADDR_LEN];
	uint32_t prefix;
	bool link_local;
};

/* GET /1.0/networks/<n>/state; of any interface of the host, managed or not. */
struct netman_state {
	VEC(struct netman_state_address) addresses;
	char hwaddr[18];
	uint32_t mtu;
	bool up;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
	bool is_bridge;
	char bridge_id[24]; /* "8000.00163e..." */
	bool stp;
	uint64_t forward_delay;
	char **ports; /* strv: interfaces on the bridge */
};
void netman_state_done(struct netman_state *state);
int netman_state(const struct netman *nm, const char *name, struct netman_state *ret_state,
		 struct err *err);
