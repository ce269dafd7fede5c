/* core/nat.c - see nat.h */
#include "core/nat.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/network.h"
#include "core/nicfilter.h"
#include "network/filter.h"
#include "spec/device.h"

enum target_outcome {
	FOUND,
	NOT_YET, /* a nic has no address of its network yet */
	NOWHERE,
	TARGET_OUTCOME_MAX
};

static bool is_bridged(const struct strmap *device)
{
	return streq(device_get(device, "type", NULL), "nic") &&
	       (device_get(device, "network", NULL) ||
		streq(device_get(device, "nictype", NULL), "bridged"));
}

/* Take @text as the target when that is what the device means. */
static bool take4(const char *text, uint32_t prefix, struct net_dnat *dnat)
{
	struct sockaddr_in *to = (struct sockaddr_in *)&dnat->connect.ip;
	struct net_ip4 ip = { .prefix = (uint8_t)prefix };

	if (net_ip4_parse(text, &ip.addr) < 0)
		return false;
	if (!proxy_addr_is_any(&dnat->connect) && to->sin_addr.s_addr != htonl(ip.addr))
		return false;
	to->sin_addr.s_addr = htonl(ip.addr);
	ip.addr = net_ip4_network(ip);
	if (prefix > 0)
		(void)net_ip4_format_cidr(dnat->within, ip);
	return true;
}

static bool take6(const char *text, uint32_t prefix, struct net_dnat *dnat)
{
	struct sockaddr_in6 *to = (struct sockaddr_in6 *)&dnat->connect.ip;
	struct net_ip6 ip = { .prefix = (uint8_t)prefix };

	if (net_ip6_parse(text, ip.addr) < 0)
		return false;
	if (!proxy_addr_is_any(&dnat->connect) && memcmp(&to->sin6_addr, ip.addr, 16) != 0)
		return false;
	memcpy(&to->sin6_addr, ip.addr, 16);
	net_ip6_nth(&ip, 0, ip.addr);
	if (prefix > 0)
		(void)net_ip6_format_cidr(dnat->within, &ip);
	return true;
}

/* Of the first nic that has what connect= says; a wildcard there is any of its addresses. */
static enum target_outcome find_target(const struct inst *inst, struct net_dnat *dnat)
{
	bool ipv6 = dnat->connect.ip.ss_family == AF_INET6;
	enum target_outcome outcome = NOWHERE;

	strmap_for_each(entry, &inst->expanded.devices)
	{
		const struct strmap *nic = entry->value;
		struct netman_addresses given = { 0 };
		bool managed = is_bridged(nic) && device_get(nic, "network", NULL);

		if (!is_bridged(nic))
			continue;
		if (managed)
			netman_nic_addresses(inst->core->net, inst->record->id, entry->key, &given);
		if (ipv6 ? take6(device_get(nic, "ipv6.address", given.ipv6), given.ipv6_prefix,
				 dnat)
			 : take4(device_get(nic, "ipv4.address", given.ipv4), given.ipv4_prefix,
				 dnat))
			return FOUND;
		if (managed && given.ipv4_prefix == 0 && given.ipv6_prefix == 0)
			outcome = NOT_YET;
	}
	return outcome;
}

/* What was checked parses. */
static enum target_outcome resolve(const struct inst *inst, const struct strmap *device,
				   struct net_dnat *dnat)
{
	*dnat = (struct net_dnat){ 0 };
	(void)snprintf(dnat->instance, sizeof(dnat->instance), "%s", inst->record->name);
	(void)proxy_addr_parse(device_get(device, "listen", ""), &dnat->listen, NULL);
	(void)proxy_addr_parse(device_get(device, "connect", ""), &dnat->connect, NULL);
	return find_target(inst, dnat);
}

void nat_add(const struct inst *inst, struct net_dnats *dnats)
{
	strmap_for_each(entry, &inst->expanded.devices)
	{
		struct net_dnat dnat;

		if (proxy_is_nat(entry->value) && resolve(inst, entry->value, &dnat) == FOUND)
			*vec_push(&dnats->list) = dnat;
	}
}

/* Others that run, start or are being edited. */
static int check_others(const struct inst *inst, const struct net_dnat *dnat, struct err *err)
{
	struct net_filters all = { 0 };
	int r = 0;

	nicfilter_collect(inst->core, &all);
	vec_for_each(other, &all.dnats.list) {
		uint16_t port = net_dnat_overlap(dnat, other);

		if (port == 0 || streq(other->instance, dnat->instance))
			continue;
		r = err_kind(err, ERR_CONFLICT, "port %u is instance \"%s\"'s already", port,
			     other->instance);
		break;
	}
	net_filters_done(&all);
	return r;
}

static int check_siblings(const struct inst *inst, const struct strmap_entry *entry,
			  const struct net_dnat *dnat, struct err *err)
{
	for (const struct strmap_entry *it = inst->expanded.devices.items; it < entry; it++) {
		struct net_dnat other;
		uint16_t port;

		if (!proxy_is_nat(it->value))
			continue;
		(void)resolve(inst, it->value, &other);
		port = net_dnat_overlap(dnat, &other);
		if (port > 0)
			return err_kind(err, ERR_CONFLICT, "port %u is device \"%s\"'s already",
					port, it->key);
	}
	return 0;
}

static int check_one(const struct inst *inst, const struct strmap_entry *entry, bool edited,
		     struct err *err)
{
	struct net_dnat dnat;
	enum target_outcome outcome = resolve(inst, entry->value, &dnat);
	int r;

	if (outcome == NOWHERE || (outcome == NOT_YET && !edited))
		return err_kind(err, ERR_INVALID,
				"connect=%s: nat needs a nic on a bridge that has this address by "
				"its network, ipv4.address or ipv6.address",
				device_get(entry->value, "connect", ""));
	r = check_siblings(inst, entry, &dnat, err);
	return r < 0 ? r : check_others(inst, &dnat, err);
}

int nat_check(const struct inst *inst, bool edited, struct err *err)
{
	strmap_for_each(entry, &inst->expanded.devices)
	{
		if (proxy_is_nat(entry->value) && check_one(inst, entry, edited, err) < 0)
			return err_wrap(err, "device \"%s\"", entry->key);
	}
	return 0;
}
