/*
 * spec/nictype.h - the kinds of nics that are on no network of ours, and what each of them takes
 *
 * Pure. Sysctrd checks with it; the monitor gets the kind in struct spec_nic.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"

enum nic_kind {
	NIC_PAIR,     /* a veth whose other end is on the host */
	NIC_MACVLAN,  /* of an interface of the host */
	NIC_PHYSICAL, /* that interface itself */
	NIC_ROUTED,   /* a veth that the host has routes to */
	NIC_VLAN,     /* a VLAN of an interface of the host */
	NIC_KIND_MAX
};

/* Of the device as it stands: of network= and nictype=. */
enum nic_kind nictype_kind(const struct strmap *device);

/* The host's interface, whose address stays if nobody says otherwise: no random one. */
bool nictype_keeps_hwaddr(const struct strmap *device);

/* IFLA_MACVLAN_MODE for mode=, "" for the default. */
uint32_t nictype_macvlan_mode(const char *mode);

/* What ipv4.address or ipv6.address (@key) says; NULL for nothing, and for none. Borrowed. */
const char *nictype_address(const struct strmap *device, const char *key);

/* Subnets of one family, with commas: "10.1.2.0/24,10.9.0.0/16". For the table of options. */
int nictype_check_routes(const char *key, const char *value, struct err *err);

/* ipv4.routes and ipv6.routes of a checked device; strv, owned by the caller; NULL: none. */
char **nictype_routes(const struct strmap *device);

/* A nic without network=. Errors: ERR_INVALID naming the option. */
int nictype_check(const struct strmap *device, struct err *err);
