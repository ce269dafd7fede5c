/* spec/proxy.c - see proxy.h */
#include "spec/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "spec/device.h"
#include "spec/keys.h"

static int check_mode(const char *key, const char *value, struct err *err)
{
	uint32_t mode;

	(void)key; /* in the caller's words */
	if (parse_octal(value, 0777, &mode) < 0)
		return err_kind(err, ERR_INVALID, "must be permissions like 0660");
	return 0;
}

const struct key_row proxy_rows[PROXY_ROWS] = {
	{ .name = "type", .rule = { .type = VALUE_STRING }, .help = "its type" },
	{
		.name = "bind",
		.rule = { .type = VALUE_ENUM, .words = "host|instance|guest|container" },
		.initial = "host",
		.help = "where it listens; it connects on the other side",
	},
	{
		.name = "connect",
		.rule = { .type = VALUE_STRING },
		.flags = KEY_REQUIRED,
		.role = KEY_ROLE_ADMIN,
		.help = "tcp:ADDRESS:PORT, udp:ADDRESS:PORT or unix:PATH",
	},
	{
		.name = "gid",
		.rule = { .type = VALUE_INT, .max = UINT32_MAX - 1 },
		.initial = "0",
		.help = "group of the socket file it listens on",
	},
	{
		.name = "listen",
		.rule = { .type = VALUE_STRING },
		.flags = KEY_REQUIRED,
		.role = KEY_ROLE_ADMIN,
		.help = "the same; ports may be ranges: 80,8000-8010",
	},
	{
		.name = "mode",
		.rule = { .type = VALUE_STRING },
		.initial = "0644",
		.help = "permissions of the socket file it listens on",
		.check = check_mode,
	},
	{
		.name = "nat",
		.rule = { .type = VALUE_BOOL },
		.initial = "false",
		.help = "translate addresses in the kernel, to an address of a nic on a bridge",
	},
	{
		.name = "proxy_protocol",
		.rule = { .type = VALUE_BOOL },
		.initial = "false",
		.help = "tell the other side who connected (PROXY protocol, version 1)",
	},
	{
		.name = "security.gid",
		.rule = { .type = VALUE_INT, .max = UINT32_MAX - 1 },
		.initial = "0",
		.help = "group that connects to a socket file",
	},
	{
		.name = "security.uid",
		.rule = { .type = VALUE_INT, .max = UINT32_MAX - 1 },
		.initial = "0",
		.help = "user that connects to a socket file",
	},
	{
		.name = "uid",
		.rule = { .type = VALUE_INT, .max = UINT32_MAX - 1 },
		.initial = "0",
		.help = "owner of the socket file it listens on",
	},
	{
		.name = "user.",
		.rule = { .type = VALUE_TEXT },
		.help = "free keys of the user",
	},
};

static int add_ports(const char *range, struct proxy_addr *addr)
{
	_cleanup_(freep) char *first_text = xstrndup(range, strcspn(range, "-"));
	const char *dash = strchr(range, '-');
	uint64_t first, last;

	if (parse_u64(first_text, UINT16_MAX, &first) < 0 || first == 0)
		return -1;
	last = first;
	if (dash && (parse_u64(dash + 1, UINT16_MAX, &last) < 0 || last < first))
		return -1;
	for (uint64_t port = first; port <= last; port++) {
		if (addr->n_ports == PROXY_PORTS_MAX)
			return -1;
		addr->ports[addr->n_ports++] = (uint16_t)port;
	}
	return 0;
}

static int parse_ports(const char *text, struct proxy_addr *addr, struct err *err)
{
	_cleanup_(strv_freep) char **ranges = strv_split(text, ",");

	for (char **range = ranges; range && *range; range++)
		if (add_ports(*range, addr) < 0)
			return err_kind(
				err, ERR_INVALID,
				"ports must be numbers and ranges like 80,8000-8010, at most %d",
				PROXY_PORTS_MAX);
	return addr->n_ports > 0 ? 0 : err_kind(err, ERR_INVALID, "port is missing");
}

static int parse_host(const char *host, struct proxy_addr *addr, struct err *err)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&addr->ip;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&addr->ip;
	size_t len = strlen(host);

	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		return 0;
	}
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		_cleanup_(freep) char *bare = xstrndup(host + 1, len - 2);

		if (inet_pton(AF_INET6, bare, &in6->sin6_addr) == 1) {
			in6->sin6_family = AF_INET6;
			return 0;
		}
	}
	return err_kind(err, ERR_INVALID,
			"must have an IPv4 address, or an IPv6 address in brackets");
}

static int parse_ip(const char *rest, struct proxy_addr *addr, struct err *err)
{
	const char *colon = strrchr(rest, ':');
	_cleanup_(freep) char *host = colon ? xstrndup(rest, (size_t)(colon - rest)) : NULL;
	int r;

	if (!colon)
		return err_kind(err, ERR_INVALID, "must be tcp:ADDRESS:PORT or udp:ADDRESS:PORT");
	r = parse_host(host, addr, err);
	return r < 0 ? r : parse_ports(colon + 1, addr, err);
}

static int parse_unix(const char *path, struct proxy_addr *addr, struct err *err)
{
	const struct value_rule rule = { .type = VALUE_PATH };

	if (strlen(path) >= sizeof(addr->path) || str_empty(path))
		return err_kind(err, ERR_INVALID, "must have a path of 1 to %d characters",
				PROXY_PATH_LEN - 1);
	if (path[0] != '@' && value_check(&rule, path, err) < 0)
		return err_wrap(err, "unix:");
	memcpy(addr->path, path, strlen(path) + 1);
	addr->n_ports = 1;
	return 0;
}

int proxy_addr_parse(const char *text, struct proxy_addr *ret_addr, struct err *err)
{
	const char *rest;

	*ret_addr = (struct proxy_addr){ .kind = PROXY_TCP };
	if ((rest = str_after(text, "tcp:")))
		return parse_ip(rest, ret_addr, err);
	ret_addr->kind = PROXY_UDP;
	if ((rest = str_after(text, "udp:")))
		return parse_ip(rest, ret_addr, err);
	ret_addr->kind = PROXY_UNIX;
	if ((rest = str_after(text, "unix:")))
		return parse_unix(rest, ret_addr, err);
	return err_kind(err, ERR_INVALID,
			"must be tcp:ADDRESS:PORT, udp:ADDRESS:PORT or unix:PATH");
}

socklen_t proxy_addr_fill(const struct proxy_addr *addr, uint32_t index,
			  struct sockaddr_storage *ret_sockaddr)
{
	struct sockaddr_un *un = (struct sockaddr_un *)ret_sockaddr;
	size_t len = strlen(addr->path);

	*ret_sockaddr = addr->ip;
	if (addr->kind == PROXY_UNIX) {
		un->sun_family = AF_UNIX;
		memcpy(un->sun_path, addr->path, len);
		if (addr->path[0] == '@')
			un->sun_path[0] = '\0';
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
				   (addr->path[0] != '@' && len < sizeof(un->sun_path)));
	}
	if (addr->ip.ss_family == AF_INET) {
		((struct sockaddr_in *)ret_sockaddr)->sin_port = htons(addr->ports[index]);
		return sizeof(struct sockaddr_in);
	}
	((struct sockaddr_in6 *)ret_sockaddr)->sin6_port = htons(addr->ports[index]);
	return sizeof(struct sockaddr_in6);
}

static int check_address(const struct strmap *device, const char *key, struct proxy_addr *ret_addr,
			 struct err *err)
{
	const char *text = device_get(device, key, "");

	if (proxy_addr_parse(text, ret_addr, err) < 0) {
		_cleanup_(freep) char *shown = str_printable(text, false);

		return err_wrap(err, "%s=\"%.100s\"", key, shown);
	}
	return 0;
}

bool proxy_is_nat(const struct strmap *device)
{
	return streq(device_get(device, "type", ""), "proxy") &&
	       keys_get_bool(device, "nat", false);
}

bool proxy_addr_is_any(const struct proxy_addr *addr)
{
	if (addr->ip.ss_family == AF_INET)
		return ((const struct sockaddr_in *)&addr->ip)->sin_addr.s_addr == INADDR_ANY;
	return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)&addr->ip)->sin6_addr);
}

static bool is_loopback(const struct proxy_addr *addr)
{
	if (addr->ip.ss_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)&addr->ip)->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)&addr->ip)->sin6_addr);
}

/* What the kernel can do alone. */
static int check_nat(const struct strmap *device, const struct proxy_addr *listen,
		     const struct proxy_addr *connect, struct err *err)
{
	static const char *const process_keys[] = { "security.uid", "security.gid", NULL };

	if (!streq(device_get(device, "bind", "host"), "host"))
		return err_kind(err, ERR_INVALID, "nat excludes bind=%s: it is for bind=host",
				device_get(device, "bind", ""));
	if (keys_get_bool(device, "proxy_protocol", false))
		return err_kind(err, ERR_INVALID,
				"nat excludes proxy_protocol: with nat the other side sees who "
				"connects anyway");
	if (listen->kind == PROXY_UNIX || listen->kind != connect->kind)
		return err_kind(err, ERR_INVALID, "nat is for tcp to tcp and udp to udp");
	if (listen->ip.ss_family != connect->ip.ss_family)
		return err_kind(err, ERR_INVALID,
				"nat is for IPv4 to IPv4 and IPv6 to IPv6: use two devices");
	if (is_loopback(listen) || is_loopback(connect))
		return err_kind(err, ERR_INVALID,
				"%s: nat cannot lead from or to a loopback address: leave nat out, "
				"or use another address",
				is_loopback(listen) ? "listen" : "connect");
	for (const char *const *key = process_keys; *key; key++)
		if (!str_empty(device_get(device, *key, "")))
			return err_kind(err, ERR_INVALID, "nat excludes %s", *key);
	return 0;
}

int proxy_check(const struct strmap *device, struct err *err)
{
	static const char *const file_keys[] = { "uid", "gid", "mode", NULL };
	struct proxy_addr listen, connect;
	int r = check_address(device, "listen", &listen, err);

	if (r == 0)
		r = check_address(device, "connect", &connect, err);
	if (r < 0)
		return r;
	if ((listen.kind == PROXY_UDP) != (connect.kind == PROXY_UDP))
		return err_kind(err, ERR_INVALID, "udp can only be connected to udp");
	if (connect.n_ports != 1 && connect.n_ports != listen.n_ports)
		return err_kind(err, ERR_INVALID,
				"connect must have one port, or as many as listen (%u)",
				listen.n_ports);
	if (listen.kind != PROXY_TCP && keys_get_bool(device, "proxy_protocol", false))
		return err_kind(err, ERR_INVALID, "proxy_protocol is for listen=tcp:");
	for (const char *const *key = file_keys; *key; key++)
		if (!str_empty(device_get(device, *key, "")) &&
		    (listen.kind != PROXY_UNIX || listen.path[0] == '@'))
			return err_kind(err, ERR_INVALID, "%s is for listen=unix:/PATH", *key);
	return proxy_is_nat(device) ? check_nat(device, &listen, &connect, err) : 0;
}
