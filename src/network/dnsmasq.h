/*
 * network/dnsmasq.h - what dnsmasq reads: its configuration and one file per instance
 *
 * Layer network, pure. One dnsmasq serves one bridge. Each instance has a file of its name in each
 * of two directories that dnsmasq watches: fixed leases, and host names for DNS.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "network/plan.h"

/* Absolute; each fit by net_dnsmasq_path_is_safe(). */
struct net_dnsmasq_paths {
	const char *pid_file;
	const char *lease_file;
	const char *dhcp_hosts_dir;
	const char *hosts_dir;
};

/* One nic of the instance whose file is written. */
struct net_host {
	struct net_mac mac;
	bool has4;
	bool has6;
	uint32_t addr4;
	uint8_t addr6[16];
};

/* No character that dnsmasq's configuration would give a meaning to. */
bool net_dnsmasq_path_is_safe(const char *path);

/*
 * @user: to drop to; NULL: stay. @dns: false when port 53 is somebody else's: then clients are told
 * @other_servers (strv of addresses, may be empty) unless the plan names some.
 */
void net_dnsmasq_conf(const struct net_plan *plan, const struct net_dnsmasq_paths *paths,
		      const char *user, bool dns, const char *const *other_servers,
		      struct buf *out);

/* Lines for --dhcp-hostsdir. @name: of the instance, one label. */
void net_dnsmasq_dhcp_hosts(const struct net_plan *plan, const char *name,
			    const struct net_host *hosts, size_t hosts_len, struct buf *out);

/* Lines for --hostsdir. */
void net_dnsmasq_dns_hosts(const struct net_plan *plan, const char *name,
			   const struct net_host *hosts, size_t hosts_len, struct buf *out);
