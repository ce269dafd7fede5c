/*
 * spec/keys.c - see keys.h
 *
 * A key that other managers know and that nothing here acts on is a row too: it is refused, never
 * stored and ignored.
 */
#include "spec/keys.h"

#include <string.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "spec/idmap.h"
#include "spec/rlimit.h"
#include "spec/schedule.h"
#include "spec/seed.h"
#include "spec/snapshot.h"
#include "spec/snapshot_keys.h"

#define ELSEWHERE(key, words)                                      \
	{                                                          \
		.name = key, .flags = KEY_ELSEWHERE, .help = words \
	}

enum {
	MODULE_NAME_LEN = 56 /* as in the kernel */
};

/* Only what belongs to a namespace of the container; the rest of /proc/sys is the host's. */
static int check_sysctl(const char *key, const char *value, struct err *err)
{
	static const char *const namespaced[] = {
		"net.", "fs.mqueue.", "kernel.shm", "kernel.msg", "kernel.sem", "kernel.domainname",
	};
	const char *name = str_after(key, "linux.sysctl.");

	(void)value;
	if (!str_only(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ||
	    strstr(name, "..") || str_ends_with(name, "."))
		return err_kind(err, ERR_INVALID, "must name a sysctl like net.ipv4.ip_forward");
	for (size_t i = 0; i < ARRAY_LEN(namespaced); i++)
		if (str_after(name, namespaced[i]))
			return 0;
	return err_kind(err, ERR_INVALID,
			"must be a sysctl of a namespace: net.*, fs.mqueue.*, kernel.shm*, "
			"kernel.msg*, kernel.sem, kernel.domainname");
}

static int check_isolated(const char *key, const char *value, struct err *err)
{
	bool isolated;

	(void)key;
	if (parse_bool(value, &isolated) < 0 || isolated)
		return 0;
	return err_kind(err, ERR_UNSUPPORTED,
			"must be true: every container has ids of its own, which no key changes");
}

static int check_schedule(const char *key, const char *value, struct err *err)
{
	struct schedule schedule;

	(void)key;
	return schedule_parse(value, &schedule, err);
}

static int check_modules(const char *key, const char *value, struct err *err)
{
	_cleanup_(strv_freep) char **names = strv_split(value, ", ");

	(void)key;
	for (char **name = names; name && *name; name++)
		if (**name == '-' || strlen(*name) >= MODULE_NAME_LEN ||
		    !str_only(*name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_-"))
			return err_kind(err, ERR_INVALID,
					"must be names of kernel modules, separated by commas");
	return 0;
}

static const struct key_row rows[] = {
	ELSEWHERE("agent.nic_config", "not for containers on one host"),
	{
		.name = "boot.autorestart",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_LIVE | KEY_UNPORTABLE,
		.initial = "false",
		.help = "start it again when its init crashes, up to 10 times in a minute",
	},
	{
		.name = "boot.autostart",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_LIVE,
		.help = "start with the daemon: always, never, or (unset) as it was before",
	},
	{
		.name = "boot.autostart.delay",
		.rule = { .type = VALUE_INT, .max = 3600 },
		.flags = KEY_LIVE,
		.initial = "0",
		.help = "seconds to wait after starting it before the next one is started",
	},
	{
		.name = "boot.autostart.priority",
		.rule = { .type = VALUE_INT, .max = 1000000 },
		.flags = KEY_LIVE,
		.initial = "0",
		.help = "the highest one is started first",
	},
	ELSEWHERE("boot.debug_edk2", "not for containers on one host"),
	{
		.name = "boot.host_shutdown_action",
		.rule = { .type = VALUE_ENUM, .words = "stop|force-stop" },
		.flags = KEY_LIVE | KEY_UNPORTABLE,
		.initial = "stop",
		.help = "at host shutdown, ask its init to stop or kill it at once",
	},
	{
		.name = "boot.host_shutdown_timeout",
		.rule = { .type = VALUE_INT, .max = 3600 },
		.flags = KEY_LIVE,
		.initial = "30",
		.help = "seconds to stop cleanly when the host shuts down",
	},
	{
		.name = "boot.stop.priority",
		.rule = { .type = VALUE_INT, .max = 1000000 },
		.flags = KEY_LIVE,
		.initial = "0",
		.help = "the highest one is stopped first",
	},
	ELSEWHERE("cloud-init.", "configuration for cloud-init inside"),
	{
		.name = "cloud-init.network-config",
		.rule = { .type = VALUE_TEXT, .max = SEED_FILE_MAX },
		.help = "network configuration for cloud-init inside (older: user.network-config)",
	},
	{
		.name = "cloud-init.user-data",
		.rule = { .type = VALUE_TEXT, .max = SEED_FILE_MAX },
		.help = "user data for cloud-init inside (older: user.user-data)",
	},
	{
		.name = "cloud-init.vendor-data",
		.rule = { .type = VALUE_TEXT, .max = SEED_FILE_MAX },
		.help = "vendor data for cloud-init inside (older: user.vendor-data)",
	},
	ELSEWHERE("cluster.evacuate", "not for containers on one host"),
	{
		.name = "environment.",
		.rule = { .type = VALUE_STRING },
		.flags = KEY_LIVE,
		.help = "environment of init and of commands; commands see a change at once",
	},
	{
		.name = "image.",
		.rule = { .type = VALUE_TEXT },
		.flags = KEY_LIVE,
		.help = "properties of the image that it was made from",
	},
	{
		.name = "limits.cpu",
		.rule = { .type = VALUE_CPUS },
		.flags = KEY_LIVE,
		.help = "number of CPUs, or a list of the ones to use",
	},
	{
		.name = "limits.cpu.allowance",
		.rule = { .type = VALUE_ALLOWANCE },
		.flags = KEY_LIVE,
		.initial = "100%",
		.help = "share under contention (50%) or hard quota (25ms/100ms)",
	},
	ELSEWHERE("limits.cpu.nodes", "NUMA nodes to use"),
	ELSEWHERE("limits.cpu.pin_strategy", "not for containers on one host"),
	{
		.name = "limits.cpu.priority",
		.rule = { .type = VALUE_INT, .max = 10 },
		.flags = KEY_LIVE,
		.initial = "10",
		.help = "weight against others under contention, 0 to 10",
	},
	ELSEWHERE("limits.disk.priority", "weight of its input and output"),
	ELSEWHERE("limits.hugepages.", "most huge pages"),
	{
		.name = "limits.kernel.",
		.rule = { .type = VALUE_STRING, .max = 64 },
		.role = KEY_ROLE_ADMIN,
		.help = "limit of processes, of init and commands: nofile=1024:4096, unlimited",
		.check = rlimit_check,
	},
	{
		.name = "limits.memory",
		.rule = { .type = VALUE_SIZE_OR_PCT, .min = 1 << 20 },
		.flags = KEY_LIVE,
		.help = "most memory, as size or percentage of the host's",
	},
	{
		.name = "limits.memory.enforce",
		.rule = { .type = VALUE_ENUM, .words = "hard|soft" },
		.flags = KEY_LIVE,
		.initial = "hard",
		.help = "soft: more is reclaimed under pressure, but nothing is killed",
	},
	ELSEWHERE("limits.memory.hotplug", "not for containers on one host"),
	ELSEWHERE("limits.memory.hugepages", "not for containers on one host"),
	{
		.name = "limits.memory.oom_priority",
		.rule = { .type = VALUE_INT, .min = -1000, .max = 1000 },
		.flags = KEY_UNPORTABLE,
		.role = KEY_ROLE_ADMIN,
		.initial = "0",
		.help = "preference of the OOM killer for its processes: -1000 never, 1000 first",
	},
	ELSEWHERE("limits.memory.oom_score_adj", "preference of the OOM killer"),
	{
		.name = "limits.memory.swap",
		.rule = { .type = VALUE_BOOL_OR_SIZE },
		.flags = KEY_LIVE,
		.initial = "true",
		.help = "whether and how much it may swap",
	},
	ELSEWHERE("limits.memory.swap.priority", "not for containers on one host"),
	ELSEWHERE("limits.network.priority", "not for containers on one host"),
	{
		.name = "limits.processes",
		.rule = { .type = VALUE_INT, .min = 1, .max = 4194304 },
		.flags = KEY_LIVE,
		.initial = "16384",
		.help = "most processes and threads",
	},
	{
		.name = "linux.kernel_modules",
		.rule = { .type = VALUE_STRING, .max = 1024 },
		.role = KEY_ROLE_ADMIN,
		.help = "modules that the host's kernel has to have before it starts: a,b",
		.check = check_modules,
	},
	ELSEWHERE("linux.kernel_modules.load", "not for containers on one host"),
	{
		.name = "linux.sysctl.",
		.rule = { .type = VALUE_STRING, .max = 1024 },
		.role = KEY_ROLE_ADMIN,
		.help = "a sysctl of its own namespaces, set at the start",
		.check = check_sysctl,
	},
	ELSEWHERE("migration.incremental.", "live migration"),
	ELSEWHERE("migration.stateful", "live migration"),
	ELSEWHERE("nvidia.", "NVIDIA libraries of the host inside"),
	ELSEWHERE("oci.", "application containers"),
	ELSEWHERE("placement.", "not for containers on one host"),
	ELSEWHERE("raw.", "configuration of another engine, passed on unchecked"),
	{
		.name = IDMAP_KEY,
		.rule = { .type = VALUE_TEXT, .max = 2048 },
		.role = KEY_ROLE_ADMIN,
		.help = "ids of the host inside, a line each: \"both|uid|gid HOST INSIDE\", "
			"ids or ranges",
		.check = idmap_check,
	},
	ELSEWHERE("security.agent.metrics", "not for containers on one host"),
	ELSEWHERE("security.bpffs.", "not for containers on one host"),
	ELSEWHERE("security.csm", "not for containers on one host"),
	ELSEWHERE("security.devlxd", "guest API socket inside"),
	ELSEWHERE("security.devlxd.images", "not for containers on one host"),
	ELSEWHERE("security.guestapi", "guest API socket inside"),
	ELSEWHERE("security.guestapi.images", "not for containers on one host"),
	ELSEWHERE("security.idmap.base", "fixed first host id"),
	{
		.name = "security.idmap.isolated",
		.rule = { .type = VALUE_BOOL },
		.initial = "true",
		.help = "ids on the host that nobody else has: always so here, false is refused",
		.check = check_isolated,
	},
	{
		.name = IDMAP_SIZE_KEY,
		.rule = { .type = VALUE_INT, .min = IDRANGE_COUNT, .max = IDMAP_SIZE_MAX },
		.role = KEY_ROLE_ADMIN,
		.initial = "65536",
		.help = "how many ids it has, in whole 65536; more are for containers inside",
	},
	ELSEWHERE("security.iommu", "not for containers on one host"),
	{
		.name = "security.nesting",
		.rule = { .type = VALUE_BOOL },
		.initial = "false",
		.help = "run containers inside: Docker and podman get directories for their layers",
	},
	{
		.name = "security.privileged",
		.rule = { .type = VALUE_BOOL },
		.role = KEY_ROLE_ADMIN,
		.initial = "false",
		.help = "root inside is root on the host: no protection from who is root in it",
	},
	{
		.name = "security.protection.delete",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_LIVE,
		.initial = "false",
		.help = "refuse to delete it",
	},
	ELSEWHERE("security.protection.shift", "not for containers on one host"),
	{
		.name = "security.protection.start",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_LIVE | KEY_UNPORTABLE,
		.initial = "false",
		.help = "refuse to start it",
	},
	ELSEWHERE("security.secureboot", "not for containers on one host"),
	ELSEWHERE("security.selinux.", "not for containers on one host"),
	ELSEWHERE("security.sev", "not for containers on one host"),
	ELSEWHERE("security.sev.", "not for containers on one host"),
	ELSEWHERE("security.syscalls.", "changes of the system call filter"),
	{
		.name = "security.syscalls.deny",
		.rule = { .type = VALUE_TEXT, .max = 8192 },
		.role = KEY_ROLE_ADMIN,
		.help = "more system calls that are refused: names, separated by blanks or lines",
	},
	{
		.name = "security.syscalls.deny_default",
		.rule = { .type = VALUE_BOOL },
		.role = KEY_ROLE_ADMIN,
		.initial = "true",
		.help = "refuse what acts on the whole host: modules, kexec, handles, clocks, ...",
	},
	{
		.name = "security.syscalls.intercept.mknod",
		.rule = { .type = VALUE_BOOL },
		.role = KEY_ROLE_ADMIN,
		.initial = "false",
		.help = "let its root make null, zero, full, random, urandom, tty and console anywhere",
	},
	{
		.name = "security.syscalls.intercept.sysinfo",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_UNPORTABLE,
		.help = "answer sysinfo(2) with its limits (default: where LXCFS shows them in /proc)",
	},
	ELSEWHERE("smbios11.", "not for containers on one host"),
	{
		.name = "snapshots.expiry",
		.rule = { .type = VALUE_STRING, .max = 64 },
		.flags = KEY_LIVE,
		.help = "when scheduled snapshots are deleted: 1M 2H 3d 4w 5m 6y (M minutes, m months)",
		.check = key_check_span,
	},
	{
		.name = "snapshots.expiry.manual",
		.rule = { .type = VALUE_STRING, .max = 64 },
		.flags = KEY_LIVE | KEY_UNPORTABLE,
		.help = "the same for those made by hand; unset: never",
		.check = key_check_span,
	},
	{
		.name = "snapshots.keep",
		.rule = { .type = VALUE_STRING, .max = 128 },
		.flags = KEY_LIVE | KEY_UNPORTABLE,
		.help = "how many scheduled ones stay: last=3 hourly=24 daily=7 weekly=4 monthly=12",
		.check = key_check_keep,
	},
	{
		.name = "snapshots.pattern",
		.rule = { .type = VALUE_STRING, .max = 63 },
		.flags = KEY_LIVE,
		.initial = SNAPSHOT_PATTERN,
		.help = "names: %d a number, %Y %m %D %H %M %S %F %T %s the time",
		.check = key_check_pattern,
	},
	{
		.name = "snapshots.schedule",
		.rule = { .type = VALUE_STRING, .max = 512 },
		.flags = KEY_LIVE,
		.help = "when snapshots are made: five fields of cron, @hourly ... @yearly, @startup, @never",
		.check = check_schedule,
	},
	{
		.name = "snapshots.schedule.stopped",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_LIVE,
		.initial = "false",
		.help = "also while it does not run",
	},
	ELSEWHERE("systemd.credential-binary.", "not for containers on one host"),
	ELSEWHERE("systemd.credential.", "credentials for systemd inside"),
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
};

const struct key_table instance_keys = {
	.what = "instance key",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
};

const struct key_row *keys_find(const char *key)
{
	return key_find(&instance_keys, key);
}

int keys_validate_one(const char *key, const char *value, struct err *err)
{
	return key_check(&instance_keys, key, value, err);
}

int keys_validate(const struct strmap *config, struct err *err)
{
	return key_check_all(&instance_keys, config, err);
}

const char *keys_get(const struct strmap *config, const char *key, const char *fallback)
{
	const char *value = strmap_get(config, key);

	return str_empty(value) ? fallback : value;
}

bool keys_get_bool(const struct strmap *config, const char *key, bool fallback)
{
	bool value;

	return parse_bool(keys_get(config, key, ""), &value) == 0 ? value : fallback;
}

int64_t keys_get_int(const struct strmap *config, const char *key, int64_t fallback)
{
	int64_t value;

	return parse_i64(keys_get(config, key, ""), &value) == 0 ? value : fallback;
}

void keys_drop_empty(struct strmap *config)
{
	for (size_t i = config->len; i > 0; i--)
		if (str_empty(config->items[i - 1].value))
			(void)strmap_unset(config, config->items[i - 1].key);
}
