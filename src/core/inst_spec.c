/* core/inst_spec.c - resolve an instance to what its monitor gets (inst_make_spec) */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "core/core.h"
#include "core/cpus.h"
#include "core/hotplug.h"
#include "core/inst.h"
#include "core/network.h"
#include "core/pool.h"
#include "core/seccomp.h"
#include "core/volume.h"
#include "os/blockdev.h"
#include "spec/daemon_config.h"
#include "spec/device.h"
#include "spec/disk.h"
#include "spec/keys.h"
#include "spec/nic.h"
#include "spec/nictype.h"
#include "spec/proxy.h"
#include "spec/seed.h"
#include "spec/vlan.h"

enum {
	CONSOLE_LOG_MAX_BYTES = 1024 * 1024
};

char *inst_cgroup(const struct core *core, const char *name)
{
	return xasprintf("%s/%s", core->config->name, name);
}

static int fill_limits(struct inst *inst, struct inst_spec *spec, struct err *err)
{
	uint32_t cpu_count = 0;
	int r = limits_from_config(&inst->expanded.config, inst->core->host_memory_bytes,
				   &spec->limits, &cpu_count, err);

	if (r == 0 && cpu_count > 0)
		spec->limits.cpus = cpus_choose(inst, cpu_count);
	return r;
}

char *inst_nic_host_name(const struct inst *inst, const char *name, const struct strmap *device)
{
	const char *given = device_get(device, "host_name", NULL);
	char host_name[NIC_IFNAME_LEN];

	return xstrdup(given ? given
			     : nic_host_name(inst->core->config->name, inst->record->name, name,
					     host_name));
}

const char *inst_nic_hwaddr(const struct inst *inst, const char *name, const struct strmap *device)
{
	_cleanup_(freep) char *key = xasprintf("volatile.%s.hwaddr", name);

	return device_get(device, "hwaddr", strmap_get(&inst->record->config, key));
}

static bool device_bool(const struct strmap *device, const char *key)
{
	return keys_get_bool(device, key, false);
}

static uint32_t device_u32(const struct strmap *device, const char *key)
{
	return (uint32_t)keys_get_int(device, key, 0);
}

static void fill_route(const struct strmap *device, struct spec_nic *nic)
{
	nic->address4 = xstrdup(nictype_address(device, "ipv4.address"));
	nic->address6 = xstrdup(nictype_address(device, "ipv6.address"));
	nic->no_gateway4 = streq(device_get(device, "ipv4.gateway", ""), "none");
	nic->no_gateway6 = streq(device_get(device, "ipv6.gateway", ""), "none");
}

static void fill_nic(struct inst *inst, const char *device_name, const struct strmap *device,
		     const char *name, struct inst_spec *spec)
{
	const char *network = device_get(device, "network", NULL);
	struct spec_nic *nic = vec_push(&spec->nics);

	nic->device = xstrdup(device_name);
	nic->name = xstrdup(name);
	nic->kind = nictype_kind(device);
	if (nic->kind == NIC_PAIR || nic->kind == NIC_ROUTED)
		nic->host_name = inst_nic_host_name(inst, device_name, device);
	nic->macvlan_mode = nictype_macvlan_mode(device_get(device, "mode", ""));
	nic->parent = xstrdup(network ? network : device_get(device, "parent", NULL));
	nic->hwaddr =
		xstrdup(nictype_keeps_hwaddr(device) ? device_get(device, "hwaddr", NULL)
						     : inst_nic_hwaddr(inst, device_name, device));
	nic->mtu = (uint32_t)keys_get_int(device, "mtu",
					  network ? netman_mtu(inst->core->net, network) : 0);
	nic->given_name = device_get(device, "host_name", NULL);
	nic->isolated = device_bool(device, "security.port_isolation");
	nic->disconnected = !keys_get_bool(device, "connected", true);
	nic->queue_len = device_u32(device, "queue.tx.length");
	nic->subnets = nictype_routes(device);
	nic->vlan = vlan_parse(device_get(device, "vlan", ""));
	nic->vlan_tagged = xstrdup(device_get(device, "vlan.tagged", NULL));
	nic->own_bridge = network;
	if (nic->kind == NIC_ROUTED)
		fill_route(device, nic);
}

static void fill_nics(struct inst *inst, struct inst_spec *spec)
{
	_cleanup_(strmap_done) struct strmap names = { 0 };

	nic_inner_names(&inst->expanded.devices, &inst->record->config, &names);
	strmap_for_each(entry, &names)
	{
		const struct strmap *device = devices_get(&inst->expanded.devices, entry->key);

		if (keys_get_bool(device, "attached", true))
			fill_nic(inst, entry->key, device, entry->value, spec);
	}
}

/* A volume has the ids of whoever has it. */
static int fill_source(struct core *core, const struct strmap *device, struct spec_disk *disk,
		       struct err *err)
{
	const char *source = device_get(device, "source", "");

	if (device_get(device, "pool", NULL)) {
		disk->shift = true;
		return volume_fill_source(core, device, &disk->source, err);
	}
	disk->shift = device_bool(device, "shift");
	if (!streq(source, DISK_TMPFS))
		disk->source = xstrdup(source);
	return 0;
}

static int fill_disk(struct core *core, const char *name, const struct strmap *device,
		     struct inst_spec *spec, struct err *err)
{
	struct spec_disk *disk = vec_push(&spec->disks);
	int r;

	disk_fill(name, device, disk);
	r = fill_source(core, device, disk, err);
	return r < 0 ? err_wrap(err, "device \"%s\"", name) : 0;
}

static void fill_proxies(struct inst *inst, struct inst_spec *spec)
{
	strmap_for_each(entry, &inst->expanded.devices)
	{
		const struct strmap *device = entry->value;
		struct spec_proxy *proxy;

		if (!streq(device_get(device, "type", NULL), "proxy") || proxy_is_nat(device))
			continue;
		proxy = vec_push(&spec->proxies);
		proxy->device = xstrdup(entry->key);
		proxy->listen = xstrdup(device_get(device, "listen", ""));
		proxy->connect = xstrdup(device_get(device, "connect", ""));
		proxy->bind_instance = !streq(device_get(device, "bind", "host"), "host");
		proxy->proxy_protocol = device_bool(device, "proxy_protocol");
		proxy->uid = device_u32(device, "uid");
		proxy->gid = device_u32(device, "gid");
		proxy->security_uid = device_u32(device, "security.uid");
		proxy->security_gid = device_u32(device, "security.gid");
		(void)parse_octal(device_get(device, "mode", "0644"), 0777, &proxy->mode);
	}
}

static void fill_nodes(struct inst *inst, struct inst_spec *spec)
{
	strmap_for_each(entry, &inst->expanded.devices)
	{
		const struct strmap *device = entry->value;
		const char *type = device_get(device, "type", "");
		const char *path = device_get(device, "path", device_get(device, "source", ""));
		struct spec_node *node;

		if (!streq(type, "unix-char") && !streq(type, "unix-block"))
			continue;
		/* One that need not be there is plugged in when it comes. */
		if (!keys_get_bool(device, "required", true) &&
		    !device_get(device, "major", NULL) &&
		    !hotplug_has_node(device_get(device, "source", path)))
			continue;
		node = vec_push(&spec->nodes);
		node->device = xstrdup(entry->key);
		node->path = device_plain_path(path);
		node->block = streq(type, "unix-block");
		node->numbered = device_get(device, "major", NULL);
		if (!node->numbered)
			node->source = xstrdup(device_get(device, "source", path));
		node->major = device_u32(device, "major");
		node->minor = device_u32(device, "minor");
		node->uid = device_u32(device, "uid");
		node->gid = device_u32(device, "gid");
		(void)parse_octal(device_get(device, "mode", "0660"), 0777, &node->mode);
		node->optional = !keys_get_bool(device, "required", true);
	}
}

/* The source of the disk @name; NULL: of none, or one that is not there and need not be. */
static const char *source_of(const struct inst_spec *spec, const char *name)
{
	vec_for_each(disk, &spec->disks) {
		if (streq(disk->device, name))
			return disk->optional && access(disk->source, F_OK) < 0 ? NULL
										: disk->source;
	}
	return NULL;
}

/* Two disks on one device: what is less counts for both, since the kernel knows only the device. */
static void add_io(struct limits *limits, const struct limits_io *io)
{
	vec_for_each(other, &limits->io) {
		if (other->major != io->major || other->minor != io->minor)
			continue;
		other->read_bytes = MIN(other->read_bytes, io->read_bytes);
		other->write_bytes = MIN(other->write_bytes, io->write_bytes);
		other->read_ops = MIN(other->read_ops, io->read_ops);
		other->write_ops = MIN(other->write_ops, io->write_ops);
		return;
	}
	*vec_push(&limits->io) = *io;
}

/* Once sources and limits of groups are known. */
static int fill_io(const struct inst *inst, struct inst_spec *spec, struct err *err)
{
	strmap_for_each(entry, &inst->expanded.devices)
	{
		const char *path = device_is_root(entry->value) ? spec->root_path
								: source_of(spec, entry->key);
		struct limits_io io;
		int r;

		if (!streq(device_get(entry->value, "type", NULL), "disk") || !path ||
		    !disk_limits(entry->value, &io))
			continue;
		r = blockdev_of_path(path, &io.major, &io.minor, err);
		if (r < 0)
			return err_wrap(err, "device \"%s\": limits", entry->key);
		add_io(&spec->limits, &io);
	}
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct spec_disk *)a)->path, ((const struct spec_disk *)b)->path);
}

/* Sorted, "/a" comes before "/a/b". */
static int fill_disks(struct inst *inst, struct inst_spec *spec, struct err *err)
{
	int r = 0;

	strmap_for_each(entry, &inst->expanded.devices)
	{
		if (r == 0 && streq(device_get(entry->value, "type", NULL), "disk") &&
		    !device_is_root(entry->value))
			r = fill_disk(inst->core, entry->key, entry->value, spec, err);
	}
	if (spec->disks.len > 0)
		qsort(spec->disks.items, spec->disks.len, sizeof(*spec->disks.items), by_path);
	return r;
}

/* The part of @config behind @prefix, as a map of its own. */
static void fill_family(const struct strmap *config, const char *prefix, struct strmap *ret_map)
{
	strmap_for_each(entry, config)
	{
		const char *key = str_after(entry->key, prefix);

		if (key)
			strmap_set(ret_map, key, entry->value);
	}
}

/* Most have the one filter that was compiled once. */
static int fill_filter(const struct inst *inst, struct inst_spec *spec, struct err *err)
{
	struct seccomp_policy policy = seccomp_policy_of(&inst->expanded.config);

	if (policy.no_default || policy.deny)
		return seccomp_compile(&policy, &spec->seccomp, err);
	buf_add(&spec->seccomp, inst->core->seccomp.data, inst->core->seccomp.len);
	return 0;
}

static void fill_names(struct inst *inst, struct inst_spec *spec)
{
	struct core *core = inst->core;

	spec->name = xstrdup(inst->record->name);
	spec->hostname = xstrdup(inst->record->name);
	spec->uuid = xstrdup(keys_get(&inst->record->config, "volatile.uuid", NULL));
	spec->cgroup = inst_cgroup(core, inst->record->name);
	spec->runtime_dir = inst_runtime_dir(inst);
	spec->log_dir = inst_log_dir(inst);
	spec->console_log = xasprintf("%s/console.log", spec->log_dir);
	spec->console_log_max = CONSOLE_LOG_MAX_BYTES;
	spec->generation = ++inst->generation;
}

/*
 * Its files on those of /proc would keep containers inside from having a /proc of their own: the
 * kernel lets nobody uncover what somebody covered (mount_namespaces(7), RESTRICTIONS).
 */
static void fill_lxcfs(const struct inst *inst, struct inst_spec *spec)
{
	static const char *const programs[] = { "/usr/bin/lxcfs", "/usr/local/bin/lxcfs" };

	for (size_t i = 0; inst->core->config->lxcfs && i < ARRAY_LEN(programs); i++)
		if (!spec->lxcfs && !spec->nesting && access(programs[i], X_OK) == 0)
			spec->lxcfs = xstrdup(programs[i]);
}

/*
 * Programs that ask for memory in both ways, as busybox does, subtract one answer from the other: the
 * container's of one and the host's of the other would be nonsense. And a process can have one
 * listener only: containers inside are to have theirs.
 */
static bool wants_sysinfo(const struct inst *inst, const struct inst_spec *spec)
{
	return !spec->nesting && keys_get_bool(&inst->expanded.config,
					       "security.syscalls.intercept.sysinfo", spec->lxcfs);
}

int inst_make_spec(struct inst *inst, struct inst_spec *ret_spec, struct err *err)
{
	struct core *core = inst->core;
	int r;

	fill_names(inst, ret_spec);
	ret_spec->privileged = keys_get_bool(&inst->expanded.config, "security.privileged", false);
	ret_spec->nesting = keys_get_bool(&inst->expanded.config, "security.nesting", false);
	ret_spec->id_base = inst->record->id_base;
	ret_spec->id_count = inst->record->id_count;
	fill_family(&inst->expanded.config, "environment.", &ret_spec->environment);
	fill_family(&inst->expanded.config, "linux.sysctl.", &ret_spec->sysctls);
	ret_spec->modules =
		strv_split(keys_get(&inst->expanded.config, "linux.kernel_modules", ""), ", ");
	ret_spec->oom_score_adj =
		(int32_t)keys_get_int(&inst->expanded.config, "limits.memory.oom_priority", 0);
	if (!ret_spec->privileged)
		idmaps_from_config(&inst->expanded.config, &ret_spec->idmaps);
	rlimits_from_config(&inst->expanded.config, &ret_spec->rlimits);
	seed_make(&inst->expanded.config, ret_spec->name, ret_spec->uuid, &ret_spec->seed);
	fill_lxcfs(inst, ret_spec);
	ret_spec->intercept_sysinfo = wants_sysinfo(inst, ret_spec);
	ret_spec->intercept_mknod =
		keys_get_bool(&inst->expanded.config, "security.syscalls.intercept.mknod", false);
	fill_nics(inst, ret_spec);
	r = fill_disks(inst, ret_spec, err);
	fill_proxies(inst, ret_spec);
	fill_nodes(inst, ret_spec);
	hotplug_fill(inst, ret_spec);
	if (r == 0)
		r = fill_filter(inst, ret_spec, err);
	if (r == 0)
		r = pool_fill_root(core, inst->record, ret_spec, err);
	if (r == 0)
		r = fill_limits(inst, ret_spec, err);
	if (r == 0)
		r = fill_io(inst, ret_spec, err);
	return r;
}
