/*
 * network/filter.h - what a nic may send, and how much: the table "bridge <tag>-nics" for "nft -f -"
 *
 * Layer network, pure. One chain per nic, found by the name of its host's end. A frame is judged
 * where it enters the bridge, before anybody learns from it.
 *
 *   FI1  Nothing is accepted early: a frame passes when no rule has dropped it (CVE-2025-52890).
 *   FI2  Names are safe to write: spec/value allows letters, digits, ".", "_" and "-".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/vec.h"
#include "network/addr.h"
#include "network/dnat.h"

struct net_filter {
	char host_name[16];	  /* of the nic on the host */
	uint64_t egress, ingress; /* bytes in a second; 0: no limit */
	bool senders;		  /* whether the rest counts */
	struct net_mac mac;	  /* the only one that it may send from */
	bool ipv4, ipv6;	  /* and only from the address below */
	bool has4, has6;	  /* false: from none */
	uint32_t addr4;
	uint8_t addr6[16]; /* beside the link-local one of mac */
};

/* What the kernel has to know of nics, in tables that change together. */
struct net_filters {
	VEC(struct net_filter) list;
	struct net_dnats dnats;
};
bool net_filters_empty(const struct net_filters *filters);
void net_filters_done(struct net_filters *filters);

/*
 * Add @filter. Where the list has one for that nic they are merged to what both would let pass, and
 * @filter's addresses count.
 */
void net_filters_add(struct net_filters *filters, const struct net_filter *filter);

/* All of @more, each in that way. */
void net_filters_merge(struct net_filters *filters, const struct net_filters *more);

/* "<tag>-nics"; owned by the caller. */
char *net_filter_table(const char *tag);

/* The table as a whole, or without filters its removal. */
void net_filter_text(const char *tag, const struct net_filters *filters, struct buf *out);
