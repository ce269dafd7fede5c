/* spec/instance.c - see instance.h */
#include "spec/instance.h"

#include <stdlib.h>

#include "base/str.h"
#include "spec/device.h"

struct inst_record *inst_record_new(const char *name)
{
	struct inst_record *record = xcalloc(1, sizeof(*record));

	record->name = xstrdup(name);
	devices_init(&record->devices);
	return record;
}

struct inst_record *inst_record_copy(const struct inst_record *src)
{
	struct inst_record *copy = xmemdup(src, sizeof(*src));

	copy->name = xstrdup(src->name);
	copy->description = xstrdup(src->description);
	copy->architecture = xstrdup(src->architecture);
	copy->pool = xstrdup(src->pool);
	copy->image_fingerprint = xstrdup(src->image_fingerprint);
	copy->profiles = strv_copy((const char *const *)src->profiles);
	copy->power = xstrdup(src->power);
	copy->config = (struct strmap){ 0 };
	strmap_merge(&copy->config, &src->config);
	devices_init(&copy->devices);
	devices_copy(&copy->devices, &src->devices);
	return copy;
}

void inst_record_free(struct inst_record *record)
{
	if (!record)
		return;
	free(record->name);
	free(record->description);
	free(record->architecture);
	free(record->pool);
	free(record->image_fingerprint);
	strv_free(record->profiles);
	free(record->power);
	strmap_done(&record->config);
	strmap_done(&record->devices);
	free(record);
}

void inst_record_freep(struct inst_record **record)
{
	inst_record_free(*record);
	*record = NULL;
}

static const struct wire_field spec_nic_fields[] = {
	{ 1, WIRE_STR, offsetof(struct spec_nic, device), NULL },
	{ 2, WIRE_STR, offsetof(struct spec_nic, name), NULL },
	{ 3, WIRE_STR, offsetof(struct spec_nic, host_name), NULL },
	{ 4, WIRE_STR, offsetof(struct spec_nic, parent), NULL },
	{ 5, WIRE_STR, offsetof(struct spec_nic, hwaddr), NULL },
	{ 6, WIRE_U32, offsetof(struct spec_nic, mtu), NULL },
	{ 27, WIRE_BOOL, offsetof(struct spec_nic, given_name), NULL },
	{ 28, WIRE_BOOL, offsetof(struct spec_nic, isolated), NULL },
	{ 61, WIRE_U32, offsetof(struct spec_nic, kind), NULL },
	{ 62, WIRE_U32, offsetof(struct spec_nic, macvlan_mode), NULL },
	{ 64, WIRE_BOOL, offsetof(struct spec_nic, disconnected), NULL },
	{ 65, WIRE_U32, offsetof(struct spec_nic, queue_len), NULL },
	{ 66, WIRE_STR, offsetof(struct spec_nic, address4), NULL },
	{ 67, WIRE_STR, offsetof(struct spec_nic, address6), NULL },
	{ 68, WIRE_BOOL, offsetof(struct spec_nic, no_gateway4), NULL },
	{ 69, WIRE_BOOL, offsetof(struct spec_nic, no_gateway6), NULL },
	{ 70, WIRE_STRV, offsetof(struct spec_nic, subnets), NULL },
	{ 71, WIRE_U32, offsetof(struct spec_nic, vlan), NULL },
	{ 72, WIRE_STR, offsetof(struct spec_nic, vlan_tagged), NULL },
	{ 73, WIRE_BOOL, offsetof(struct spec_nic, own_bridge), NULL },
};
WIRE_SCHEMA(spec_nic, spec_nic_fields);

static const struct wire_field spec_disk_fields[] = {
	{ 1, WIRE_STR, offsetof(struct spec_disk, device), NULL },
	{ 2, WIRE_STR, offsetof(struct spec_disk, path), NULL },
	{ 3, WIRE_STR, offsetof(struct spec_disk, source), NULL },
	{ 4, WIRE_U64, offsetof(struct spec_disk, size_bytes), NULL },
	{ 5, WIRE_BOOL, offsetof(struct spec_disk, shift), NULL },
	{ 6, WIRE_BOOL, offsetof(struct spec_disk, readonly), NULL },
	{ 7, WIRE_BOOL, offsetof(struct spec_disk, recursive), NULL },
	{ 8, WIRE_BOOL, offsetof(struct spec_disk, follow), NULL },
	{ 9, WIRE_BOOL, offsetof(struct spec_disk, optional), NULL },
	{ 64, WIRE_U32, offsetof(struct spec_disk, spread), NULL },
	{ 65, WIRE_U64, offsetof(struct spec_disk, attrs), NULL },
};
WIRE_SCHEMA(spec_disk, spec_disk_fields);

static const struct wire_field spec_proxy_fields[] = {
	{ 1, WIRE_STR, offsetof(struct spec_proxy, device), NULL },
	{ 2, WIRE_STR, offsetof(struct spec_proxy, listen), NULL },
	{ 3, WIRE_STR, offsetof(struct spec_proxy, connect), NULL },
	{ 4, WIRE_BOOL, offsetof(struct spec_proxy, bind_instance), NULL },
	{ 5, WIRE_BOOL, offsetof(struct spec_proxy, proxy_protocol), NULL },
	{ 6, WIRE_U32, offsetof(struct spec_proxy, uid), NULL },
	{ 7, WIRE_U32, offsetof(struct spec_proxy, gid), NULL },
	{ 8, WIRE_U32, offsetof(struct spec_proxy, mode), NULL },
	{ 9, WIRE_U32, offsetof(struct spec_proxy, security_uid), NULL },
	{ 10, WIRE_U32, offsetof(struct spec_proxy, security_gid), NULL },
};
WIRE_SCHEMA(spec_proxy, spec_proxy_fields);

static const struct wire_field spec_node_fields[] = {
	{ 1, WIRE_STR, offsetof(struct spec_node, device), NULL },
	{ 2, WIRE_STR, offsetof(struct spec_node, path), NULL },
	{ 3, WIRE_STR, offsetof(struct spec_node, source), NULL },
	{ 4, WIRE_BOOL, offsetof(struct spec_node, block), NULL },
	{ 5, WIRE_BOOL, offsetof(struct spec_node, numbered), NULL },
	{ 6, WIRE_U32, offsetof(struct spec_node, major), NULL },
	{ 7, WIRE_U32, offsetof(struct spec_node, minor), NULL },
	{ 8, WIRE_U32, offsetof(struct spec_node, uid), NULL },
	{ 9, WIRE_U32, offsetof(struct spec_node, gid), NULL },
	{ 10, WIRE_U32, offsetof(struct spec_node, mode), NULL },
	{ 11, WIRE_BOOL, offsetof(struct spec_node, optional), NULL },
};
WIRE_SCHEMA(spec_node, spec_node_fields);

static const struct wire_field spec_init_fields[] = {
	{ 1, WIRE_STRV, offsetof(struct spec_init, argv), NULL },
	{ 2, WIRE_U32, offsetof(struct spec_init, halt_signal), NULL },
	{ 3, WIRE_U32, offsetof(struct spec_init, reboot_signal), NULL },
};
WIRE_SCHEMA(spec_init, spec_init_fields);

static const struct wire_field inst_spec_fields[] = {
	{ 1, WIRE_STR, offsetof(struct inst_spec, name), NULL },
	{ 2, WIRE_STR, offsetof(struct inst_spec, uuid), NULL },
	{ 3, WIRE_STR, offsetof(struct inst_spec, hostname), NULL },
	{ 4, WIRE_STR, offsetof(struct inst_spec, cgroup), NULL },
	{ 5, WIRE_BOOL, offsetof(struct inst_spec, privileged), NULL },
	{ 6, WIRE_BOOL, offsetof(struct inst_spec, nesting), NULL },
	{ 7, WIRE_U32, offsetof(struct inst_spec, id_base), NULL },
	{ 8, WIRE_U32, offsetof(struct inst_spec, id_count), NULL },
	{ 9, WIRE_U32, offsetof(struct inst_spec, root_kind), NULL },
	{ 10, WIRE_STR, offsetof(struct inst_spec, root_path), NULL },
	{ 11, WIRE_STR, offsetof(struct inst_spec, root_lower), NULL },
	{ 12, WIRE_STRUCT, offsetof(struct inst_spec, init), &spec_init_schema },
	{ 13, WIRE_STRMAP, offsetof(struct inst_spec, environment), NULL },
	{ 14, WIRE_STRUCT, offsetof(struct inst_spec, limits), &limits_schema },
	{ 15, WIRE_VEC, offsetof(struct inst_spec, nics), &spec_nic_schema },
	{ 16, WIRE_BYTES, offsetof(struct inst_spec, seccomp), NULL },
	{ 17, WIRE_STR, offsetof(struct inst_spec, console_log), NULL },
	{ 18, WIRE_U64, offsetof(struct inst_spec, console_log_max), NULL },
	{ 19, WIRE_STR, offsetof(struct inst_spec, log_dir), NULL },
	{ 20, WIRE_STR, offsetof(struct inst_spec, runtime_dir), NULL },
	{ 21, WIRE_U64, offsetof(struct inst_spec, generation), NULL },
	{ 22, WIRE_STRMAP, offsetof(struct inst_spec, sysctls), NULL },
	{ 41, WIRE_VEC, offsetof(struct inst_spec, rlimits.list), &spec_rlimit_schema },
	{ 42, WIRE_I32, offsetof(struct inst_spec, oom_score_adj), NULL },
	{ 43, WIRE_VEC, offsetof(struct inst_spec, disks), &spec_disk_schema },
	{ 44, WIRE_VEC, offsetof(struct inst_spec, proxies), &spec_proxy_schema },
	{ 45, WIRE_VEC, offsetof(struct inst_spec, nodes), &spec_node_schema },
	{ 46, WIRE_STRV, offsetof(struct inst_spec, modules), NULL },
	{ 47, WIRE_STRMAP, offsetof(struct inst_spec, seed), NULL },
	{ 60, WIRE_STR, offsetof(struct inst_spec, lxcfs), NULL },
	{ 61, WIRE_VEC, offsetof(struct inst_spec, idmaps.list), &spec_idmap_schema },
	{ 62, WIRE_BOOL, offsetof(struct inst_spec, intercept_sysinfo), NULL },
	{ 63, WIRE_BOOL, offsetof(struct inst_spec, intercept_mknod), NULL },
};
WIRE_SCHEMA(inst_spec, inst_spec_fields);
