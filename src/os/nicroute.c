/* os/nicroute.c - see nicroute.h */
#include "os/nicroute.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "os/fd.h"
#include "os/netlink_route.h"

enum {
	SYSCTL_LEN = 16
};

/* One address of the two that there may be. */
struct half {
	uint8_t family;
	uint8_t bits;
	const char *text;
	uint8_t address[16], host[16];
};

static int fill_half(struct half *half, int family, const char *text, struct err *err)
{
	const char *host = family == AF_INET ? NICROUTE_HOST4 : NICROUTE_HOST6;

	*half = (struct half){
		.family = (uint8_t)family,
		.bits = family == AF_INET ? 32 : 128,
		.text = text,
	};
	if (!text)
		return 0;
	if (inet_pton(family, text, half->address) != 1 || inet_pton(family, host, half->host) != 1)
		return err_kind(err, ERR_INVALID, "\"%s\" is no address", text);
	return 1;
}

static int need_sysctl(const char *family, const char *link, const char *name, struct err *err)
{
	_cleanup_(freep) char *path = xasprintf("/proc/sys/net/%s/conf/%s/%s", family, link, name);
	char text[SYSCTL_LEN] = "";

	if (fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) > 0 && text[0] == '1')
		return 0;
	return err_kind(err, ERR_UNSUPPORTED,
			"nictype=routed: the host has to have the sysctl net.%s.conf.%s.%s=1",
			family, link, name);
}

/* A host that does not forward would answer for addresses that nobody gets to. */
static int check_host(const struct half *half, const char *parent, struct err *err)
{
	int r;

	if (half->family == AF_INET)
		return need_sysctl("ipv4", parent ? parent : "all", "forwarding", err);
	r = need_sysctl("ipv6", "all", "forwarding", err);
	if (r == 0 && parent)
		r = need_sysctl("ipv6", parent, "proxy_ndp", err);
	return r;
}

/* The guest's end of the way; a new interface has what the host's default says. IPv6 asks all alone. */
static int forward_from(const char *host_name, struct err *err)
{
	_cleanup_(freep) char *path = xasprintf("/proc/sys/net/ipv4/conf/%s/forwarding", host_name);
	int r = fd_write_file_at(AT_FDCWD, path, "1");

	return r < 0 ? err_set(err, r, "write \"%s\"", path) : 0;
}

static struct netlink_addr addr_of(const struct half *half, const uint8_t bytes[16])
{
	struct netlink_addr addr = {
		.family = half->family,
		.prefix_len = half->bits,
		.flags = half->family == AF_INET6 ? IFA_F_NODAD : 0,
	};

	if (half->family == AF_INET6 && bytes == half->host)
		addr.scope = RT_SCOPE_LINK;
	memcpy(addr.bytes, bytes, sizeof(addr.bytes));
	return addr;
}

/* "10.1.2.0/24" */
static int fill_subnet(const char *text, struct netlink_route *route, struct err *err)
{
	_cleanup_(freep) char *address = xstrndup(text, strcspn(text, "/"));
	bool v6 = strchr(text, ':');
	const char *prefix = strchr(text, '/');
	uint32_t len;

	*route = (struct netlink_route){ .family = v6 ? AF_INET6 : AF_INET };
	if (!prefix || parse_u32(prefix + 1, &len) < 0 || len > (v6 ? 128 : 32) ||
	    inet_pton(route->family, address, route->dst) != 1)
		return err_kind(err, ERR_INVALID, "\"%s\" is no subnet", text);
	route->prefix_len = (uint8_t)len;
	return 0;
}

static void down_subnets(struct netlink *nl, const struct nicroute *route, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct netlink_route subnet;

		if (fill_subnet(route->subnets[i], &subnet, NULL) == 0)
			(void)netlink_route_delete(nl, route->subnet_link, &subnet, NULL);
	}
}

static int conflict(struct err *err, const char *what)
{
	return err_kind(err, ERR_CONFLICT, "the host has a route to %s already", what);
}

static int up_subnets(struct netlink *nl, const struct nicroute *route, struct err *err)
{
	for (size_t i = 0; route->subnets && route->subnets[i]; i++) {
		struct netlink_route subnet;
		int r = fill_subnet(route->subnets[i], &subnet, err);

		if (r == 0)
			r = netlink_route_add(nl, route->subnet_link, &subnet, err);
		if (r == -EEXIST)
			r = conflict(err, route->subnets[i]);
		if (r < 0) {
			down_subnets(nl, route, i);
			return r;
		}
	}
	return 0;
}

static int route_to(struct netlink *nl, const char *link, const struct half *half,
		    const uint8_t dst[16], struct err *err)
{
	struct netlink_route route = { .family = half->family, .prefix_len = half->bits };

	memcpy(route.dst, dst, sizeof(route.dst));
	return netlink_route_add(nl, link, &route, err);
}

static int up_half(struct netlink *nl, const struct nicroute *route, const struct half *half,
		   struct err *err)
{
	const struct netlink_addr host = addr_of(half, half->host);
	int r = check_host(half, route->parent, err);

	if (r == 0 && half->family == AF_INET)
		r = forward_from(route->host_name, err);
	if (r == 0)
		r = netlink_addr_add(nl, route->host_name, &host, err);
	if (r == 0)
		r = route_to(nl, route->host_name, half, half->address, err);
	if (r == -EEXIST)
		return conflict(err, half->text);
	if (r == 0 && route->parent)
		r = netlink_proxy_set(nl, route->parent, half->family, half->address, true, err);
	return r;
}

/* Returns: how many there are, or -EINVAL. */
static int fill_halves(const struct nicroute *route, struct half halves[2], struct err *err)
{
	int n = 0, r = fill_half(&halves[n], AF_INET, route->address4, err);

	if (r < 0)
		return r;
	n += r;
	r = fill_half(&halves[n], AF_INET6, route->address6, err);
	return r < 0 ? r : n + r;
}

static void down(struct netlink *nl, const char *parent, const struct half *halves, int n)
{
	for (int i = 0; parent && i < n; i++)
		(void)netlink_proxy_set(nl, parent, halves[i].family, halves[i].address, false,
					NULL);
}

int nicroute_up(struct netlink *nl, const struct nicroute *route, struct err *err)
{
	struct half halves[2];
	int index, r, n = fill_halves(route, halves, err);

	if (n < 0)
		return n;
	if (route->parent && netlink_link_index(nl, route->parent, &index, NULL) < 0)
		return err_kind(err, ERR_INVALID, "parent: the host has no interface \"%s\"",
				route->parent);
	for (int i = 0; i < n; i++) {
		r = up_half(nl, route, &halves[i], err);
		if (r < 0) {
			down(nl, route->parent, halves, i);
			return r;
		}
	}
	r = up_subnets(nl, route, err);
	if (r < 0)
		down(nl, route->parent, halves, n);
	return r;
}

void nicroute_down(struct netlink *nl, const struct nicroute *route)
{
	struct half halves[2];

	down(nl, route->parent, halves, fill_halves(route, halves, NULL));
	down_subnets(nl, route, strv_len((char **)route->subnets));
}

static int inside_half(struct netlink *nl, const char *name, const struct half *half, bool gateway,
		       struct err *err)
{
	const struct netlink_addr own = addr_of(half, half->address);
	struct netlink_route route = { .family = half->family, .via = half->host };
	int r = netlink_addr_add(nl, name, &own, err);

	if (r == 0 && half->family == AF_INET)
		r = route_to(nl, name, half, half->host, err);
	if (r < 0 || !gateway)
		return r;
	r = netlink_route_add(nl, name, &route, err);
	return r == -EEXIST ? 0 : r; /* another nic has it */
}

int nicroute_up_inside(struct netlink *nl, const char *name, const struct nicroute *route,
		       bool gateway4, bool gateway6, struct err *err)
{
	struct half halves[2];
	int n = fill_halves(route, halves, err);
	int r = n < 0 ? n : netlink_link_set_up(nl, name, true, err);

	for (int i = 0; r == 0 && i < n; i++)
		r = inside_half(nl, name, &halves[i],
				halves[i].family == AF_INET ? gateway4 : gateway6, err);
	return r;
}
