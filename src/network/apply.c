/* network/apply.c - see apply.h */
#include "network/apply.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/str.h"
#include "network/host.h"
#include "os/fd.h"
#include "os/netlink.h"

enum {
	ALIAS_LEN = 256,
	SYSCTL_LEN = 64
};

/* What marks a bridge as made by the daemon @tag. Returns: new string. */
static char *alias_of(const char *tag)
{
	return xasprintf("managed by sysctrd %s", tag);
}

enum net_owner net_bridge_owner(const char *tag, const char *ifname)
{
	_cleanup_(freep) char *path = xasprintf("/sys/class/net/%s/ifalias", ifname);
	_cleanup_(freep) char *want = alias_of(tag);
	char alias[ALIAS_LEN] = "";
	if (if_nametoindex(ifname) == 0)
		return NET_OWNER_NOBODY;
	if (fd_read_file_at(AT_FDCWD, path, alias, sizeof(alias)) < 0)
		return NET_OWNER_OTHERS;
	return streq(alias, want) ? NET_OWNER_OURS : NET_OWNER_OTHERS;
}

static int create_bridge(struct netlink *nl, const struct net_plan *plan, struct err *err)
{
	_cleanup_(freep) char *path = xasprintf("/sys/class/net/%s/ifalias", plan->bridge);
	_cleanup_(freep) char *alias = alias_of(plan->tag);
	int r = netlink_bridge_create(nl, plan->bridge, plan->hwaddr.bytes, plan->mtu, err);
	if (r < 0)
		return err_wrap(err, "create bridge \"%s\"", plan->bridge);
	r = fd_write_file_at(AT_FDCWD, path, alias);
	if (r == 0)
		return 0;
	/* Without its mark nobody would ever take it away again. */
	(void)netlink_link_delete(nl, plan->bridge, NULL);
	return err_set(err, r, "mark bridge \"%s\"", plan->bridge);
}

static int adopt_bridge(struct netlink *nl, const struct net_plan *plan,
			const struct net_host_link *link, struct err *err)
{
	char hwaddr[NET_MAC_LEN];
	int r = 0;
	if (!streq(link->hwaddr, net_mac_format(hwaddr, plan->hwaddr)))
		r = netlink_link_set_mac(nl, plan->bridge, plan->hwaddr.bytes, err);
	if (r == 0 && link->mtu != plan->mtu)
		r = netlink_link_set_mtu(nl, plan->bridge, plan->mtu, err);
	if (r == 0 && !link->up)
		r = netlink_link_set_up(nl, plan->bridge, true, err);
	return r < 0 ? err_wrap(err, "adopt bridge \"%s\"", plan->bridge) : 0;
}

/* Write a value unless it is there already. */
static int set_sysctl(const struct net_sysctl *sysctl, struct err *err)
{
	_cleanup_(freep) char *path = xasprintf("/proc/sys/%s", sysctl->path);
	char now[SYSCTL_LEN];
	if (fd_read_file_at(AT_FDCWD, path, now, sizeof(now)) > 0 && streq(now, sysctl->value))
		return 0;
	int r = fd_write_file_at(AT_FDCWD, path, sysctl->value);
	if (r == -ENOENT && str_after(sysctl->path, "net/ipv6/") && streq(sysctl->value, "0"))
		return 0; /* a kernel without IPv6 has nothing to turn off */
	return r < 0 ? err_set(err, r, "set %s=%s", sysctl->path, sysctl->value) : 0;
}

static int set_sysctls(const struct net_plan *plan, struct err *err)
{
	_cleanup_(strv_freep) char **uplinks = net_host_ra_uplinks();
	struct net_sysctls sysctls;
	int r = 0;
	net_plan_sysctls(plan, (const char *const *)uplinks, &sysctls);
	for (size_t i = 0; i < sysctls.list.len && r == 0; i++)
		r = set_sysctl(&sysctls.list.items[i], err);
	net_sysctls_done(&sysctls);
	return r;
}

static bool is_wanted(const struct net_plan *plan, const struct net_host_address *a)
{
	if (a->ipv6)
		return plan->v6.enabled && a->prefix == plan->ip6.prefix &&
		       memcmp(a->addr6, plan->ip6.addr, 16) == 0;
	return plan->v4.enabled && a->prefix == plan->ip4.prefix && a->addr4 == plan->ip4.addr;
}

static struct netlink_addr netlink_addr4(uint32_t addr, uint8_t prefix)
{
	struct netlink_addr out = { .family = AF_INET, .prefix_len = prefix };
	for (size_t i = 0; i < 4; i++)
		out.bytes[i] = (uint8_t)(addr >> (24 - 8 * i));
	return out;
}

static struct netlink_addr netlink_addr6(const uint8_t addr[16], uint8_t prefix)
{
	struct netlink_addr out = { .family = AF_INET6, .prefix_len = prefix };
	memcpy(out.bytes, addr, 16);
	return out;
}

/* The bridge has these addresses and no others, its link-local ones aside. */
static int set_addresses(struct netlink *nl, const struct net_plan *plan,
			 const struct net_host_link *link, struct err *err)
{
	int r = 0;
	vec_for_each(a, &link->addresses) {
		struct netlink_addr addr = a->ipv6 ? netlink_addr6(a->addr6, a->prefix)
						   : netlink_addr4(a->addr4, a->prefix);
		if (a->link_local || is_wanted(plan, a))
			continue;
		r = netlink_addr_delete(nl, plan->bridge, &addr, err);
		if (r < 0)
			return err_wrap(err, "drop an address of \"%s\"", plan->bridge);
	}
	if (plan->v4.enabled) {
		struct netlink_addr addr = netlink_addr4(plan->ip4.addr, plan->ip4.prefix);
		r = netlink_addr_add(nl, plan->bridge, &addr, err);
	}
	if (r == 0 && plan->v6.enabled) {
		struct netlink_addr addr = netlink_addr6(plan->ip6.addr, plan->ip6.prefix);
		r = netlink_addr_add(nl, plan->bridge, &addr, err);
	}
	return r < 0 ? err_wrap(err, "give \"%s\" its addresses", plan->bridge) : 0;
}

int net_apply_bridge(const struct net_plan *plan, struct err *err)
{
	_cleanup_(netlink_freep) struct netlink *nl = NULL;
	struct net_host_link link;
	enum net_owner owner = net_bridge_owner(plan->tag, plan->bridge);
	int r = netlink_open(-EBADF, 0, &nl, err);
	if (r < 0)
		return r;
	if (owner == NET_OWNER_OTHERS)
		return err_kind(err, ERR_CONFLICT,
				"interface \"%s\" exists and was not made by this daemon",
				plan->bridge);
	if (owner == NET_OWNER_NOBODY)
		r = create_bridge(nl, plan, err);
	if (r < 0)
		return r;
	r = net_host_read_link(plan->bridge, &link, err);
	if (r < 0)
		return r;
	if (owner == NET_OWNER_OURS)
		r = adopt_bridge(nl, plan, &link, err);
	if (r == 0)
		r = set_sysctls(plan, err);
	if (r == 0)
		r = set_addresses(nl, plan, &link, err);
	net_host_link_done(&link);
	return r;
}

int net_remove_bridge(const char *tag, const char *ifname, struct err *err)
{
	_cleanup_(netlink_freep) struct netlink *nl = NULL;
	if (net_bridge_owner(tag, ifname) != NET_OWNER_OURS)
		return 0;
	int r = netlink_open(-EBADF, 0, &nl, err);
	if (r < 0)
		return r;
	r = netlink_link_delete(nl, ifname, err);
	return r < 0 && r != -ENODEV ? err_wrap(err, "remove bridge \"%s\"", ifname) : 0;
}

char **net_list_bridges(const char *tag)
{
	char **bridges = NULL;
	DIR *dir = opendir("/sys/class/net");
	if (!dir)
		return NULL;
	for (const struct dirent *d = readdir(dir); d; d = readdir(dir))
		if (d->d_name[0] != '.' && net_bridge_owner(tag, d->d_name) == NET_OWNER_OURS)
			strv_push(&bridges, d->d_name);
	(void)closedir(dir);
	return bridges;
}
