/* spec/unixdev.c - see unixdev.h */
#include "spec/unixdev.h"

#include "base/parse.h"
#include "base/str.h"
#include "spec/device.h"

enum {
	MAJOR_MAX = 4095,
	MINOR_MAX = 1048575
};

static int check_mode(const char *key, const char *value, struct err *err)
{
	uint32_t mode;

	(void)key; /* in the caller's words */
	if (parse_octal(value, 0777, &mode) < 0)
		return err_kind(err, ERR_INVALID, "must be permissions like 0660");
	return 0;
}

const struct key_row unixdev_rows[UNIXDEV_ROWS] = {
	{ .name = "type", .rule = { .type = VALUE_STRING }, .help = "its type" },
	{
		.name = "gid",
		.rule = { .type = VALUE_INT, .max = 65535 },
		.initial = "0",
		.help = "group of the node inside",
	},
	{
		.name = "major",
		.rule = { .type = VALUE_INT, .max = MAJOR_MAX },
		.role = KEY_ROLE_ADMIN,
		.initial = "the host's",
		.help = "device number, with minor; else that of the node on the host",
	},
	{
		.name = "minor",
		.rule = { .type = VALUE_INT, .max = MINOR_MAX },
		.role = KEY_ROLE_ADMIN,
		.initial = "the host's",
		.help = "device number, with major",
	},
	{
		.name = "mode",
		.rule = { .type = VALUE_STRING },
		.initial = "0660",
		.help = "permissions of the node inside",
		.check = check_mode,
	},
	{
		.name = "path",
		.rule = { .type = VALUE_PATH },
		.initial = "source",
		.help = "where it is inside",
	},
	{
		.name = "required",
		.rule = { .type = VALUE_BOOL },
		.initial = "true",
		.help = "false: start also when the host has no such node",
	},
	{
		.name = "source",
		.rule = { .type = VALUE_PATH },
		.role = KEY_ROLE_ADMIN,
		.initial = "path",
		.help = "node on the host",
	},
	{
		.name = "uid",
		.rule = { .type = VALUE_INT, .max = 65535 },
		.initial = "0",
		.help = "owner of the node inside",
	},
	{
		.name = "user.",
		.rule = { .type = VALUE_TEXT },
		.help = "free keys of the user",
	},
};

int unixdev_check(const struct strmap *device, struct err *err)
{
	const char *source = device_get(device, "source", ""),
		   *path = device_get(device, "path", "");

	if (str_empty(source) && str_empty(path))
		return err_kind(err, ERR_INVALID, "must have source=PATH or path=PATH");
	if (str_empty(device_get(device, "major", "")) !=
	    str_empty(device_get(device, "minor", "")))
		return err_kind(err, ERR_INVALID, "major and minor go together");
	return 0;
}
