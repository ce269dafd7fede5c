/* core/nicfilter.c - see nicfilter.h */
#include "core/nicfilter.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/live.h"
#include "core/nat.h"
#include "core/network.h"
#include "core/network_filter.h"
#include "network/filter.h"
#include "spec/bitrate.h"
#include "spec/device.h"
#include "spec/keys.h"

static bool device_bool(const struct strmap *device, const char *key)
{
	return keys_get_bool(device, key, false);
}

/* Returns: bytes in a second, 0 for no limit. limits.max counts for both ways, as elsewhere. */
static uint64_t limit_of(const struct strmap *device, const char *key)
{
	uint64_t limit = 0;

	(void)bitrate_parse(device_get(device, "limits.max", device_get(device, key, "")), &limit);
	return limit;
}

static bool has_senders(const struct strmap *device)
{
	return device_bool(device, "security.mac_filtering") ||
	       device_bool(device, "security.ipv4_filtering") ||
	       device_bool(device, "security.ipv6_filtering");
}

static bool is_filtered(const struct strmap *device)
{
	return streq(device_get(device, "type", NULL), "nic") &&
	       (has_senders(device) || limit_of(device, "limits.egress") > 0 ||
		limit_of(device, "limits.ingress") > 0);
}

/* What the device asks for, else what the network gave it. */
static void fill_addresses(const struct inst *inst, const char *name, const struct strmap *device,
			   struct net_filter *filter)
{
	struct netman_addresses given = { 0 };

	if (device_get(device, "network", NULL))
		netman_nic_addresses(inst->core->net, inst->record->id, name, &given);
	filter->has4 =
		net_ip4_parse(device_get(device, "ipv4.address", given.ipv4), &filter->addr4) == 0;
	filter->has6 =
		net_ip6_parse(device_get(device, "ipv6.address", given.ipv6), filter->addr6) == 0;
}

void nicfilter_add(const struct inst *inst, struct net_filters *filters)
{
	strmap_for_each(entry, &inst->expanded.devices)
	{
		const struct strmap *device = entry->value;
		_cleanup_(freep) char *host_name = NULL;
		struct net_filter filter = {
			.egress = limit_of(device, "limits.egress"),
			.ingress = limit_of(device, "limits.ingress"),
			.senders = has_senders(device),
			.ipv4 = device_bool(device, "security.ipv4_filtering"),
			.ipv6 = device_bool(device, "security.ipv6_filtering"),
		};

		if (!is_filtered(device))
			continue;
		/* Without its address nothing passes: zeros are no sender's. */
		(void)net_mac_parse(inst_nic_hwaddr(inst, entry->key, device), &filter.mac);
		host_name = inst_nic_host_name(inst, entry->key, device);
		(void)snprintf(filter.host_name, sizeof(filter.host_name), "%s", host_name);
		fill_addresses(inst, entry->key, device, &filter);
		net_filters_add(filters, &filter);
	}
	nat_add(inst, &filters->dnats);
}

void nicfilter_collect(void *data, struct net_filters *filters)
{
	struct core *core = data;

	strmap_for_each(entry, &core->instances)
	{
		const struct inst *inst = entry->value;

		if (inst->state != INST_STOPPED || inst->starts)
			nicfilter_add(inst, filters);
	}
	live_collect_filters(core, filters);
}

void nicfilter_changed(const struct inst *inst)
{
	strmap_for_each(entry, &inst->expanded.devices)
	{
		if (!is_filtered(entry->value) && !proxy_is_nat(entry->value))
			continue;
		(void)netman_filters_apply(inst->core->net, NULL, NULL);
		return;
	}
}
