/* api/object_instance.c - instances and their state */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/backups.h"
#include "api/instance_state.h"
#include "api/objects.h"
#include "api/snapshots.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/inst_volatile.h"
#include "core/network.h"
#include "core/usage.h"
#include "spec/device.h"

static void write_config(struct jsonw *w, const char *key, const struct inst *inst,
			 const struct strmap *config)
{
	_cleanup_(strmap_done) struct strmap told = { 0 };

	strmap_merge(&told, config);
	inst_tell_volatile(inst, &told);
	jsonw_add_strmap(w, key, &told);
}

static void write_members(struct jsonw *w, const struct inst *inst)
{
	const struct inst_record *record = inst->record;

	jsonw_add_str(w, "name", record->name);
	jsonw_add_str(w, "description", record->description ? record->description : "");
	jsonw_add_str(w, "type", "container");
	jsonw_add_str(w, "status", inst_state_name(inst->state));
	jsonw_add_i64(w, "status_code", inst_state_code(inst->state));
	jsonw_add_str(w, "architecture", record->architecture);
	jsonw_add_bool(w, "ephemeral", record->ephemeral);
	jsonw_add_bool(w, "stateful", false);
	write_time(w, "created_at", record->created_wall_ns);
	write_time(w, "last_used_at", record->last_used_wall_ns);
	jsonw_add_str(w, "location", "none");
	jsonw_add_str(w, "project", "default");
	jsonw_add_strv(w, "profiles", (const char *const *)record->profiles);
	write_config(w, "config", inst, &record->config);
	write_devices(w, "devices", &record->devices);
	write_config(w, "expanded_config", inst, &inst->expanded.config);
	write_devices(w, "expanded_devices", &inst->expanded.devices);
}

void write_instance(struct jsonw *w, const struct inst *inst)
{
	jsonw_begin_object(w);
	write_members(w, inst);
	jsonw_end_object(w);
}

void write_instance_full(struct jsonw *w, const struct inst *inst, const struct msg *stats)
{
	jsonw_begin_object(w);
	write_members(w, inst);
	write_snapshots(w, inst);
	write_backups(w, inst);
	jsonw_key(w, "state");
	write_instance_state(w, inst, stats);
	jsonw_end_object(w);
}

/* ---- state ---- */

static const char *scope_name(const struct msg_addr *addr)
{
	if (addr->scope == 254)
		return "local";
	return addr->scope == 253 ? "link" : "global";
}

static void write_address(struct jsonw *w, const char *family, const char *address,
			  uint32_t prefix_len, const char *scope)
{
	char prefix[16];

	(void)snprintf(prefix, sizeof(prefix), "%u", prefix_len);
	jsonw_begin_object(w);
	jsonw_add_str(w, "family", family);
	jsonw_add_str(w, "address", address);
	jsonw_add_str(w, "netmask", prefix);
	jsonw_add_str(w, "scope", scope);
	jsonw_end_object(w);
}

static const struct {
	const char *name;
	size_t offset;
} counters[] = {
	{ "bytes_received", offsetof(struct msg_nic, rx_bytes) },
	{ "bytes_sent", offsetof(struct msg_nic, tx_bytes) },
	{ "packets_received", offsetof(struct msg_nic, rx_packets) },
	{ "packets_sent", offsetof(struct msg_nic, tx_packets) },
	{ "errors_received", offsetof(struct msg_nic, rx_errors) },
	{ "errors_sent", offsetof(struct msg_nic, tx_errors) },
	{ "packets_dropped_inbound", offsetof(struct msg_nic, rx_dropped) },
	{ "packets_dropped_outbound", offsetof(struct msg_nic, tx_dropped) },
};

static void write_counters(struct jsonw *w, const struct msg_nic *nic)
{
	jsonw_add_object(w, "counters");
	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		jsonw_add_u64(w, counters[i].name,
			      *(const uint64_t *)((const char *)nic + counters[i].offset));
	jsonw_end_object(w);
}

static void write_nic(struct jsonw *w, const struct msg_nic *nic)
{
	jsonw_add_object(w, nic->name ? nic->name : "");
	jsonw_add_array(w, "addresses");
	vec_for_each(addr, &nic->addrs)
		write_address(w, addr->family == AF_INET6 ? "inet6" : "inet", addr->address,
			      addr->prefix_len, scope_name(addr));
	jsonw_end_array(w);
	write_counters(w, nic);
	jsonw_add_str(w, "hwaddr", nic->hwaddr ? nic->hwaddr : "");
	jsonw_add_str(w, "host_name", nic->host_name ? nic->host_name : "");
	jsonw_add_u64(w, "mtu", nic->mtu);
	jsonw_add_str(w, "state", nic->up ? "up" : "down");
	jsonw_add_str(w, "type", streq(nic->name, "lo") ? "loopback" : "broadcast");
	jsonw_end_object(w);
}

static void write_network_state(struct jsonw *w, const struct inst *inst, const struct msg *stats)
{
	const struct msg *source = stats && stats->nics.len > 0 ? stats : &inst->addresses;

	jsonw_key(w, "network");
	if (!inst_is_running(inst)) {
		jsonw_null(w);
		return;
	}
	jsonw_begin_object(w);
	vec_for_each(nic, &source->nics)
		write_nic(w, nic);
	jsonw_end_object(w);
}

/* Empty where the file system does not count. */
static void write_disk_state(struct jsonw *w, const struct inst *inst)
{
	const char *root = devices_root(&inst->expanded.devices);
	struct root_usage usage;

	jsonw_add_object(w, "disk");
	if (root && root_usage(inst, &usage) == 0) {
		jsonw_add_object(w, root);
		jsonw_add_u64(w, "usage", usage.used_bytes);
		jsonw_add_u64(w, "total", usage.limit_bytes);
		jsonw_end_object(w);
	}
	jsonw_end_object(w);
}

void write_instance_state(struct jsonw *w, const struct inst *inst, const struct msg *stats)
{
	bool running = inst_is_running(inst);

	jsonw_begin_object(w);
	jsonw_add_str(w, "status", inst_state_name(inst->state));
	jsonw_add_i64(w, "status_code", inst_state_code(inst->state));
	jsonw_add_i64(w, "pid", inst->pid);
	jsonw_add_i64(w, "processes", !running ? -1 : stats ? (int64_t)stats->processes : 0);
	jsonw_add_object(w, "cpu");
	jsonw_add_u64(w, "usage", stats ? stats->cpu_usage_ns : 0);
	jsonw_end_object(w);
	jsonw_add_object(w, "memory");
	jsonw_add_u64(w, "usage", stats ? stats->memory_bytes : 0);
	jsonw_add_u64(w, "usage_peak", stats ? stats->memory_peak_bytes : 0);
	jsonw_add_u64(w, "swap_usage", stats ? stats->swap_bytes : 0);
	jsonw_add_u64(w, "swap_usage_peak", 0);
	jsonw_end_object(w);
	write_disk_state(w, inst);
	write_network_state(w, inst, stats);
	write_time(w, "started_at", running ? inst->started_wall_ns : 0);
	jsonw_end_object(w);
}
