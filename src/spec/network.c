/* spec/network.c - see network.h */
#include "spec/network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "spec/keys.h"
#include "spec/names.h"

#define ELSEWHERE(key, words)                                      \
	{                                                          \
		.name = key, .flags = KEY_ELSEWHERE, .help = words \
	}

static const struct key_row rows[] = {
	{
		.name = "bridge.hwaddr",
		.rule = { .type = VALUE_HWADDR },
		.flags = KEY_LIVE,
		.initial = "random",
		.help = "MAC address of the bridge",
	},
	{
		.name = "bridge.mtu",
		.rule = { .type = VALUE_INT, .min = 1280, .max = 65535 },
		.flags = KEY_LIVE,
		.initial = "1500",
		.help = "maximum transmission unit of the bridge and its nics",
	},
	{
		.name = "dns.domain",
		.rule = { .type = VALUE_DOMAIN },
		.flags = KEY_LIVE,
		.initial = "sysctr",
		.help = "domain of the names of instances",
	},
	{
		.name = "dns.mode",
		.rule = { .type = VALUE_ENUM, .words = "managed|dynamic|none" },
		.flags = KEY_LIVE,
		.initial = "managed",
		.help = "managed: names of instances; dynamic: what the guests call themselves",
	},
	{
		.name = "dns.nameservers",
		.rule = { .type = VALUE_STRING },
		.flags = KEY_LIVE,
		.initial = "the bridge",
		.help = "addresses of name servers for the guests",
	},
	{
		.name = "dns.search",
		.rule = { .type = VALUE_STRING },
		.flags = KEY_LIVE,
		.initial = "dns.domain",
		.help = "search domains for the guests",
	},
	{
		.name = "ipv4.address",
		.rule = { .type = VALUE_IPV4_CIDR },
		.flags = KEY_LIVE,
		.initial = "auto",
		.help = "address and subnet of the bridge",
	},
	{
		.name = "ipv4.dhcp",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_LIVE,
		.initial = "true",
		.help = "offer addresses by DHCP",
	},
	{
		.name = "ipv4.dhcp.expiry",
		.rule = { .type = VALUE_EXPIRY },
		.flags = KEY_LIVE,
		.initial = "1h",
		.help = "how long a lease holds",
	},
	{
		.name = "ipv4.dhcp.gateway",
		.rule = { .type = VALUE_IPV4 },
		.flags = KEY_LIVE,
		.initial = "the bridge",
		.help = "gateway for the guests",
	},
	{
		.name = "ipv4.dhcp.ranges",
		.rule = { .type = VALUE_IPV4_RANGES },
		.flags = KEY_LIVE,
		.initial = "the whole subnet",
		.help = "addresses to choose from",
	},
	{
		.name = "ipv4.firewall",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_LIVE,
		.initial = "true",
		.help = "rules that let the guests pass",
	},
	{
		.name = "ipv4.nat",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_LIVE,
		.initial = "true",
		.help = "translate addresses on the way out",
	},
	{
		.name = "ipv4.nat.address",
		.rule = { .type = VALUE_IPV4 },
		.flags = KEY_LIVE,
		.initial = "that of the uplink",
		.help = "source address of translated packets",
	},
	{
		.name = "ipv4.routing",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_LIVE,
		.initial = "true",
		.help = "forward packets to and from the network",
	},
	{
		.name = "ipv6.address",
		.rule = { .type = VALUE_IPV6_CIDR },
		.flags = KEY_LIVE,
		.initial = "auto",
		.help = "address and subnet of the bridge",
	},
	{
		.name = "ipv6.dhcp",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_LIVE,
		.initial = "true",
		.help = "offer DNS and other options by DHCPv6",
	},
	{
		.name = "ipv6.dhcp.expiry",
		.rule = { .type = VALUE_EXPIRY },
		.flags = KEY_LIVE,
		.initial = "1h",
		.help = "how long a lease holds",
	},
	{
		.name = "ipv6.dhcp.stateful",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_LIVE,
		.initial = "false",
		.help = "offer addresses by DHCPv6 too",
	},
	{
		.name = "ipv6.firewall",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_LIVE,
		.initial = "true",
		.help = "rules that let the guests pass",
	},
	{
		.name = "ipv6.nat",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_LIVE,
		.initial = "true",
		.help = "translate addresses on the way out",
	},
	{
		.name = "ipv6.nat.address",
		.rule = { .type = VALUE_IPV6 },
		.flags = KEY_LIVE,
		.initial = "that of the uplink",
		.help = "source address of translated packets",
	},
	{
		.name = "ipv6.routing",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_LIVE,
		.initial = "true",
		.help = "forward packets to and from the network",
	},
	{
		.name = "user.",
		.rule = { .type = VALUE_TEXT },
		.flags = KEY_LIVE,
		.help = "free keys of the user",
	},
	{
		.name = "volatile.",
		.rule = { .type = VALUE_STRING },
		.flags = KEY_LIVE,
		.role = KEY_ROLE_ADMIN,
		.help = "what the daemon notes for itself",
	},
	ELSEWHERE("bgp.", "BGP peers"),
	ELSEWHERE("bridge.driver", "Open vSwitch"),
	ELSEWHERE("bridge.external_interfaces", "interfaces of the host on the bridge"),
	ELSEWHERE("bridge.mode", "Ubuntu's fan"),
	ELSEWHERE("bridge.multicast_snooping", "multicast snooping"),
	ELSEWHERE("dns.zone.", "authoritative zones"),
	ELSEWHERE("fan.", "Ubuntu's fan"),
	ELSEWHERE("ipv4.dhcp.routes", "routes by DHCP"),
	ELSEWHERE("ipv4.nat.order", "order of NAT rules"),
	ELSEWHERE("ipv4.ovn.ranges", "OVN"),
	ELSEWHERE("ipv4.routes", "more subnets behind the bridge"),
	ELSEWHERE("ipv6.dhcp.ranges", "addresses to choose from"),
	ELSEWHERE("ipv6.nat.order", "order of NAT rules"),
	ELSEWHERE("ipv6.ovn.ranges", "OVN"),
	ELSEWHERE("ipv6.ra", "router advertisements; here always"),
	ELSEWHERE("ipv6.routes", "more subnets behind the bridge"),
	ELSEWHERE("maas.", "MAAS"),
	ELSEWHERE("raw.dnsmasq", "configuration passed on unchecked"),
	ELSEWHERE("security.", "ACLs"),
	ELSEWHERE("tunnel.", "tunnels to other hosts"),
};

const struct key_table network_keys = {
	.what = "network key",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
};

struct network_record *network_record_new(const char *name)
{
	struct network_record *record = xcalloc(1, sizeof(*record));

	record->name = xstrdup(name);
	record->type = xstrdup("bridge");
	record->managed = true;
	return record;
}

struct network_record *network_record_copy(const struct network_record *src)
{
	struct network_record *copy = xmemdup(src, sizeof(*src));

	copy->name = xstrdup(src->name);
	copy->type = xstrdup(src->type);
	copy->description = xstrdup(src->description);
	copy->config = (struct strmap){ 0 };
	strmap_merge(&copy->config, &src->config);
	return copy;
}

void network_record_free(struct network_record *record)
{
	if (!record)
		return;
	free(record->name);
	free(record->type);
	free(record->description);
	strmap_done(&record->config);
	free(record);
}

void network_record_freep(struct network_record **record)
{
	network_record_free(*record);
	*record = NULL;
}

/* "10.0.0.1/24" of a checked value. Returns: whether it is one and not auto or none. */
static bool parse_subnet(const char *cidr, uint32_t *ret_first, uint32_t *ret_last)
{
	const char *slash = strchr(cidr, '/');
	_cleanup_(freep) char *address = slash ? xstrndup(cidr, (size_t)(slash - cidr)) : NULL;
	struct in_addr in;
	uint32_t mask;
	uint64_t prefix;

	if (!slash || inet_pton(AF_INET, address, &in) != 1 ||
	    parse_u64(slash + 1, 32, &prefix) < 0)
		return false;
	mask = prefix == 0 ? 0 : UINT32_MAX << (32 - prefix);
	*ret_first = ntohl(in.s_addr) & mask;
	*ret_last = *ret_first | ~mask;
	return true;
}

/* @range of a checked value ("10.0.0.2-10.0.0.9") lies strictly inside. */
static bool range_inside(const char *range, uint32_t first, uint32_t last)
{
	const char *dash = strchr(range, '-');
	_cleanup_(freep) char *low = xstrndup(range, (size_t)(dash - range));
	struct in_addr from, to;

	return inet_pton(AF_INET, low, &from) == 1 && inet_pton(AF_INET, dash + 1, &to) == 1 &&
	       ntohl(from.s_addr) > first && ntohl(to.s_addr) < last;
}

static int check_ranges(const struct strmap *config, struct err *err)
{
	const char *cidr = keys_get(config, "ipv4.address", "auto");
	_cleanup_(strv_freep) char **ranges =
		strv_split(keys_get(config, "ipv4.dhcp.ranges", ""), ",");
	uint32_t first, last;

	if (!ranges)
		return 0;
	if (!parse_subnet(cidr, &first, &last))
		return err_kind(err, ERR_INVALID,
				"ipv4.dhcp.ranges needs a subnet in ipv4.address, which is %s",
				cidr);
	for (char **range = ranges; *range; range++)
		if (!range_inside(*range, first, last))
			return err_kind(err, ERR_INVALID,
					"ipv4.dhcp.ranges: %s is not inside ipv4.address=%s",
					*range, cidr);
	return 0;
}

/* A subnet's own address or broadcast address is no address of a bridge. */
static int check_address(const struct strmap *config, struct err *err)
{
	const char *cidr = keys_get(config, "ipv4.address", "auto");
	const char *slash = strchr(cidr, '/');
	_cleanup_(freep) char *address = slash ? xstrndup(cidr, (size_t)(slash - cidr)) : NULL;
	struct in_addr in;
	uint32_t first, last;

	if (!parse_subnet(cidr, &first, &last) || inet_pton(AF_INET, address, &in) != 1)
		return 0;
	if (ntohl(in.s_addr) == first || ntohl(in.s_addr) == last)
		return err_kind(err, ERR_INVALID,
				"ipv4.address=%s: must be a host's address like the first one",
				cidr);
	return 0;
}

static int validate_content(const struct network_record *record, struct err *err)
{
	int r;

	if (!streq(record->type, "bridge"))
		return err_kind(err, ERR_UNSUPPORTED, "type %s is not supported here, bridge is",
				record->type ? record->type : "(none)");
	r = key_check_all(&network_keys, &record->config, err);
	if (r == 0)
		r = check_address(&record->config, err);
	return r < 0 ? r : check_ranges(&record->config, err);
}

int network_record_validate(const struct network_record *record, struct err *err)
{
	int r = name_validate(NAME_NETWORK, record->name, err);

	if (r < 0)
		return r;
	r = validate_content(record, err);
	if (r < 0)
		(void)err_wrap(err, "network \"%s\"", record->name);
	return r;
}

void lease_record_free(struct lease_record *record)
{
	if (!record)
		return;
	free(record->device);
	free(record->hwaddr);
	free(record->ipv4);
	free(record->ipv6);
	free(record);
}

void lease_record_freep(struct lease_record **record)
{
	lease_record_free(*record);
	*record = NULL;
}
