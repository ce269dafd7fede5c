/*
 * fuzz target: values of every configuration key and device option, and names of every kind; what
 * passes must be safe where it goes: no line breaks outside texts, limits that can be resolved
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/mem.h"
#include "base/str.h"
#include "spec/daemon_config.h"
#include "spec/device.h"
#include "spec/disk.h"
#include "spec/keys.h"
#include "spec/limits.h"
#include "spec/names.h"
#include "spec/network.h"
#include "spec/nic.h"
#include "spec/pool.h"
#include "spec/rlimit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_table(const struct key_table *table, const char *value)
{
	for (size_t i = 0; i < table->n_rows; i++) {
		const struct key_row *row = &table->rows[i];
		_cleanup_(freep) char *key =
			xasprintf("%s%s", row->name, str_ends_with(row->name, ".") ? "x" : "");

		if (key_check(table, key, value, NULL) == 0 && row->rule.type != VALUE_TEXT &&
		    strpbrk(value, "\r\n"))
			abort();
	}
}

static void try_limits(const char *value)
{
	static const char *const names[] = {
		"limits.cpu",
		"limits.cpu.allowance",
		"limits.memory",
		"limits.memory.swap",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct strmap config = { 0 };
		struct limits limits = { 0 };
		uint32_t count;

		strmap_set(&config, names[i], value);
		if (limits_from_config(&config, 1ULL << 34, &limits, &count, NULL) == 0 &&
		    (limits.cpu_weight < 1 || limits.cpu_weight > 10000))
			abort();
		wire_free(&limits_schema, &limits);
		strmap_done(&config);
	}
}

/* What passes can be resolved, and the soft limit is not above the hard one. */
static void try_rlimit(const char *value)
{
	struct spec_rlimits limits = { 0 };
	struct strmap config = { 0 };

	strmap_set(&config, "limits.kernel.nofile", value);
	if (*value && keys_validate(&config, NULL) == 0) {
		rlimits_from_config(&config, &limits);
		if (limits.list.len != 1 || limits.list.items[0].soft > limits.list.items[0].hard)
			abort();
	}
	free(limits.list.items);
	strmap_done(&config);
}

/* What passes is a limit, and mount options are none but those that a bind mount can have. */
static void try_disk(const char *value)
{
	const uint64_t known = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			       MOUNT_ATTR_NOEXEC | MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME;
	struct strmap device = { 0 };
	struct spec_disk disk = { 0 };
	struct limits_io io;

	strmap_set(&device, "type", "disk");
	strmap_set(&device, "limits.max", value);
	if (*value && device_validate_partial("d", &device, NULL) == 0 &&
	    disk_limits(&device, &io) && (io.read_bytes == 0 || io.write_ops == 0))
		abort();
	(void)strmap_unset(&device, "limits.max");
	strmap_set(&device, "raw.mount.options", value);
	if (device_validate_partial("d", &device, NULL) == 0) {
		disk_fill("d", &device, &disk);
		if (disk.attrs & ~known)
			abort();
	}
	wire_free(&spec_disk_schema, &disk);
	strmap_done(&device);
}

/* However it is called in the notes, no interface gets a name that it cannot have, or another's. */
static void try_nic(const char *value)
{
	const struct value_rule ifname = { .type = VALUE_IFNAME };
	struct strmap devices, config = { 0 }, names = { 0 };

	devices_init(&devices);
	strmap_set(devices_add(&devices, "a"), "type", "nic");
	strmap_set(devices_add(&devices, "b"), "type", "nic");
	strmap_set(&config, "volatile.a.name", value);
	strmap_set(&config, "volatile.b.name", value);
	nic_inner_names(&devices, &config, &names);
	strmap_for_each(entry, &names)
	{
		if (value_check(&ifname, entry->value, NULL) < 0)
			abort();
	}
	if (names.len != 2 || streq(names.items[0].value, names.items[1].value))
		abort();
	strmap_done(&devices);
	strmap_done(&config);
	strmap_done(&names);
}

static void try_network(const char *value)
{
	struct network_record *network = network_record_new("br0");
	const char *ranges = strchr(value, ' ');
	_cleanup_(freep) char *address =
		xstrndup(value, ranges ? (size_t)(ranges - value) : strlen(value));

	strmap_set(&network->config, "ipv4.address", address);
	if (ranges)
		strmap_set(&network->config, "ipv4.dhcp.ranges", ranges + 1);
	(void)network_record_validate(network, NULL);
	network_record_free(network);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *value = xstrndup((const char *)data, size);
	struct err err;

	try_table(&instance_keys, value);
	try_table(&network_keys, value);
	try_table(&pool_keys, value);
	try_table(&daemon_keys, value);
	for (const char *const *type = device_type_names(); *type; type++)
		try_table(device_options(*type), value);
	for (int kind = 0; kind < NAME_KIND_MAX; kind++)
		if (name_validate((enum name_kind)kind, value, &err) == 0 &&
		    (strpbrk(value, "\r\n \"'$`\\;") || str_after(value, "../") ||
		     strstr(value, "/../") || value[0] == '/'))
			abort();
	(void)keys_validate_one(value, "1", &err);
	try_limits(value);
	try_rlimit(value);
	try_network(value);
	try_disk(value);
	try_nic(value);
	return 0;
}
