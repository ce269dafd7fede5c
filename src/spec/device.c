/* spec/device.c - see device.h */
#include "spec/device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "spec/bitrate.h"
#include "spec/disk.h"
#include "spec/hotdev.h"
#include "spec/keys.h"
#include "spec/names.h"
#include "spec/nictype.h"
#include "spec/proxy.h"
#include "spec/unixdev.h"
#include "spec/vlan.h"

#define ELSEWHERE(key, words)                                      \
	{                                                          \
		.name = key, .flags = KEY_ELSEWHERE, .help = words \
	}
#define TYPE_ROW                                                                     \
	{                                                                            \
		.name = "type", .rule = { .type = VALUE_STRING }, .help = "its type" \
	}

static const struct key_row nic_rows[] = {
	TYPE_ROW,
	{
		.name = "network",
		.rule = { .type = VALUE_NAME, .min = NAME_NETWORK },
		.help = "managed network to be on",
	},
	{
		.name = "nictype",
		.rule = { .type = VALUE_ENUM, .words = "bridged|macvlan|p2p|physical|routed" },
		.help = "bridged: with parent, a bridge that others manage; macvlan: of parent; "
			"p2p: a pair, alone; physical: parent itself; routed: a pair with routes",
	},
	{
		.name = "parent",
		.rule = { .type = VALUE_IFNAME },
		.help = "bridge to be on, or interface of the host; with nictype",
	},
	{
		.name = "name",
		.rule = { .type = VALUE_IFNAME },
		.initial = "the first free ethN",
		.help = "interface name inside",
	},
	{
		.name = "attached",
		.rule = { .type = VALUE_BOOL },
		.initial = "true",
		.help = "false: it is not there inside, and keeps its addresses",
	},
	{
		.name = "connected",
		.rule = { .type = VALUE_BOOL },
		.initial = "true",
		.help = "false: it is there with its cable pulled out",
	},
	{
		.name = "hwaddr",
		.rule = { .type = VALUE_HWADDR },
		.initial = "random",
		.help = "MAC address",
	},
	{
		.name = "host_name",
		.rule = { .type = VALUE_IFNAME },
		.role = KEY_ROLE_ADMIN,
		.initial = "chosen",
		.help = "name of the host's end",
	},
	{
		.name = "mtu",
		.rule = { .type = VALUE_INT, .min = 68, .max = 65535 },
		.initial = "the bridge's",
		.help = "maximum transmission unit",
	},
	{
		.name = "mode",
		.rule = { .type = VALUE_ENUM, .words = "bridge|passthru|private|vepa" },
		.initial = "bridge",
		.help = "of a macvlan: whom it reaches of the others on its parent",
	},
	{
		.name = "ipv4.address",
		.rule = { .type = VALUE_IPV4 },
		.help = "address to be leased by DHCP; of a routed nic, its address",
	},
	{
		.name = "ipv4.gateway",
		.rule = { .type = VALUE_ENUM, .words = "auto|none" },
		.initial = "auto",
		.help = "of a routed nic: none for no default route through it",
	},
	{
		.name = "ipv4.routes",
		.rule = { .type = VALUE_STRING, .max = 1024 },
		.help = "subnets behind it, to which the host gets routes",
		.check = nictype_check_routes,
	},
	{
		.name = "ipv6.address",
		.rule = { .type = VALUE_IPV6 },
		.help = "address to be leased by DHCP; of a routed nic, its address",
	},
	{
		.name = "ipv6.gateway",
		.rule = { .type = VALUE_ENUM, .words = "auto|none" },
		.initial = "auto",
		.help = "of a routed nic: none for no default route through it",
	},
	{
		.name = "ipv6.routes",
		.rule = { .type = VALUE_STRING, .max = 1024 },
		.help = "subnets behind it, to which the host gets routes",
		.check = nictype_check_routes,
	},
	{
		.name = "limits.egress",
		.rule = { .type = VALUE_STRING },
		.help = "bits in a second that it sends: 10Mbit",
		.check = bitrate_check,
	},
	{
		.name = "limits.ingress",
		.rule = { .type = VALUE_STRING },
		.help = "bits in a second that it receives",
		.check = bitrate_check,
	},
	{
		.name = "limits.max",
		.rule = { .type = VALUE_STRING },
		.help = "both limits.ingress and limits.egress",
		.check = bitrate_check,
	},
	{
		.name = "queue.tx.length",
		.rule = { .type = VALUE_INT, .min = 1, .max = 1000000 },
		.initial = "the kernel's",
		.help = "packets that wait to be sent, at both ends",
	},
	{
		.name = "security.ipv4_filtering",
		.rule = { .type = VALUE_BOOL },
		.initial = "false",
		.help = "sends from no other IPv4 address, and as no DHCP server; with mac_filtering",
	},
	{
		.name = "security.ipv6_filtering",
		.rule = { .type = VALUE_BOOL },
		.initial = "false",
		.help = "sends from no other IPv6 address, and as no router; with mac_filtering",
	},
	{
		.name = "security.mac_filtering",
		.rule = { .type = VALUE_BOOL },
		.initial = "false",
		.help = "sends from no other MAC address",
	},
	{
		.name = "security.port_isolation",
		.rule = { .type = VALUE_BOOL },
		.initial = "false",
		.help = "cannot reach, nor be reached by, other isolated nics of the bridge",
	},
	{
		.name = "vlan",
		.rule = { .type = VALUE_STRING },
		.help = "VLAN that it is in without knowing; of a bridge, or physical: of the parent",
		.check = vlan_check,
	},
	{
		.name = "vlan.tagged",
		.rule = { .type = VALUE_STRING, .max = 1024 },
		.help = "VLANs that it tells apart itself: 10,20-30; on a bridge",
		.check = vlan_check_tagged,
	},
	{
		.name = "user.",
		.rule = { .type = VALUE_TEXT },
		.help = "free keys of the user",
	},
	ELSEWHERE("boot.priority", "not for containers"),
	ELSEWHERE("gvrp", "VLAN registration"),
	ELSEWHERE("ipv4.host_address", "routes, gateways and neighbours"),
	ELSEWHERE("ipv4.host_table", "routes, gateways and neighbours"),
	ELSEWHERE("ipv4.host_tables", "routes, gateways and neighbours"),
	ELSEWHERE("ipv4.neighbor_probe", "routes, gateways and neighbours"),
	ELSEWHERE("ipv4.routes.external", "routes, gateways and neighbours"),
	ELSEWHERE("ipv6.host_address", "routes, gateways and neighbours"),
	ELSEWHERE("ipv6.host_table", "routes, gateways and neighbours"),
	ELSEWHERE("ipv6.host_tables", "routes, gateways and neighbours"),
	ELSEWHERE("ipv6.neighbor_probe", "routes, gateways and neighbours"),
	ELSEWHERE("ipv6.routes.external", "routes, gateways and neighbours"),
	ELSEWHERE("limits.", "priority of its packets"),
	ELSEWHERE("maas.", "MAAS"),
	ELSEWHERE("security.", "access control lists and others"),
};

static const struct key_row none_rows[] = { TYPE_ROW };

static int check_no_bridge(const struct strmap *device, struct err *err)
{
	static const char *const keys[] = { "security.port_isolation", "security.mac_filtering",
					    "security.ipv4_filtering", "security.ipv6_filtering",
					    NULL };
	static const char *const limits[] = { "limits.egress", "limits.ingress", "limits.max",
					      NULL };
	const char *limit = device_first_of(device, limits);

	for (const char *const *key = keys; *key; key++)
		if (keys_get_bool(device, *key, false))
			return err_kind(err, ERR_INVALID, "%s is for ports of a bridge", *key);
	return limit ? err_kind(err, ERR_INVALID, "%s is for ports of a bridge", limit) : 0;
}

/* The rules look at frames, not at what is wrapped in them. */
static int check_tagged(const struct strmap *device, struct err *err)
{
	static const char *const filters[] = { "security.ipv4_filtering", "security.ipv6_filtering",
					       "security.mac_filtering", NULL };

	for (const char *const *filter = filters; *filter; filter++)
		if (!str_empty(device_get(device, "vlan.tagged", "")) &&
		    keys_get_bool(device, *filter, false))
			return err_kind(
				err, ERR_INVALID,
				"vlan.tagged excludes %s: what is in a VLAN is not looked at",
				*filter);
	return 0;
}

/* Only our own networks tell which address a nic has. */
static int check_filters(const struct strmap *device, bool network, struct err *err)
{
	for (char version = '4'; version <= '6' && !network; version += 2) {
		char filter[] = "security.ipv?_filtering", address[] = "ipv?.address";

		filter[strlen("security.ipv")] = version;
		address[strlen("ipv")] = version;
		if (keys_get_bool(device, filter, false) &&
		    str_empty(device_get(device, address, "")))
			return err_kind(err, ERR_INVALID,
					"%s needs %s (or none) on a bridge that others manage",
					filter, address);
	}
	return 0;
}

static int check_nic(const struct strmap *device, struct err *err)
{
	bool network = !str_empty(device_get(device, "network", ""));
	bool nictype = !str_empty(device_get(device, "nictype", ""));
	bool parent = !str_empty(device_get(device, "parent", ""));
	bool p2p = streq(device_get(device, "nictype", ""), "p2p");
	static const char *const gateways[] = { "ipv4.gateway", "ipv6.gateway", NULL };
	const char *gateway;

	if (network && (nictype || parent))
		return err_kind(err, ERR_INVALID, "network excludes nictype and parent");
	if (network && !str_empty(device_get(device, "mode", "")))
		return err_kind(err, ERR_INVALID, "mode is for nictype=macvlan");
	if (network && (gateway = device_first_of(device, gateways)))
		return err_kind(err, ERR_INVALID, "%s is for nictype=routed", gateway);
	if (!network && nictype_check(device, err) < 0)
		return -EINVAL;
	if (check_tagged(device, err) < 0)
		return -EINVAL;
	return p2p ? check_no_bridge(device, err) : check_filters(device, network, err);
}

char *device_plain_path(const char *path)
{
	_cleanup_(strv_freep) char **parts = strv_split(path, "/");
	struct buf out = { 0 };

	for (char **part = parts; part && *part; part++)
		if (!str_empty(*part) && !streq(*part, "."))
			buf_printf(&out, "/%s", *part);
	if (out.len == 0)
		buf_add_char(&out, '/');
	return buf_take_str(&out);
}

static int check_none(const struct strmap *device, struct err *err)
{
	(void)device;
	(void)err;
	return 0;
}

static const struct {
	const char *name;
	struct key_table options;
	int (*check)(const struct strmap *device, struct err *err);
} types[] = {
	{ "disk", { "disk option", disk_rows, DISK_ROWS }, disk_check },
	{ "gpu", { "gpu option", gpu_rows, GPU_ROWS }, gpu_check },
	{ "nic", { "nic option", nic_rows, ARRAY_LEN(nic_rows) }, check_nic },
	{ "none", { "none option", none_rows, ARRAY_LEN(none_rows) }, check_none },
	{ "proxy", { "proxy option", proxy_rows, PROXY_ROWS }, proxy_check },
	{ "unix-block", { "unix-block option", unixdev_rows, UNIXDEV_ROWS }, unixdev_check },
	{ "unix-char", { "unix-char option", unixdev_rows, UNIXDEV_ROWS }, unixdev_check },
	{ "unix-hotplug",
	  { "unix-hotplug option", unix_hotplug_rows, UNIX_HOTPLUG_ROWS },
	  unix_hotplug_check },
	{ "usb", { "usb option", usb_rows, USB_ROWS }, usb_check },
};

static const char *const type_names[] = {
	"disk",	      "gpu",	   "nic",	   "none", "proxy",
	"unix-block", "unix-char", "unix-hotplug", "usb",  NULL,
};

static const char *const foreign_types[] = { "infiniband", "pci", "tpm", NULL };

static void device_free(void *value)
{
	struct strmap *device = value;

	strmap_done(device);
	free(device);
}

void devices_init(struct strmap *devices)
{
	*devices = (struct strmap){ .free_value = device_free };
}

struct strmap *devices_add(struct strmap *devices, const char *name)
{
	struct strmap *device = strmap_get(devices, name);

	if (!device) {
		device = xcalloc(1, sizeof(*device));
		strmap_set_take(devices, name, device);
	}
	return device;
}

struct strmap *devices_get(const struct strmap *devices, const char *name)
{
	return strmap_get(devices, name);
}

void devices_copy(struct strmap *dst, const struct strmap *src)
{
	strmap_done(dst);
	strmap_for_each(entry, src)
	{
		strmap_merge(devices_add(dst, entry->key), entry->value);
	}
}

bool devices_equal(const struct strmap *a, const struct strmap *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		if (!streq(a->items[i].key, b->items[i].key) ||
		    !strmap_equal(a->items[i].value, b->items[i].value))
			return false;
	return true;
}

const char *device_get(const struct strmap *device, const char *key, const char *fallback)
{
	const char *value = strmap_get(device, key);

	return value ? value : fallback;
}

const char *device_first_of(const struct strmap *device, const char *const *keys)
{
	for (; *keys; keys++)
		if (!str_empty(device_get(device, *keys, "")))
			return *keys;
	return NULL;
}

const struct key_table *device_options(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (streq(types[i].name, type))
			return &types[i].options;
	return NULL;
}

const char *const *device_type_names(void)
{
	return type_names;
}

static int unknown_type(const char *type, struct err *err)
{
	_cleanup_(freep) char *shown = str_printable(type, false);
	const char *near = str_nearest(type, type_names);

	if (strv_contains(foreign_types, type))
		return err_kind(err, ERR_UNSUPPORTED,
				"type \"%s\" is known in Incus, not supported here", type);
	if (near)
		return err_kind(err, ERR_INVALID, "unknown type \"%.64s\": did you mean \"%s\"?",
				shown, near);
	return err_kind(err, ERR_INVALID,
			"unknown type \"%.64s\": must be disk, gpu, nic, none, proxy, unix-block, "
			"unix-char, unix-hotplug or usb",
			shown);
}

static int check_required(const struct key_table *options, const struct strmap *device,
			  struct err *err)
{
	for (size_t i = 0; i < options->n_rows; i++)
		if (options->rows[i].flags & KEY_REQUIRED &&
		    str_empty(device_get(device, options->rows[i].name, "")))
			return err_kind(err, ERR_INVALID, "%s is missing", options->rows[i].name);
	return 0;
}

static int check_device(const struct strmap *device, struct err *err)
{
	const char *type = device_get(device, "type", "");

	if (str_empty(type))
		return err_kind(err, ERR_INVALID, "type is missing: no profile has this device");
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		int r;

		if (!streq(types[i].name, type))
			continue;
		r = key_check_all(&types[i].options, device, err);
		if (r == 0)
			r = check_required(&types[i].options, device, err);
		return r < 0 ? r : types[i].check(device, err);
	}
	return unknown_type(type, err);
}

int device_validate(const char *name, const struct strmap *device, struct err *err)
{
	int r = name_validate(NAME_DEVICE, name, err);

	if (r < 0)
		return r;
	r = check_device(device, err);
	if (r < 0)
		(void)err_wrap(err, "device \"%s\"", name);
	return r;
}

/* An option of a device whose type comes from elsewhere: right for one of the types. */
static int check_any_type(const char *key, const char *value, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		r = key_check(&types[i].options, key, value, err);
		if (r == 0 || key_find(&types[i].options, key))
			return r;
	}
	return r;
}

static int check_partial(const struct strmap *device, struct err *err)
{
	const char *type = device_get(device, "type", "");
	const struct key_table *options = device_options(type);

	if (!str_empty(type) && !options)
		return unknown_type(type, err);
	if (options)
		return key_check_all(options, device, err);
	strmap_for_each(entry, device)
	{
		int r = check_any_type(entry->key, entry->value, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int device_validate_partial(const char *name, const struct strmap *device, struct err *err)
{
	int r = name_validate(NAME_DEVICE, name, err);

	if (r < 0)
		return r;
	r = check_partial(device, err);
	if (r < 0)
		(void)err_wrap(err, "device \"%s\"", name);
	return r;
}

bool device_is_root(const struct strmap *device)
{
	return streq(device_get(device, "type", ""), "disk") &&
	       streq(device_get(device, "path", ""), "/");
}

const char *devices_root(const struct strmap *devices)
{
	strmap_for_each(entry, devices)
	{
		if (device_is_root(entry->value))
			return entry->key;
	}
	return NULL;
}

/* The interface name that @entry asks for; NULL when it is no nic, or takes what is free. */
static const char *inner_name(const struct strmap_entry *entry)
{
	const char *name = device_get(entry->value, "name", NULL);

	return streq(device_get(entry->value, "type", ""), "nic") ? name : NULL;
}

/* Where @entry is inside; NULL when it has no place there. */
static const char *inner_path(const struct strmap_entry *entry)
{
	const char *type = device_get(entry->value, "type", "");
	const char *path = device_get(entry->value, "path", NULL);

	if (streq(type, "disk"))
		return path;
	if (!streq(type, "unix-char") && !streq(type, "unix-block"))
		return NULL;
	return path ? path : device_get(entry->value, "source", NULL);
}

/* What @entry may not share with the devices before it. */
static int check_against_earlier(const struct strmap *devices, const struct strmap_entry *entry,
				 struct err *err)
{
	const char *name = inner_name(entry), *path = inner_path(entry);

	for (const struct strmap_entry *other = devices->items; other < entry; other++) {
		if (device_is_root(other->value) && device_is_root(entry->value))
			return err_kind(err, ERR_INVALID,
					"devices \"%s\" and \"%s\" are both the root disk",
					other->key, entry->key);
		if (name && streq(name, inner_name(other)))
			return err_kind(err, ERR_INVALID,
					"devices \"%s\" and \"%s\" have the same name \"%s\"",
					other->key, entry->key, name);
		if (path && streq(path, inner_path(other)))
			return err_kind(err, ERR_INVALID,
					"devices \"%s\" and \"%s\" have the same path \"%s\"",
					other->key, entry->key, path);
	}
	return 0;
}

int devices_validate(const struct strmap *devices, struct err *err)
{
	strmap_for_each(entry, devices)
	{
		int r = device_validate(entry->key, entry->value, err);

		if (r == 0)
			r = check_against_earlier(devices, entry, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What of the root disk an instance cannot get while it runs; size is the pool's business. */
static int check_root_live(const char *name, const struct strmap *old, const struct strmap *new,
			   struct err *err)
{
	static const char *const fixed[] = { "path", "pool", NULL };

	for (const char *const *key = fixed; *key; key++)
		if (!streq(device_get(old, *key, ""), device_get(new, *key, "")))
			return err_kind(
				err, ERR_INVALID,
				"device \"%s\": %s of the root disk cannot be changed while the "
				"instance runs",
				name, *key);
	return 0;
}

int devices_check_live(const struct strmap *old, const struct strmap *new, struct err *err)
{
	const char *old_root = devices_root(old), *new_root = devices_root(new);

	if (!old_root || !new_root)
		return old_root == new_root
			       ? 0
			       : err_kind(
					 err, ERR_INVALID,
					 "device \"%s\": the root disk cannot be %s while the instance "
					 "runs",
					 old_root ? old_root : new_root,
					 old_root ? "removed" : "added");
	return check_root_live(new_root, devices_get(old, old_root), devices_get(new, new_root),
			       err);
}
