/* spec/nictype.c - see nictype.h */
#include "spec/nictype.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "spec/device.h"

#define ROUTED_OPTIONS "ipv4.gateway", "ipv6.gateway"
#define BRIDGE_OPTIONS                                                              \
	"limits.egress", "limits.ingress", "limits.max", "security.ipv4_filtering", \
		"security.ipv6_filtering", "security.mac_filtering", "security.port_isolation"

#define VLAN_OPTIONS "vlan", "vlan.tagged"

static const char *const bridged_options[] = { "mode", ROUTED_OPTIONS, NULL };
static const char *const p2p_options[] = { "mode", ROUTED_OPTIONS, VLAN_OPTIONS, NULL };
static const char *const routed_options[] = { "mode", BRIDGE_OPTIONS, VLAN_OPTIONS, NULL };
#define PAIR_OPTIONS                                                                            \
	"connected", "host_name", "ipv4.address", "ipv6.address", "ipv4.routes", "ipv6.routes", \
		"queue.tx.length"

static const char *const macvlan_options[] = { PAIR_OPTIONS, BRIDGE_OPTIONS, ROUTED_OPTIONS,
					       VLAN_OPTIONS, NULL };
static const char *const physical_options[] = { PAIR_OPTIONS, BRIDGE_OPTIONS, ROUTED_OPTIONS,
						"mode",	      "vlan.tagged",  NULL };

static const struct type_row {
	const char *name;
	enum nic_kind kind;
	enum {
		PARENT_NONE,
		PARENT_NEEDED,
		PARENT_OPTIONAL,
		PARENT_MAX
	} parent;
	const char *const *excluded; /* options that it does not have */
} rows[] = {
	{ "bridged", NIC_PAIR, PARENT_NEEDED, bridged_options },
	{ "macvlan", NIC_MACVLAN, PARENT_NEEDED, macvlan_options },
	{ "p2p", NIC_PAIR, PARENT_NONE, p2p_options },
	{ "physical", NIC_PHYSICAL, PARENT_NEEDED, physical_options },
	{ "routed", NIC_ROUTED, PARENT_OPTIONAL, routed_options },
};

static const struct type_row *find_row(const struct strmap *device)
{
	const char *type = device_get(device, "nictype", "");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (streq(rows[i].name, type))
			return &rows[i];
	return NULL;
}

enum nic_kind nictype_kind(const struct strmap *device)
{
	const struct type_row *row = find_row(device);

	if (row && row->kind == NIC_PHYSICAL && !str_empty(device_get(device, "vlan", "")))
		return NIC_VLAN;
	return row ? row->kind : NIC_PAIR;
}

bool nictype_keeps_hwaddr(const struct strmap *device)
{
	return nictype_kind(device) == NIC_PHYSICAL || nictype_kind(device) == NIC_VLAN ||
	       (nictype_kind(device) == NIC_MACVLAN &&
		streq(device_get(device, "mode", ""), "passthru"));
}

uint32_t nictype_macvlan_mode(const char *mode)
{
	static const struct {
		const char *name;
		uint32_t mode;
	} modes[] = {
		{ "bridge", MACVLAN_MODE_BRIDGE },
		{ "passthru", MACVLAN_MODE_PASSTHRU },
		{ "private", MACVLAN_MODE_PRIVATE },
		{ "vepa", MACVLAN_MODE_VEPA },
	};

	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (streq(modes[i].name, mode))
			return modes[i].mode;
	return MACVLAN_MODE_BRIDGE;
}

const char *nictype_address(const struct strmap *device, const char *key)
{
	const char *address = device_get(device, key, "");

	return str_empty(address) || streq(address, "none") ? NULL : address;
}

/* A subnet with no bit set behind its prefix, which the kernel would refuse. */
static bool is_subnet(int family, const char *text)
{
	_cleanup_(freep) char *address = xstrndup(text, strcspn(text, "/"));
	uint32_t bits = family == AF_INET ? 32 : 128, prefix;
	const char *slash = strchr(text, '/');
	uint8_t bytes[16];

	if (!slash || parse_u32(slash + 1, &prefix) < 0 || prefix == 0 || prefix > bits ||
	    inet_pton(family, address, bytes) != 1)
		return false;
	for (uint32_t i = prefix; i < bits; i++)
		if (bytes[i / 8] & (0x80 >> (i % 8)))
			return false;
	return true;
}

int nictype_check_routes(const char *key, const char *value, struct err *err)
{
	_cleanup_(strv_freep) char **subnets = strv_split(value, ",");
	bool v4 = streq(key, "ipv4.routes");

	for (char **subnet = subnets; subnet && *subnet; subnet++)
		if (!is_subnet(v4 ? AF_INET : AF_INET6, *subnet))
			return err_kind(
				err, ERR_INVALID,
				"must be subnets like %s, with commas, their addresses zero "
				"behind the prefix",
				v4 ? "10.1.2.0/24" : "2001:db8:1::/48");
	return 0;
}

char **nictype_routes(const struct strmap *device)
{
	_cleanup_(freep) char *both = xasprintf("%s,%s", device_get(device, "ipv4.routes", ""),
						device_get(device, "ipv6.routes", ""));

	return strv_split(both, ",");
}

int nictype_check(const struct strmap *device, struct err *err)
{
	const struct type_row *row = find_row(device);
	bool parent = !str_empty(device_get(device, "parent", ""));

	if (!row)
		return err_kind(
			err, ERR_INVALID,
			"must have network=NAME, or nictype=bridged and parent=BRIDGE, or "
			"nictype=macvlan or physical and parent=INTERFACE, or nictype=p2p, or "
			"nictype=routed and an address");
	if (parent && row->parent == PARENT_NONE)
		return err_kind(err, ERR_INVALID, "nictype=%s excludes parent", row->name);
	if (!parent && row->parent == PARENT_NEEDED)
		return err_kind(err, ERR_INVALID, "nictype=%s must have parent=INTERFACE",
				row->name);
	for (const char *const *key = row->excluded; *key; key++)
		if (!str_empty(device_get(device, *key, "")))
			return err_kind(err, ERR_INVALID, "%s is not for nictype=%s", *key,
					row->name);
	if (row->kind == NIC_ROUTED && !nictype_address(device, "ipv4.address") &&
	    !nictype_address(device, "ipv6.address"))
		return err_kind(err, ERR_INVALID,
				"nictype=routed must have ipv4.address=ADDRESS or "
				"ipv6.address=ADDRESS");
	if (row->kind == NIC_PHYSICAL && streq(device_get(device, "vlan", ""), "none"))
		return err_kind(err, ERR_INVALID, "vlan=none is for ports of a bridge");
	return 0;
}
