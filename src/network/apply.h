/*
 * network/apply.h - make the host as a plan says, over netlink and /proc/sys
 *
 * Layer network, in sysctrd. Does not block longer than the kernel's answers. Each call may be
 * repeated; what is right already is left alone.
 *
 *   Y1  A bridge is ours when its alias says so; nothing else of that name is ever changed.
 */
#pragma once

#include "base/err.h"
#include "network/plan.h"

enum net_owner {
	NET_OWNER_NOBODY, /* no such interface */
	NET_OWNER_OURS,
	NET_OWNER_OTHERS,
	NET_OWNER_MAX
};

/* Who made the interface @ifname, seen from the daemon @tag. */
enum net_owner net_bridge_owner(const char *tag, const char *ifname);

/*
 * Bridge, addresses and sysctls. A bridge of ours that exists is changed in place: its ports stay.
 * Errors: ERR_CONFLICT when an interface of that name is not ours (Y1).
 */
int net_apply_bridge(const struct net_plan *plan, struct err *err);

/* Remove the bridge if it is ours; success when there is none. */
int net_remove_bridge(const char *tag, const char *ifname, struct err *err);

/* All bridges that the daemon @tag made; strv, owned by the caller. */
char **net_list_bridges(const char *tag);
