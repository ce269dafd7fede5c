/* spec/backup.c - see backup.h */
#include "spec/backup.h"

#include <jansson.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "spec/names.h"

#define INDEX "backup/index.yaml"

static const struct wire_field backup_device_fields[] = {
	{ 1, WIRE_STR, offsetof(struct backup_device, name), NULL },
	{ 2, WIRE_STRMAP, offsetof(struct backup_device, options), NULL },
};
WIRE_SCHEMA(backup_device, backup_device_fields);

static const struct wire_field backup_item_fields[] = {
	{ 1, WIRE_STR, offsetof(struct backup_item, name), NULL },
	{ 2, WIRE_STR, offsetof(struct backup_item, description), NULL },
	{ 3, WIRE_STR, offsetof(struct backup_item, architecture), NULL },
	{ 4, WIRE_BOOL, offsetof(struct backup_item, ephemeral), NULL },
	{ 5, WIRE_I64, offsetof(struct backup_item, created_wall_ns), NULL },
	{ 6, WIRE_I64, offsetof(struct backup_item, expires_wall_ns), NULL },
	{ 7, WIRE_STRV, offsetof(struct backup_item, profiles), NULL },
	{ 8, WIRE_STRMAP, offsetof(struct backup_item, config), NULL },
	{ 9, WIRE_VEC, offsetof(struct backup_item, devices), &backup_device_schema },
	{ 10, WIRE_BOOL, offsetof(struct backup_item, scheduled), NULL },
	{ 11, WIRE_U64, offsetof(struct backup_item, size_bytes), NULL },
};
WIRE_SCHEMA(backup_item, backup_item_fields);

static const struct wire_field backup_index_fields[] = {
	{ 1, WIRE_STRUCT, offsetof(struct backup_index, instance), &backup_item_schema },
	{ 2, WIRE_VEC, offsetof(struct backup_index, snapshots), &backup_item_schema },
	{ 3, WIRE_VEC, offsetof(struct backup_index, profiles), &backup_item_schema },
	{ 4, WIRE_STRMAP, offsetof(struct backup_index, volumes), NULL },
	{ 5, WIRE_STRMAP, offsetof(struct backup_index, images), NULL },
};
WIRE_SCHEMA(backup_index, backup_index_fields);

/* Scalars of YAML come as strings (codec/yaml.h, Y2); an absent or null one is @fallback. */
static int read_bool(const json_t *obj, const char *key, bool *ret_value, struct err *err)
{
	const char *text = json_str(obj, key, "false");

	if (parse_bool(text, ret_value) < 0)
		return err_kind(err, ERR_INVALID, "\"%s\" must be true or false", key);
	return 0;
}

static int64_t read_time(const json_t *obj, const char *key)
{
	int64_t wall_ns = 0;

	/* year 1 is how the others say never; what is no time is no reason to lose a backup */
	if (time_parse_rfc3339(json_str(obj, key, ""), &wall_ns) < 0 || wall_ns < 0 ||
	    wall_ns == INT64_MAX)
		return 0;
	return wall_ns;
}

static int read_devices(const json_t *obj, struct backup_item *item, struct err *err)
{
	const json_t *devices = json_get(obj, "devices");
	const char *name;
	json_t *options;

	if (devices && !json_is_object(devices))
		return err_kind(err, ERR_INVALID, "\"devices\" must be a map");
	json_object_foreach((json_t *)devices, name, options)
	{
		struct backup_device *device = vec_push(&item->devices);
		int r = json_to_strmap(options, "devices", &device->options, err);

		device->name = xstrdup(name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_item(const json_t *obj, struct backup_item *item, struct err *err)
{
	int r;

	if (!json_is_object(obj))
		return err_kind(err, ERR_INVALID, "must be a map");
	item->name = xstrdup(json_str(obj, "name", NULL));
	item->description = xstrdup(json_str(obj, "description", NULL));
	item->architecture = xstrdup(json_str(obj, "architecture", NULL));
	item->created_wall_ns = read_time(obj, "created_at");
	item->expires_wall_ns = read_time(obj, "expires_at");
	(void)parse_u64(json_str(obj, "size", "0"), INT64_MAX, &item->size_bytes); /* -1: unknown */
	r = read_bool(obj, "ephemeral", &item->ephemeral, err);
	if (r == 0)
		r = read_bool(obj, "scheduled", &item->scheduled, err);
	if (r == 0)
		r = json_strv(obj, "profiles", &item->profiles, err);
	if (r == 0)
		r = json_strmap(obj, "config", &item->config, err);
	return r < 0 ? r : read_devices(obj, item, err);
}

static int check_snapshot_name(const struct backup_index *index, const char *name, struct err *err)
{
	int r = name_validate(NAME_SNAPSHOT, name, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i + 1 < index->snapshots.len; i++)
		if (streq(index->snapshots.items[i].name, name))
			return err_kind(err, ERR_INVALID, "snapshot \"%s\" is there twice", name);
	return 0;
}

static int read_snapshot(const json_t *obj, struct backup_index *index, struct err *err)
{
	struct backup_item *item = vec_push(&index->snapshots);
	const char *slash;
	int r = read_item(obj, item, err);

	if (r < 0)
		return err_wrap(err, "a snapshot");
	slash = item->name ? strrchr(item->name, '/') : NULL; /* "web1/snap0" of some versions */
	if (slash)
		memmove(item->name, slash + 1, strlen(slash));
	return check_snapshot_name(index, item->name, err);
}

static int read_snapshots(const json_t *config, const char *key, struct backup_index *index,
			  struct err *err)
{
	const json_t *list = json_get(config, key);
	json_t *item;
	size_t i;
	int r = 0;

	if (list && !json_is_array(list))
		return err_kind(err, ERR_INVALID, "\"%s\" must be a list", key);
	if (json_array_size(list) > BACKUP_SNAPSHOTS_MAX)
		return err_kind(err, ERR_INVALID, "more than %d snapshots", BACKUP_SNAPSHOTS_MAX);
	json_array_foreach((json_t *)list, i, item)
	{
		r = read_snapshot(item, index, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* They are only of use where the instance's own profiles are lost: what is no list has none. */
static int read_profiles(const json_t *config, struct backup_index *index, struct err *err)
{
	const json_t *list = json_get(config, "profiles");
	json_t *item;
	size_t i;
	int r = 0;

	if (json_array_size(list) > BACKUP_PROFILES_MAX)
		return err_kind(err, ERR_INVALID, "more than %d profiles", BACKUP_PROFILES_MAX);
	json_array_foreach((json_t *)list, i, item)
	{
		r = read_item(item, vec_push(&index->profiles), err);
		if (r < 0)
			return err_wrap(err, "a profile");
	}
	return 0;
}

/* What this program cannot take, in words that help. */
static int check_kind(const json_t *doc, const char *kind, struct err *err)
{
	const char *type = json_str(doc, "type", "container");
	bool optimized;
	int r = read_bool(doc, "optimized", &optimized, err);

	if (r < 0)
		return r;
	if (optimized)
		return err_kind(err, ERR_UNSUPPORTED,
				"the backup is in the format of its storage driver: export it "
				"again without --optimized-storage");
	if (!streq(str_empty(type) ? "container" : type, kind)) {
		_cleanup_(freep) char *shown = str_printable(type, false);

		return err_kind(err, ERR_UNSUPPORTED,
				"the backup is of type \"%.40s\", not of a %s", shown,
				streq(kind, "custom") ? "custom volume" : kind);
	}
	return 0;
}

static int read_index(const json_t *doc, struct backup_index *index, struct err *err)
{
	const json_t *config = json_get_object(doc, "config"), *instance;
	int r;

	if (!json_is_object(doc))
		return err_kind(err, ERR_INVALID, "must be a map");
	r = check_kind(doc, "container", err);
	if (r < 0)
		return r;
	instance = json_get(config, "container");
	if (!instance)
		instance = json_get(config, "instance");
	if (!instance)
		return err_kind(err, ERR_INVALID,
				"the configuration of the instance (config: container:) is "
				"missing");
	r = read_item(instance, &index->instance, err);
	if (r < 0)
		return r;
	if (json_str(doc, "name", NULL))
		replace_str(&index->instance.name, json_str(doc, "name", NULL));
	r = read_snapshots(config, "snapshots", index, err);
	if (r == 0)
		r = read_profiles(config, index, err);
	if (r == 0)
		r = json_strmap(doc, "volumes", &index->volumes, err);
	return r < 0 ? r : json_strmap(doc, "images", &index->images, err);
}

static int read_volume_index(const json_t *doc, struct backup_index *index, struct err *err)
{
	const json_t *config = json_get_object(doc, "config"), *volume = json_get(config, "volume");
	const char *content = json_str(volume, "content_type", "filesystem");
	int r;

	if (!json_is_object(doc))
		return err_kind(err, ERR_INVALID, "must be a map");
	r = check_kind(doc, "custom", err);
	if (r < 0)
		return r;
	if (!volume)
		return err_kind(err, ERR_INVALID,
				"the configuration of the volume (config: volume:) is missing");
	if (!str_empty(content) && !streq(content, "filesystem"))
		return err_kind(err, ERR_UNSUPPORTED,
				"the volume is one of blocks; filesystem is offered");
	r = read_item(volume, &index->instance, err);
	if (r < 0)
		return r;
	if (json_str(doc, "name", NULL))
		replace_str(&index->instance.name, json_str(doc, "name", NULL));
	r = read_snapshots(config, "volume_snapshots", index, err);
	return r < 0 ? r : json_strmap(doc, "volumes", &index->volumes, err);
}

static int parse(const void *text, size_t len,
		 int (*read)(const json_t *doc, struct backup_index *index, struct err *err),
		 struct backup_index *ret_index, struct err *err)
{
	_cleanup_(json_decrefp) json_t *doc = NULL;
	int r = yaml_parse(text, len, &doc, err);

	if (r == 0)
		r = read(doc, ret_index, err);
	return r < 0 ? err_wrap(err, INDEX) : 0;
}

int backup_parse_index(const void *text, size_t len, struct backup_index *ret_index,
		       struct err *err)
{
	return parse(text, len, read_index, ret_index, err);
}

int backup_parse_volume_index(const void *text, size_t len, struct backup_index *ret_index,
			      struct err *err)
{
	return parse(text, len, read_volume_index, ret_index, err);
}
