/* spec/pool_text.c - a pool's side file: see pool.h */
#include <jansson.h>

#include "base/mem.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "spec/pool.h"

static const struct wire_field pool_record_fields[] = {
	{ 1, WIRE_STR, offsetof(struct pool_record, name), NULL },
	{ 2, WIRE_STR, offsetof(struct pool_record, driver), NULL },
	{ 3, WIRE_STR, offsetof(struct pool_record, description), NULL },
	{ 4, WIRE_STRMAP, offsetof(struct pool_record, config), NULL },
};
WIRE_SCHEMA(pool_record, pool_record_fields);

static void add_str(json_t *object, const char *key, const char *value)
{
	(void)json_object_set_new(object, key, json_string(value ? value : ""));
}

void pool_record_emit(const struct pool_record *record, struct buf *out)
{
	_cleanup_(json_decrefp) json_t *object = json_object();
	json_t *config = json_object();

	add_str(object, "name", record->name);
	add_str(object, "driver", record->driver);
	add_str(object, "description", record->description);
	strmap_for_each(entry, &record->config)
	{
		add_str(config, entry->key, entry->value);
	}
	(void)json_object_set_new(object, "config", config);
	yaml_emit(object, out);
}

int pool_record_parse(const void *text, size_t len, struct pool_record *ret_record, struct err *err)
{
	_cleanup_(json_decrefp) json_t *object = NULL;
	int r = yaml_parse(text, len, &object, err);

	if (r < 0)
		return r;
	if (!json_is_object(object))
		return err_kind(err, ERR_INVALID, "must be a map");
	ret_record->name = xstrdup(json_str(object, "name", NULL));
	ret_record->driver = xstrdup(json_str(object, "driver", NULL));
	ret_record->description = xstrdup(json_str(object, "description", NULL));
	return json_strmap(object, "config", &ret_record->config, err);
}
