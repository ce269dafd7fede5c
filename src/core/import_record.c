/*
 * core/import_record.c - what a backup says, as far as it counts here
 *
 * Every word is a stranger's. Keys, devices and profiles that cannot be taken are left out one by
 * one; what is left is checked as a whole, like any instance's configuration.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aio/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/core.h"
#include "core/import.h"
#include "core/inst.h"
#include "core/inst_create.h"
#include "core/inst_ops.h"
#include "core/network.h"
#include "core/pool.h"
#include "spec/device.h"
#include "spec/disk.h"
#include "spec/keys.h"
#include "spec/names.h"
#include "spec/portable.h"

enum {
	LEFT_OUT_MAX = 50,
	ARCHITECTURE_MAX = 32
};

#define REACHES_HOST "reaches the host; --trusted takes it"

static void _printf_(2, 3) leave_out(struct import *import, const char *fmt, ...)
{
	_cleanup_(freep) char *shown = NULL;
	char text[sizeof(((struct err *)NULL)->msg)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	shown = str_printable(text, false);
	if (strv_len(import->left_out) < LEFT_OUT_MAX &&
	    !strv_contains((const char *const *)import->left_out, shown))
		strv_push(&import->left_out, shown);
}

/* ---- keys ---- */

static bool is_hwaddr_key(const char *key)
{
	return str_after(key, "volatile.") && str_ends_with(key, ".hwaddr");
}

/* Of what a machine notes for itself, all but these is about the host it was on. */
static bool keeps_volatile(struct core *core, const char *key, const char *value)
{
	if (is_hwaddr_key(key))
		return !inst_hwaddr_is_taken(core, value); /* that one is here */
	return streq(key, "volatile.base_image") || streq(key, "volatile.cloud-init.instance-id");
}

static void take_key(struct core *core, struct import *import, const char *key, const char *value,
		     struct strmap *config)
{
	const struct key_row *row = keys_find(key);
	struct err err = { 0 };

	if (str_empty(value))
		return;
	if (str_after(key, "volatile.") && !keeps_volatile(core, key, value))
		return;
	if (keys_validate_one(key, value, &err) < 0)
		leave_out(import, "%s", err.msg);
	else if (row->role == KEY_ROLE_ADMIN && !str_after(key, "volatile.") && !import->trusted)
		leave_out(import, "key %s=%s: " REACHES_HOST, key, value);
	else
		strmap_set(config, key, value);
}

/* ---- devices ---- */

static const struct key_row *option_row(const char *type, const char *option)
{
	const struct key_table *table = device_options(type);

	return table ? key_find(table, option) : NULL;
}

/* Without a type it may turn out to be of any. */
static bool is_admins(const char *type, const char *option)
{
	const struct key_row *row = type ? option_row(type, option) : NULL;

	for (const char *const *name = device_type_names(); !type && *name; name++) {
		row = option_row(*name, option);
		if (row && row->role == KEY_ROLE_ADMIN)
			return true;
	}
	return row && row->role == KEY_ROLE_ADMIN;
}

/* The first option that reaches the host, NULL for none. */
static const char *host_option(const char *type, const struct strmap *device)
{
	strmap_for_each(entry, device)
	{
		if (streq(entry->key, "source") && streq(type, "disk") &&
		    str_after(entry->value, DISK_TMPFS))
			continue;
		if (is_admins(type, entry->key))
			return entry->key;
	}
	return NULL;
}

/* Options that are unknown or wrong go one by one; of a nic, those of its host's side too. */
static void take_options(struct import *import, const struct backup_device *from,
			 struct strmap *device)
{
	const char *type = strmap_get(&from->options, "type");
	const struct key_table *table = device_options(type);

	strmap_for_each(entry, &from->options)
	{
		struct err err = { 0 };

		if (str_empty(entry->value) && table)
			continue;
		if (table && key_check(table, entry->key, entry->value, &err) < 0)
			leave_out(import, "device \"%s\": %s", from->name, err.msg);
		else if (streq(type, "nic") && !import->trusted && is_admins(type, entry->key))
			leave_out(import, "device \"%s\": %s=%s: " REACHES_HOST, from->name,
				  entry->key, (const char *)entry->value);
		else
			strmap_set(device, entry->key, entry->value);
	}
}

static int check_device(struct core *core, const struct import *import, const char *name,
			const struct strmap *device, struct err *err)
{
	const char *type = device_get(device, "type", NULL);
	const char *network = device_get(device, "network", NULL);
	const char *option = import->trusted ? NULL : host_option(type, device);
	int r = device_validate_partial(name, device, err);

	if (r < 0)
		return r;
	if (option)
		return err_kind(err, ERR_FORBIDDEN, "device \"%s\": %s=%s: " REACHES_HOST, name,
				option, device_get(device, option, ""));
	if (network && !netman_get(core->net, network))
		return err_kind(err, ERR_NOT_FOUND,
				"device \"%s\": network \"%s\" does not exist here: make it first "
				"to keep the device",
				name, network);
	return 0;
}

static void take_device(struct core *core, struct import *import, const struct backup_device *from,
			struct strmap *devices)
{
	struct strmap device = { 0 };
	struct err err = { 0 };
	int r = name_validate(NAME_DEVICE, from->name, &err);

	if (r == 0)
		take_options(import, from, &device);
	if (r == 0)
		r = check_device(core, import, from->name, &device, &err);
	if (r < 0)
		leave_out(import, "%s", err.msg);
	else
		strmap_merge(devices_add(devices, from->name), &device);
	strmap_done(&device);
}

/* ---- what reaches the host ---- */

static void tell(char ***list, char *text)
{
	strv_push_take(list, str_printable(text, false));
	free(text);
}

/* The name of a custom volume is no path of the host. */
static bool is_volume_in(const struct strmap *device, const char *pool)
{
	return streq(device_get(device, "type", NULL), "disk") &&
	       streq(device_get(device, "pool", NULL), pool) &&
	       !str_after(device_get(device, "source", ""), "/");
}

void import_tell_reach(const struct backup_item *item, const char *pool, char ***list)
{
	strmap_for_each(entry, &item->config)
	{
		const char *key = portable_decode(entry->key);
		const struct key_row *row = keys_find(key);

		if (row && row->role == KEY_ROLE_ADMIN && !str_after(key, "volatile.") &&
		    !str_empty(entry->value))
			tell(list, xasprintf("key %s=%s: " REACHES_HOST, key,
					     (const char *)entry->value));
	}
	vec_for_each(device, &item->devices) {
		const struct strmap *options = &device->options;
		_cleanup_(strmap_done) struct strmap others = { 0 };
		const char *option;

		strmap_merge(&others, options);
		if (is_volume_in(options, pool))
			(void)strmap_unset(&others, "source");
		option = host_option(strmap_get(options, "type"), &others);
		if (option)
			tell(list, xasprintf("device \"%s\": %s=%s: " REACHES_HOST, device->name,
					     option, device_get(options, option, "")));
	}
}

/* ---- the root disk ---- */

static bool pool_is_there(struct core *core, const char *name)
{
	return name && strmap_has(&core->pools, name);
}

/* A root disk in a pool that is there, of a size that the pool can keep to. */
static void fit_root(struct core *core, struct import *import, struct inst_record *record)
{
	struct expanded expanded = { 0 };
	struct strmap *own;
	const char *name, *pool;
	struct err err = { 0 };

	inst_expand_with(core, record, NULL, &expanded);
	name = devices_root(&expanded.devices);
	pool = name ? device_get(devices_get(&expanded.devices, name), "pool", POOL_DEFAULT) : NULL;
	if (!import->pool && pool && !pool_is_there(core, pool))
		leave_out(import, "storage pool \"%s\" does not exist here: \"%s\" is used", pool,
			  POOL_DEFAULT);
	if (import->pool)
		pool = import->pool;
	else if (!pool_is_there(core, pool))
		pool = POOL_DEFAULT;
	if (!name || !streq(pool, device_get(devices_get(&expanded.devices, name), "pool", ""))) {
		own = devices_add(&record->devices, name ? name : "root");
		if (name)
			strmap_merge(own, devices_get(&expanded.devices, name));
		strmap_set(own, "type", "disk");
		strmap_set(own, "path", "/");
		strmap_set(own, "pool", pool);
	}
	own = devices_get(&record->devices, name ? name : "root");
	if (own && pool_check_root(core, own, &err) < 0) {
		leave_out(import, "%s", err.msg);
		(void)strmap_unset(own, "size");
	}
	expanded_done(&expanded);
}

/* ---- records ---- */

static void take_item(struct core *core, struct import *import, const struct backup_item *item,
		      struct inst_record *record)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-";

	strmap_for_each(entry, &item->config)
		take_key(core, import, portable_decode(entry->key), entry->value, &record->config);
	vec_for_each(device, &item->devices)
		take_device(core, import, device, &record->devices);
	for (char **name = item->profiles; name && *name; name++) {
		if (strmap_has(&core->profiles, *name))
			strv_push(&record->profiles, *name);
		else
			leave_out(import,
				  "profile \"%s\" does not exist here: make it first to keep it",
				  *name);
	}
	replace_str(&record->description, item->description);
	record->ephemeral = item->ephemeral;
	record->created_wall_ns =
		item->created_wall_ns > 0 ? item->created_wall_ns : aio_wall_now(core->loop);
	if (!str_empty(item->architecture) && strlen(item->architecture) <= ARCHITECTURE_MAX &&
	    str_only(item->architecture, plain))
		replace_str(&record->architecture, item->architecture);
	replace_str(&record->power, "stopped");
}

static struct snap_record *make_snapshot(struct core *core, struct import *import,
					 const struct backup_item *item)
{
	struct snap_record *snapshot = snap_record_new(item->name);
	char uuid[UUID_LEN];

	take_item(core, import, item, snapshot->inst);
	fit_root(core, import, snapshot->inst);
	snapshot->volume = xstrdup(uuid_new(uuid));
	snapshot->created_wall_ns = snapshot->inst->created_wall_ns;
	snapshot->expires_wall_ns = item->expires_wall_ns;
	snapshot->scheduled = item->scheduled;
	snapshot->size_bytes = item->size_bytes;
	if (item->expires_wall_ns > 0 && item->expires_wall_ns <= aio_wall_now(core->loop)) {
		leave_out(import, "snapshot \"%s\" has expired: it is kept", item->name);
		snapshot->expires_wall_ns = 0;
	}
	return snapshot;
}

int import_make_records(struct core *core, const struct backup_index *index, struct import *import,
			struct err *err)
{
	const char *name = import->name ? import->name : index->instance.name;
	char uuid[UUID_LEN];
	int r = inst_check_new_name(core, name, err);

	if (r == -EEXIST)
		return err_wrap(err, "give it another name");
	if (r < 0)
		return r;
	import->record = inst_record_new(name);
	take_item(core, import, &index->instance, import->record);
	strmap_set(&import->record->config, "volatile.uuid", uuid_new(uuid));
	fit_root(core, import, import->record);
	r = inst_check_record(core, import->record, NULL, err);
	if (r < 0)
		return err_wrap(err, "the configuration in the backup");
	vec_for_each(item, &index->snapshots)
		snap_list_add(&import->snapshots, make_snapshot(core, import, item));
	return 0;
}
