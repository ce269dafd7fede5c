/* network/host.c - see host.h */
#include "network/host.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "os/fd.h"

enum {
	FILE_MAX = 1 << 20,
	PORTS_MAX = 4096,
	VALUE_LEN = 64
};

void net_prefixes4_done(struct net_prefixes4 *prefixes)
{
	freep(&prefixes->list.items);
	*prefixes = (struct net_prefixes4){ 0 };
}

/* "" when it cannot be read. */
static void read_text(const char *path, struct buf *out)
{
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)fd_read_all(fd, FILE_MAX, out);
}

void net_host_parse_routes(const char *text, struct net_prefixes4 *prefixes)
{
	_cleanup_(strv_freep) char **lines = strv_split(text, "\n");
	for (size_t i = 1; i < strv_len(lines); i++) {
		uint32_t dest;
		uint32_t mask;
		if (sscanf(lines[i], "%*15s %8" SCNx32 " %*8x %*x %*d %*d %*d %8" SCNx32, &dest,
			   &mask) != 2)
			continue;
		struct net_ip4 net = { .addr = ntohl(dest) };
		for (uint32_t m = ntohl(mask); m & 0x80000000u; m <<= 1)
			net.prefix++;
		if (net.prefix > 0)
			*vec_push(&prefixes->list) = net;
	}
}

static uint8_t mask_length(const struct sockaddr *mask)
{
	uint8_t len = 0;
	const uint8_t *p;
	size_t size;
	if (!mask)
		return 0;
	if (mask->sa_family == AF_INET) {
		p = (const uint8_t *)&((const struct sockaddr_in *)(const void *)mask)->sin_addr;
		size = 4;
	} else {
		p = (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)mask)->sin6_addr;
		size = 16;
	}
	for (size_t i = 0; i < size * 8 && (p[i / 8] & (0x80 >> (i % 8))); i++)
		len++;
	return len;
}

void net_host_used4(struct net_prefixes4 *ret_used)
{
	struct buf text = { 0 };
	struct ifaddrs *all = NULL;
	*ret_used = (struct net_prefixes4){ 0 };
	read_text("/proc/net/route", &text);
	net_host_parse_routes(buf_str(&text), ret_used);
	buf_done(&text);
	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET)
			continue;
		const struct sockaddr_in *in = (const void *)a->ifa_addr;
		*vec_push(&ret_used->list) =
			(struct net_ip4){ ntohl(in->sin_addr.s_addr), mask_length(a->ifa_netmask) };
	}
	freeifaddrs(all);
}

static bool is_reachable_server(const char *word)
{
	uint32_t v4;
	uint8_t v6[16];
	if (net_ip4_parse(word, &v4) == 0)
		return v4 >> 24 != 127 && v4 != 0;
	if (net_ip6_parse(word, v6) < 0)
		return false;
	return !IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)v6) &&
	       !(v6[0] == 0xfe && v6[1] == 0x80);
}

void net_host_parse_resolv_conf(const char *text, char ***servers)
{
	_cleanup_(strv_freep) char **lines = strv_split(text, "\n");
	for (size_t i = 0; i < strv_len(lines); i++) {
		_cleanup_(strv_freep) char **words = strv_split(lines[i], " \t");
		if (strv_len(words) < 2 || !streq(words[0], "nameserver"))
			continue;
		if (is_reachable_server(words[1]))
			strv_push(servers, words[1]);
	}
}

char **net_host_nameservers(void)
{
	struct buf text = { 0 };
	char **servers = NULL;
	read_text("/etc/resolv.conf", &text);
	net_host_parse_resolv_conf(buf_str(&text), &servers);
	buf_done(&text);
	return servers;
}

/* The number in /proc/sys/net/ipv6/conf/<ifname>/<key>; -1 when there is none. */
static int read_conf6(const char *ifname, const char *key)
{
	_cleanup_(freep) char *path = xasprintf("/proc/sys/net/ipv6/conf/%s/%s", ifname, key);
	char text[VALUE_LEN];
	uint64_t value;
	if (fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) < 0 ||
	    parse_u64(text, INT32_MAX, &value) < 0)
		return -1;
	return (int)value;
}

/* A port hands everything to its bridge and takes no part in IP. */
static bool is_bridge_port(const char *ifname)
{
	_cleanup_(freep) char *path = xasprintf("/sys/class/net/%s/brport", ifname);
	return access(path, F_OK) == 0;
}

char **net_host_ra_uplinks(void)
{
	char **uplinks = NULL;
	DIR *dir = opendir("/proc/sys/net/ipv6/conf");
	if (!dir)
		return NULL;
	for (const struct dirent *d = readdir(dir); d; d = readdir(dir)) {
		if (d->d_name[0] == '.' || streq(d->d_name, "all") || streq(d->d_name, "lo") ||
		    streq(d->d_name, "default"))
			continue;
		if (read_conf6(d->d_name, "accept_ra") == 1 &&
		    read_conf6(d->d_name, "forwarding") == 0 && !is_bridge_port(d->d_name))
			strv_push(&uplinks, d->d_name);
	}
	(void)closedir(dir);
	return uplinks;
}

/* A file below /sys/class/net/<ifname>; "" when it cannot be read. */
static const char *read_sys(const char *ifname, const char *file, char out[VALUE_LEN])
{
	_cleanup_(freep) char *path = xasprintf("/sys/class/net/%s/%s", ifname, file);
	if (fd_read_file_at(AT_FDCWD, path, out, VALUE_LEN) < 0)
		out[0] = '\0';
	return out;
}

static uint64_t read_sys_u64(const char *ifname, const char *file)
{
	char text[VALUE_LEN];
	uint64_t value = 0;
	(void)parse_u64(read_sys(ifname, file, text), UINT64_MAX, &value);
	return value;
}

static void read_addresses(const char *ifname, struct net_host_link *link)
{
	struct ifaddrs *all = NULL;
	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
		if (!a->ifa_addr || !streq(a->ifa_name, ifname))
			continue;
		int family = a->ifa_addr->sa_family;
		if (family != AF_INET && family != AF_INET6)
			continue;
		struct net_host_address *out = vec_push(&link->addresses);
		out->ipv6 = family == AF_INET6;
		out->prefix = mask_length(a->ifa_netmask);
		if (out->ipv6) {
			const struct sockaddr_in6 *in6 = (const void *)a->ifa_addr;
			memcpy(out->addr6, &in6->sin6_addr, 16);
			out->link_local = IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr);
		} else {
			const struct sockaddr_in *in = (const void *)a->ifa_addr;
			out->addr4 = ntohl(in->sin_addr.s_addr);
			out->link_local = out->addr4 >> 16 == (169u << 8 | 254);
		}
	}
	freeifaddrs(all);
}

static void read_bridge(const char *ifname, struct net_host_link *link)
{
	_cleanup_(freep) char *path = xasprintf("/sys/class/net/%s/brif", ifname);
	char text[VALUE_LEN];
	size_t n = 0;
	DIR *dir = opendir(path);
	if (!dir)
		return;
	link->is_bridge = true;
	for (const struct dirent *d = readdir(dir); d && n < PORTS_MAX; d = readdir(dir)) {
		if (d->d_name[0] == '.')
			continue;
		strv_push(&link->ports, d->d_name);
		n++;
	}
	(void)closedir(dir);
	(void)snprintf(link->bridge_id, sizeof(link->bridge_id), "%.23s",
		       read_sys(ifname, "bridge/bridge_id", text));
	link->stp = read_sys_u64(ifname, "bridge/stp_state") != 0;
	link->forward_delay = read_sys_u64(ifname, "bridge/forward_delay");
}

int net_host_read_link(const char *ifname, struct net_host_link *ret_link, struct err *err)
{
	struct net_host_link link = { 0 };
	char text[VALUE_LEN];
	if (str_empty(ifname) || strchr(ifname, '/') || if_nametoindex(ifname) == 0)
		return err_kind(err, ERR_NOT_FOUND, "interface \"%s\" does not exist",
				ifname ? ifname : "");
	(void)snprintf(link.hwaddr, sizeof(link.hwaddr), "%.17s",
		       read_sys(ifname, "address", text));
	link.mtu = (uint32_t)read_sys_u64(ifname, "mtu");
	link.up = (strtoul(read_sys(ifname, "flags", text), NULL, 16) & IFF_UP) != 0;
	link.rx_bytes = read_sys_u64(ifname, "statistics/rx_bytes");
	link.tx_bytes = read_sys_u64(ifname, "statistics/tx_bytes");
	link.rx_packets = read_sys_u64(ifname, "statistics/rx_packets");
	link.tx_packets = read_sys_u64(ifname, "statistics/tx_packets");
	read_addresses(ifname, &link);
	read_bridge(ifname, &link);
	*ret_link = link;
	return 0;
}

void net_host_link_done(struct net_host_link *link)
{
	freep(&link->addresses.items);
	strv_freep(&link->ports);
	*link = (struct net_host_link){ 0 };
}

bool net_host_bridge_nf(void)
{
	char text[VALUE_LEN];
	static const char path[] = "/proc/sys/net/bridge/bridge-nf-call-iptables";
	return fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) > 0 && streq(text, "1");
}
