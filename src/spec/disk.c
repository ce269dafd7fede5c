/* spec/disk.c - see disk.h */
#include "spec/disk.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "spec/device.h"
#include "spec/keys.h"
#include "spec/names.h"

#define ELSEWHERE(key, words)                                      \
	{                                                          \
		.name = key, .flags = KEY_ELSEWHERE, .help = words \
	}

static const struct {
	const char *word;
	uint64_t attr;
} mount_options[] = {
	{ "noatime", MOUNT_ATTR_NOATIME },	   { "nodev", MOUNT_ATTR_NODEV },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME },   { "noexec", MOUNT_ATTR_NOEXEC },
	{ "nosuid", MOUNT_ATTR_NOSUID },	   { "ro", MOUNT_ATTR_RDONLY },
	{ "strictatime", MOUNT_ATTR_STRICTATIME },
};

/* Returns: 0, or -EINVAL for a word that is none, or two that exclude each other. */
static int parse_mount_options(const char *text, uint64_t *ret_attrs)
{
	_cleanup_(strv_freep) char **words = strv_split(text, ",");
	const uint64_t both = MOUNT_ATTR_NOATIME | MOUNT_ATTR_STRICTATIME;
	uint64_t attrs = 0;

	for (char **word = words; word && *word; word++) {
		uint64_t attr = 0;

		for (size_t i = 0; i < ARRAY_LEN(mount_options); i++)
			if (streq(mount_options[i].word, *word))
				attr = mount_options[i].attr;
		if (attr == 0)
			return -EINVAL;
		attrs |= attr;
	}
	if ((attrs & both) == both)
		return -EINVAL;
	*ret_attrs = attrs;
	return 0;
}

static int check_mount_options(const char *key, const char *value, struct err *err)
{
	uint64_t attrs;

	(void)key; /* in the caller's words */
	if (parse_mount_options(value, &attrs) == 0)
		return 0;
	return err_kind(err, ERR_INVALID,
			"must be of noatime or strictatime, nodev, nodiratime, noexec, nosuid and "
			"ro, with commas");
}

/* "10MiB", "100iops" or both; what is not said stays. Returns: 0 or -EINVAL. */
static int parse_limit(const char *text, uint64_t *bytes, uint64_t *ops)
{
	_cleanup_(strv_freep) char **parts = strv_split(text, ",");

	for (char **part = parts; part && *part; part++) {
		bool counts = str_ends_with(*part, "iops");
		_cleanup_(freep) char *number =
			xstrndup(*part, strlen(*part) - (counts ? strlen("iops") : 0));
		uint64_t value;

		if ((counts ? parse_u64(number, UINT32_MAX, &value) : parse_bytes(number, &value)) <
			    0 ||
		    value == 0 || value > INT64_MAX)
			return -EINVAL;
		*(counts ? ops : bytes) = value;
	}
	return 0;
}

static int check_limit(const char *key, const char *value, struct err *err)
{
	uint64_t bytes, ops;

	(void)key; /* in the caller's words */
	if (parse_limit(value, &bytes, &ops) == 0)
		return 0;
	return err_kind(err, ERR_INVALID,
			"must be bytes in a second like 10MiB, operations like 100iops, or both: "
			"10MiB,100iops");
}

static int check_source(const char *key, const char *value, struct err *err)
{
	const struct value_rule path = { .type = VALUE_PATH };

	(void)key; /* in the caller's words */
	if (streq(value, DISK_TMPFS) || name_validate(NAME_VOLUME, value, NULL) == 0)
		return 0;
	return value_check(&path, value, err);
}

const struct key_row disk_rows[DISK_ROWS] = {
	{ .name = "type", .rule = { .type = VALUE_STRING }, .help = "its type" },
	{
		.name = "limits.max",
		.rule = { .type = VALUE_STRING, .max = 64 },
		.help = "both limits.read and limits.write",
		.check = check_limit,
	},
	{
		.name = "limits.read",
		.rule = { .type = VALUE_STRING, .max = 64 },
		.help = "bytes or operations in a second: 10MiB, 100iops, or both with a comma",
		.check = check_limit,
	},
	{
		.name = "limits.write",
		.rule = { .type = VALUE_STRING, .max = 64 },
		.help = "the same of what is written",
		.check = check_limit,
	},
	{
		.name = "path",
		.rule = { .type = VALUE_PATH },
		.flags = KEY_REQUIRED,
		.help = "where it is inside; / is the root disk",
	},
	{
		.name = "pool",
		.rule = { .type = VALUE_NAME, .min = NAME_POOL },
		.help = "storage pool; required for the root disk, and for a volume as source",
	},
	{
		.name = "propagation",
		.rule = { .type = VALUE_ENUM,
			  .words =
				  "private|rprivate|rshared|rslave|runbindable|shared|slave|unbindable" },
		.initial = "private",
		.help = "slave: what the host mounts below the source later appears inside; shared: and "
			"in containers inside that share it",
	},
	{
		.name = "raw.mount.options",
		.rule = { .type = VALUE_STRING, .max = 256 },
		.help = "of its mount: noatime, nodev, nodiratime, noexec, nosuid, ro, strictatime",
		.check = check_mount_options,
	},
	{
		.name = "readonly",
		.rule = { .type = VALUE_BOOL },
		.initial = "false",
		.help = "nothing inside can write to it",
	},
	{
		.name = "recursive",
		.rule = { .type = VALUE_BOOL },
		.initial = "false",
		.help = "mounts below the source too",
	},
	{
		.name = "required",
		.rule = { .type = VALUE_BOOL },
		.initial = "true",
		.help = "false: start also when the source is missing",
	},
	{
		.name = "shift",
		.rule = { .type = VALUE_BOOL },
		.initial = "false",
		.help = "files have the container's ids instead of the host's",
	},
	{
		.name = "size",
		.rule = { .type = VALUE_SIZE, .min = 1 << 12 },
		.help = "of the root disk, where the pool has quotas, or of a tmpfs",
	},
	{
		.name = "source",
		.rule = { .type = VALUE_STRING },
		.role = KEY_ROLE_ADMIN,
		.help = "directory or file of the host, tmpfs:, or with pool a volume of that",
		.check = check_source,
	},
	{
		.name = "user.",
		.rule = { .type = VALUE_TEXT },
		.help = "free keys of the user",
	},
	ELSEWHERE("boot.priority", "not for containers"),
	ELSEWHERE("ceph.", "Ceph"),
	ELSEWHERE("dependent", "volumes that go with the instance"),
	ELSEWHERE("initial.", "first configuration of the volume"),
	ELSEWHERE("io.", "not for containers"),
	ELSEWHERE("size.state", "not for containers"),
};

static int check_root_disk(const struct strmap *device, struct err *err)
{
	static const char *const wrong[] = {
		"source",   "shift",	   "readonly",		"recursive",
		"required", "propagation", "raw.mount.options", NULL
	};
	const char *key = device_first_of(device, wrong);

	if (key)
		return err_kind(err, ERR_INVALID, "%s is not for the root disk", key);
	if (str_empty(device_get(device, "pool", "")))
		return err_kind(err, ERR_INVALID, "the root disk must have pool=NAME");
	return 0;
}

/* A volume of a pool: always with the ids of the container. */
static int check_volume(const struct strmap *device, const char *source, struct err *err)
{
	static const char *const wrong[] = { "recursive", "propagation", "size", NULL };
	const char *key = device_first_of(device, wrong);

	if (str_empty(source))
		return err_kind(err, ERR_INVALID, "source is missing: a volume of the pool");
	if (name_validate(NAME_VOLUME, source, NULL) < 0)
		return err_kind(err, ERR_INVALID,
				"source \"%s\": with pool it is the name of a volume", source);
	if (key)
		return err_kind(err, ERR_INVALID, "%s is not for a volume of a pool", key);
	if (!keys_get_bool(device, "shift", true))
		return err_kind(err, ERR_UNSUPPORTED,
				"shift is always true for a volume of a pool");
	return 0;
}

/* What comes later has the flags that the host mounts it with. */
static int check_follows(const struct strmap *device, struct err *err)
{
	const char *propagation = device_get(device, "propagation", "");

	if (!str_ends_with(propagation, "slave") && !str_ends_with(propagation, "shared"))
		return 0;
	if (keys_get_bool(device, "readonly", false))
		return err_kind(
			err, ERR_INVALID,
			"propagation=%s excludes readonly: what the host mounts later is writable",
			propagation);
	if (!str_empty(device_get(device, "raw.mount.options", "")))
		return err_kind(err, ERR_INVALID,
				"propagation=%s excludes raw.mount.options: what the host mounts "
				"later does not have them",
				propagation);
	return 0;
}

int disk_check(const struct strmap *device, struct err *err)
{
	static const char *const not_tmpfs[] = {
		"shift",       "recursive",    "propagation", "limits.max",
		"limits.read", "limits.write", NULL,
	};
	const char *source = device_get(device, "source", "");
	const char *key = device_first_of(device, not_tmpfs);
	_cleanup_(freep) char *path = device_plain_path(device_get(device, "path", ""));

	if (streq(device_get(device, "path", ""), "/"))
		return check_root_disk(device, err);
	if (streq(path, "/"))
		return err_kind(err, ERR_INVALID, "path of the root disk must be \"/\"");
	if (!str_empty(device_get(device, "pool", "")))
		return check_volume(device, source, err);
	if (str_empty(source))
		return err_kind(err, ERR_INVALID,
				"source is missing: a path of the host, or tmpfs:");
	if (source[0] != '/' && !streq(source, DISK_TMPFS))
		return err_kind(err, ERR_INVALID,
				"source \"%s\": must be an absolute path, or tmpfs:; a volume "
				"needs pool=NAME as well",
				source);
	if (streq(source, DISK_TMPFS))
		return key ? err_kind(err, ERR_INVALID, "%s is not for source=tmpfs:", key) : 0;
	if (check_follows(device, err) < 0)
		return -EINVAL;
	if (!str_empty(device_get(device, "size", "")))
		return err_kind(err, ERR_INVALID, "size is for the root disk and source=tmpfs:");
	return 0;
}

/* With or without "r" the same: the mounts below go with the one that they are below. */
static void fill_propagation(const char *propagation, struct spec_disk *disk)
{
	static const struct {
		const char *word;
		bool follow;
		uint32_t spread;
	} kinds[] = {
		{ "slave", true, 0 },
		{ "shared", true, MS_SHARED },
		{ "unbindable", false, MS_UNBINDABLE },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!str_ends_with(propagation, kinds[i].word))
			continue;
		disk->follow = kinds[i].follow;
		disk->spread = kinds[i].spread;
	}
}

void disk_fill(const char *name, const struct strmap *device, struct spec_disk *disk)
{
	disk->device = xstrdup(name);
	disk->path = device_plain_path(device_get(device, "path", ""));
	(void)parse_bytes(device_get(device, "size", "0"), &disk->size_bytes);
	(void)parse_mount_options(device_get(device, "raw.mount.options", ""), &disk->attrs);
	disk->readonly = keys_get_bool(device, "readonly", false);
	disk->recursive = keys_get_bool(device, "recursive", false);
	disk->optional = !keys_get_bool(device, "required", true);
	fill_propagation(device_get(device, "propagation", ""), disk);
}

bool disk_limits(const struct strmap *device, struct limits_io *ret_io)
{
	const char *both = device_get(device, "limits.max", "");
	struct limits_io io = {
		.read_bytes = LIMIT_NONE,
		.write_bytes = LIMIT_NONE,
		.read_ops = LIMIT_NONE,
		.write_ops = LIMIT_NONE,
	};

	(void)parse_limit(both, &io.read_bytes, &io.read_ops);
	(void)parse_limit(both, &io.write_bytes, &io.write_ops);
	(void)parse_limit(device_get(device, "limits.read", ""), &io.read_bytes, &io.read_ops);
	(void)parse_limit(device_get(device, "limits.write", ""), &io.write_bytes, &io.write_ops);
	*ret_io = io;
	return io.read_bytes != LIMIT_NONE || io.write_bytes != LIMIT_NONE ||
	       io.read_ops != LIMIT_NONE || io.write_ops != LIMIT_NONE;
}
