/* spec/hotdev.c - see hotdev.h */
#include "spec/hotdev.h"

#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "spec/device.h"
#include "spec/keys.h"

#define HEX "0123456789abcdef"

static int check_mode(const char *key, const char *value, struct err *err)
{
	uint32_t mode;

	(void)key; /* in the caller's words */
	if (parse_octal(value, 0777, &mode) < 0)
		return err_kind(err, ERR_INVALID, "must be permissions like 0660");
	return 0;
}

static int check_id(const char *key, const char *value, struct err *err)
{
	(void)key; /* in the caller's words */
	if (strlen(value) != 4 || !str_only(value, HEX))
		return err_kind(err, ERR_INVALID, "must be four hexadecimal digits like 046d");
	return 0;
}

/* "0000:01:00.0" */
static int check_pci(const char *key, const char *value, struct err *err)
{
	static const char form[] = "hhhh:hh:hh.h";
	bool right = strlen(value) == strlen(form);

	(void)key; /* in the caller's words */
	for (size_t i = 0; right && form[i]; i++)
		right = form[i] == 'h' ? strchr(HEX, value[i]) != NULL : value[i] == form[i];
	return right ? 0 : err_kind(err, ERR_INVALID, "must be like 0000:01:00.0");
}

/* clang-format off */
#define TYPE	  { .name = "type", .rule = { .type = VALUE_STRING }, .help = "its type" }
#define GID	  { .name = "gid", .rule = { .type = VALUE_INT, .max = 65535 }, .initial = "0", \
		    .help = "group of its nodes inside" }
#define MODE	  { .name = "mode", .rule = { .type = VALUE_STRING }, .initial = "0660", \
		    .help = "permissions of its nodes inside", .check = check_mode }
#define UID	  { .name = "uid", .rule = { .type = VALUE_INT, .max = 65535 }, .initial = "0", \
		    .help = "owner of its nodes inside" }
#define VENDORID  { .name = "vendorid", .rule = { .type = VALUE_STRING }, .check = check_id, \
		    .help = "who made it, four hexadecimal digits" }
#define PRODUCTID { .name = "productid", .rule = { .type = VALUE_STRING }, .check = check_id, \
		    .help = "what it is, four hexadecimal digits" }
#define PCI	  { .name = "pci", .rule = { .type = VALUE_STRING }, .check = check_pci, \
		    .help = "its PCI address, like 0000:01:00.0" }
#define REQUIRED(yes, words) \
		  { .name = "required", .rule = { .type = VALUE_BOOL }, .initial = yes, .help = words }
#define USER	  { .name = "user.", .rule = { .type = VALUE_TEXT }, .help = "free keys of the user" }
#define WAITS	  "true: start only when the host has one"
/* clang-format on */

const struct key_row gpu_rows[GPU_ROWS] = {
	TYPE,
	GID,
	{
		.name = "gputype",
		.rule = { .type = VALUE_ENUM, .words = "physical" },
		.initial = "physical",
		.help = "the card itself, beside the host and others",
	},
	{
		.name = "id",
		.rule = { .type = VALUE_INT, .max = 255 },
		.help = "number of the card: 0 is /dev/dri/card0",
	},
	MODE,
	PCI,
	PRODUCTID,
	REQUIRED("true", "false: start also when the host has none, and take it when it comes"),
	UID,
	USER,
	VENDORID,
	{ .name = "mdev", .flags = KEY_ELSEWHERE, .help = "virtual cards" },
	{ .name = "mig.", .flags = KEY_ELSEWHERE, .help = "parts of a card" },
};

const struct key_row unix_hotplug_rows[UNIX_HOTPLUG_ROWS] = {
	TYPE, GID, MODE, PCI, PRODUCTID, REQUIRED("false", WAITS), UID, USER, VENDORID,
};

const struct key_row usb_rows[USB_ROWS] = {
	TYPE,
	{
		.name = "attached",
		.rule = { .type = VALUE_BOOL },
		.initial = "true",
		.help = "false: it is not there inside",
	},
	{
		.name = "busnum",
		.rule = { .type = VALUE_INT, .min = 1, .max = 999 },
		.help = "number of the bus that it is on",
	},
	{
		.name = "devnum",
		.rule = { .type = VALUE_INT, .min = 1, .max = 999 },
		.help = "its number there",
	},
	GID,
	MODE,
	PRODUCTID,
	REQUIRED("false", WAITS),
	{
		.name = "serial",
		.rule = { .type = VALUE_STRING },
		.help = "its serial number",
	},
	UID,
	USER,
	VENDORID,
};

static bool has(const struct strmap *device, const char *key)
{
	return !str_empty(device_get(device, key, ""));
}

int gpu_check(const struct strmap *device, struct err *err)
{
	static const char *const others[] = { "pci", "productid", "vendorid", NULL };

	for (const char *const *key = others; *key; key++)
		if (has(device, "id") && has(device, *key))
			return err_kind(err, ERR_INVALID, "id excludes %s", *key);
	if (has(device, "pci") && (has(device, "vendorid") || has(device, "productid")))
		return err_kind(err, ERR_INVALID, "pci excludes vendorid and productid");
	return 0;
}

int unix_hotplug_check(const struct strmap *device, struct err *err)
{
	if (has(device, "vendorid") || has(device, "productid") || has(device, "pci"))
		return 0;
	return err_kind(err, ERR_INVALID, "must have vendorid, productid or pci");
}

int usb_check(const struct strmap *device, struct err *err)
{
	if (has(device, "busnum") == has(device, "devnum"))
		return 0;
	return err_kind(err, ERR_INVALID, "busnum and devnum go together");
}

bool hotdev_is(const struct strmap *device)
{
	const char *type = device_get(device, "type", "");

	return streq(type, "gpu") || streq(type, "unix-hotplug") || streq(type, "usb");
}

bool hotdev_is_required(const struct strmap *device)
{
	return keys_get_bool(device, "attached", true) &&
	       keys_get_bool(device, "required", streq(device_get(device, "type", ""), "gpu"));
}
