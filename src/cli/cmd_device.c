/*
 * cli/cmd_device.c - config device, profile device: the devices of instances and profiles
 *
 * A device of an instance that has no type is an override: its keys are laid over the device of
 * that name that a profile has.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/expanded.h"
#include "cli/object.h"
#include "codec/json.h"

static const struct object_kind *kind_of(const struct cli_args *args)
{
	return str_after(args->command->path, "profile") ? &object_profile : &object_instance;
}

/* One edit: @device of what is in @value, by the words behind its name. */
struct device_edit {
	json_t *devices;	 /* its own, changed in place */
	const json_t *inherited; /* what the instance has after expansion; of a profile: NULL */
	const char *device;
	char **words;
	int (*change)(struct device_edit *edit, struct err *err);
};

static int edit_devices(void *data, json_t *value, struct err *err)
{
	struct device_edit *edit = data;

	edit->devices = json_object_get(value, "devices");
	if (!json_is_object(edit->devices)) {
		edit->devices = json_object();
		(void)json_object_set_new(value, "devices", edit->devices);
	}
	edit->inherited = json_get_object(json_get(value, "expanded_devices"), edit->device);
	return edit->change(edit, err);
}

static int run_change(struct cli *cli, const struct cli_args *args, const char *step,
		      int (*change)(struct device_edit *edit, struct err *err))
{
	struct device_edit edit = {
		.device = args->words[1],
		.words = args->words + 2,
		.change = change,
	};

	return object_change(cli, kind_of(args), args->words[0], step, edit_devices, &edit);
}

static json_t *own(const struct device_edit *edit)
{
	return json_object_get(edit->devices, edit->device);
}

/* "no device", with the reason that is nearest. */
static int missing(const struct device_edit *edit, struct err *err)
{
	_cleanup_(freep) const char **names =
		xcalloc(json_object_size(edit->devices) + 1, sizeof(*names));
	const char *name, *near;
	size_t n = 0;
	json_t *device;

	if (edit->inherited)
		return err_kind(
			err, ERR_NOT_FOUND,
			"device \"%s\" comes from a profile; \"config device set\" overrides "
			"single keys, \"config device add NAME %s none\" takes it away",
			edit->device, edit->device);
	json_object_foreach(edit->devices, name, device) names[n++] = name;
	near = str_nearest(edit->device, names);
	if (near)
		return err_kind(err, ERR_NOT_FOUND,
				"there is no device \"%s\": did you mean \"%s\"?", edit->device,
				near);
	return err_kind(err, ERR_NOT_FOUND, "there is no device \"%s\"", edit->device);
}

static int change_add(struct device_edit *edit, struct err *err)
{
	json_t *device;

	if (own(edit))
		return err_kind(err, ERR_CONFLICT, "it has a device \"%s\" already", edit->device);
	device = json_object();
	(void)json_object_set_new(edit->devices, edit->device, device);
	(void)json_object_set_new(device, "type", json_string(edit->words[0]));
	return pairs_apply(edit->words + 1, device, err);
}

static int change_remove(struct device_edit *edit, struct err *err)
{
	if (!own(edit))
		return missing(edit, err);
	(void)json_object_del(edit->devices, edit->device);
	for (; *edit->words; edit->words++) {
		edit->device = *edit->words;
		if (!own(edit))
			return missing(edit, err);
		(void)json_object_del(edit->devices, edit->device);
	}
	return 0;
}

static int change_set(struct device_edit *edit, struct err *err)
{
	json_t *device = own(edit);

	if (!device && !edit->inherited)
		return missing(edit, err);
	if (!device) {
		device = json_object();
		(void)json_object_set_new(edit->devices, edit->device, device);
	}
	return pairs_apply(edit->words, device, err);
}

static int change_unset(struct device_edit *edit, struct err *err)
{
	json_t *device = own(edit);

	if (!device)
		return missing(edit, err);
	for (char **key = edit->words; *key; key++)
		if (json_object_del(device, *key) < 0)
			return err_kind(err, ERR_NOT_FOUND,
					"device \"%s\": key \"%s\" is not set%s", edit->device,
					*key,
					json_get(edit->inherited, *key)
						? " here, it comes from a profile: set it to \"\""
						: "");
	if (json_object_size(device) == 0)
		(void)json_object_del(edit->devices, edit->device);
	return 0;
}

/* Only the keys that are given; without any, all: from then on the profile is not followed. */
static int change_override(struct device_edit *edit, struct err *err)
{
	json_t *device = own(edit);

	if (device)
		return err_kind(err, ERR_CONFLICT,
				"it has a device \"%s\" already: \"config device set\" changes it",
				edit->device);
	if (!edit->inherited)
		return missing(edit, err);
	device = edit->words[0] ? json_object() : json_copy((json_t *)edit->inherited);
	(void)json_object_set_new(edit->devices, edit->device, device);
	return pairs_apply(edit->words, device, err);
}

static int run_add(struct cli *cli, const struct cli_args *args)
{
	return run_change(cli, args, "add device", change_add);
}

static int run_remove(struct cli *cli, const struct cli_args *args)
{
	return run_change(cli, args, "remove device", change_remove);
}

static int run_set(struct cli *cli, const struct cli_args *args)
{
	return run_change(cli, args, "set device", change_set);
}

static int run_unset(struct cli *cli, const struct cli_args *args)
{
	return run_change(cli, args, "unset device", change_unset);
}

static int run_override(struct cli *cli, const struct cli_args *args)
{
	return run_change(cli, args, "override device", change_override);
}

/* ---- read ---- */

/* The devices as they work: expanded ones of an instance. Returns: 0 with an owned object. */
static int read_devices(struct cli *cli, const struct cli_args *args, bool expanded,
			json_t **ret_devices, struct err *err)
{
	_cleanup_(json_decrefp) json_t *value = NULL;
	int r = object_get(cli, kind_of(args), args->words[0], &value, NULL, err);
	json_t *devices;

	if (r < 0)
		return r;
	devices = expanded ? json_object_get(value, "expanded_devices") : NULL;
	if (!devices)
		devices = json_object_get(value, "devices");
	*ret_devices = json_is_object(devices) ? json_incref(devices) : json_object();
	return 0;
}

static int run_get(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(json_decrefp) json_t *devices = NULL;
	struct device_edit edit = { .device = args->words[1] };
	struct buf text = { 0 };
	struct err err = { 0 };

	if (read_devices(cli, args, true, &devices, &err) < 0)
		return object_fail(cli, kind_of(args), args->words[0], "get device", &err);
	edit.devices = devices;
	if (!own(&edit)) {
		(void)missing(&edit, &err);
		return cli_fail(cli, args->words[0], "get device", &err);
	}
	buf_printf(&text, "%s\n", json_str(own(&edit), args->words[2], ""));
	cli_print(buf_str(&text));
	buf_done(&text);
	return CLI_OK;
}

static int run_list(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(json_decrefp) json_t *devices = NULL;
	struct buf text = { 0 };
	struct err err = { 0 };
	const char *name;
	json_t *device;

	if (read_devices(cli, args, true, &devices, &err) < 0)
		return object_fail(cli, kind_of(args), args->words[0], "list devices", &err);
	json_object_foreach(devices, name, device) buf_printf(&text, "%s\n", name);
	cli_print(buf_str(&text));
	buf_done(&text);
	return CLI_OK;
}

static int run_show(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(json_decrefp) json_t *devices = NULL;
	struct err err = { 0 };

	if (read_devices(cli, args, args_has(args, "expanded"), &devices, &err) < 0)
		return object_fail(cli, kind_of(args), args->words[0], "show devices", &err);
	return object_show(devices);
}

static const struct cli_option show_options[] = {
	{ 'e', "expanded", NULL, "with the devices of its profiles", HINT_NONE },
	{ 0 },
};

const struct cli_command cmd_config_device_add = {
	.path = "config device add",
	.usage = "NAME DEVICE TYPE [KEY=VALUE]...",
	.summary = "Add a device to an instance",
	.example = "sysctr config device add web1 eth1 nic network=sysctrbr0",
	.options = { object_edit_options },
	.min_words = 3,
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE },
	.run = run_add,
};

const struct cli_command cmd_config_device_remove = {
	.path = "config device remove",
	.aliases = "config device rm",
	.usage = "NAME DEVICE...",
	.summary = "Remove devices of an instance",
	.example = "sysctr config device remove web1 eth1",
	.options = { object_edit_options },
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE },
	.run = run_remove,
};

const struct cli_command cmd_config_device_set = {
	.path = "config device set",
	.usage = "NAME DEVICE KEY=VALUE...",
	.summary = "Set keys of a device of an instance",
	.text = "A device that comes from a profile keeps its other keys from there.",
	.example = "sysctr config device set web1 eth0 mtu=1400",
	.options = { object_edit_options },
	.min_words = 3,
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE },
	.run = run_set,
};

const struct cli_command cmd_config_device_unset = {
	.path = "config device unset",
	.usage = "NAME DEVICE KEY...",
	.summary = "Remove keys of a device of an instance",
	.example = "sysctr config device unset web1 eth0 mtu",
	.options = { object_edit_options },
	.min_words = 3,
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE },
	.run = run_unset,
};

const struct cli_command cmd_config_device_override = {
	.path = "config device override",
	.usage = "NAME DEVICE [KEY=VALUE]...",
	.summary = "Override single keys of a profile's device, or copy it",
	.text = "With keys the device follows the profile in all others; without, it is copied.",
	.example = "sysctr config device override web1 eth0 mtu=1400",
	.options = { object_edit_options },
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE },
	.run = run_override,
};

const struct cli_command cmd_config_device_get = {
	.path = "config device get",
	.usage = "NAME DEVICE KEY",
	.summary = "Show the value of a key of a device of an instance",
	.example = "sysctr config device get web1 eth0 mtu",
	.min_words = 3,
	.max_words = 3,
	.hints = { HINT_INSTANCE },
	.run = run_get,
};

const struct cli_command cmd_config_device_list = {
	.path = "config device list",
	.aliases = "config device ls",
	.usage = "NAME",
	.summary = "List the names of all devices of an instance",
	.example = "sysctr config device list web1",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_INSTANCE },
	.run = run_list,
};

const struct cli_command cmd_config_device_show = {
	.path = "config device show",
	.usage = "NAME",
	.summary = "Show the devices of an instance as YAML",
	.example = "sysctr config device show web1",
	.options = { show_options },
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_INSTANCE },
	.run = run_show,
};

const struct cli_command cmd_profile_device_add = {
	.path = "profile device add",
	.usage = "PROFILE DEVICE TYPE [KEY=VALUE]...",
	.summary = "Add a device to a profile",
	.example = "sysctr profile device add web eth1 nic network=sysctrbr0",
	.options = { object_edit_options },
	.min_words = 3,
	.max_words = CLI_MANY,
	.hints = { HINT_PROFILE },
	.run = run_add,
};

const struct cli_command cmd_profile_device_remove = {
	.path = "profile device remove",
	.aliases = "profile device rm",
	.usage = "PROFILE DEVICE...",
	.summary = "Remove devices of a profile",
	.example = "sysctr profile device remove web eth1",
	.options = { object_edit_options },
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_PROFILE },
	.run = run_remove,
};

const struct cli_command cmd_profile_device_set = {
	.path = "profile device set",
	.usage = "PROFILE DEVICE KEY=VALUE...",
	.summary = "Set keys of a device of a profile",
	.example = "sysctr profile device set web eth0 mtu=1400",
	.options = { object_edit_options },
	.min_words = 3,
	.max_words = CLI_MANY,
	.hints = { HINT_PROFILE },
	.run = run_set,
};

const struct cli_command cmd_profile_device_unset = {
	.path = "profile device unset",
	.usage = "PROFILE DEVICE KEY...",
	.summary = "Remove keys of a device of a profile",
	.example = "sysctr profile device unset web eth0 mtu",
	.options = { object_edit_options },
	.min_words = 3,
	.max_words = CLI_MANY,
	.hints = { HINT_PROFILE },
	.run = run_unset,
};

const struct cli_command cmd_profile_device_get = {
	.path = "profile device get",
	.usage = "PROFILE DEVICE KEY",
	.summary = "Show the value of a key of a device of a profile",
	.example = "sysctr profile device get web eth0 mtu",
	.min_words = 3,
	.max_words = 3,
	.hints = { HINT_PROFILE },
	.run = run_get,
};

const struct cli_command cmd_profile_device_list = {
	.path = "profile device list",
	.aliases = "profile device ls",
	.usage = "PROFILE",
	.summary = "List the names of all devices of a profile",
	.example = "sysctr profile device list web",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_PROFILE },
	.run = run_list,
};

const struct cli_command cmd_profile_device_show = {
	.path = "profile device show",
	.usage = "PROFILE",
	.summary = "Show the devices of a profile as YAML",
	.example = "sysctr profile device show web",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_PROFILE },
	.run = run_show,
};
