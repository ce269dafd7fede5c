/* spec/daemon_config.c - see daemon_config.h */
#include "spec/daemon_config.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "codec/yaml.h"
#include "spec/idrange.h"
#include "spec/key.h"
#include "spec/names.h"

enum {
	TAG_MAX = 32
};

static int check_tag(const char *key, const char *value, struct err *err)
{
	(void)key;
	if (strlen(value) > TAG_MAX)
		return err_kind(err, ERR_INVALID, "must be at most %d characters", TAG_MAX);
	return name_validate(NAME_INSTANCE, value, err);
}

static int check_url(const char *key, const char *value, struct err *err)
{
	static const char *const schemes[] = { "http://", "https://", "file:///" };

	(void)key;
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (str_after(value, schemes[i]) && !strpbrk(value, " \t\"'\\"))
			return 0;
	return err_kind(err, ERR_INVALID, "must be a URL: http://, https:// or file:///");
}

/* Nested keys are joined by a dot. */
static const struct key_row rows[] = {
	{
		.name = "name",
		.rule = { .type = VALUE_STRING },
		.initial = "sysctr",
		.help = "tag of this daemon on the host; two daemons differ in it",
		.check = check_tag,
	},
	{
		.name = "defaults",
		.rule = { .type = VALUE_BOOL },
		.initial = "true",
		.help = "make pool, network and profile at the first start",
	},
	{
		.name = "network.bridge",
		.rule = { .type = VALUE_NAME, .min = NAME_NETWORK },
		.initial = "sysctrbr0",
		.help = "name of the default network",
	},
	{
		.name = "network.ipv4",
		.rule = { .type = VALUE_IPV4_CIDR },
		.initial = "auto",
		.help = "its IPv4 address and subnet",
	},
	{
		.name = "network.ipv6",
		.rule = { .type = VALUE_IPV6_CIDR },
		.initial = "auto",
		.help = "its IPv6 address and subnet",
	},
	{
		.name = "storage.driver",
		.rule = { .type = VALUE_NAME, .min = NAME_POOL },
		.initial = "auto",
		.help = "driver of the default pool",
	},
	{
		.name = "storage.reserve",
		.rule = { .type = VALUE_SIZE },
		.initial = "256MiB",
		.help = "what work on storage leaves free for the database",
	},
	{
		.name = "storage.source",
		.rule = { .type = VALUE_PATH },
		.help = "directory of the default pool",
	},
	{
		.name = "storage.wait",
		.rule = { .type = VALUE_INT, .min = 1, .max = 86400 },
		.initial = "60",
		.help = "seconds for which a start waits for pools whose disk does not answer",
	},
	{
		.name = "idmap.base",
		.rule = { .type = VALUE_INT, .min = IDRANGE_COUNT, .max = UINT32_MAX },
		.initial = "1000000",
		.help = "where id ranges are cut from",
	},
	{
		.name = "idmap.size",
		.rule = { .type = VALUE_INT, .min = 2 * IDRANGE_COUNT, .max = UINT32_MAX },
		.initial = "1000000000",
		.help = "how many ids there are",
	},
	{
		.name = "images.alpine_mirror",
		.rule = { .type = VALUE_STRING },
		.help = "mirror of Alpine",
		.check = check_url,
	},
	{
		.name = "images.debian_mirror",
		.rule = { .type = VALUE_STRING },
		.help = "mirror of Debian",
		.check = check_url,
	},
	{
		.name = "lxcfs",
		.rule = { .type = VALUE_ENUM, .words = "auto|none" },
		.initial = "auto",
		.help = "containers see their limits in /proc when LXCFS is installed",
	},
	{
		.name = "log.level",
		.rule = { .type = VALUE_ENUM, .words = "error|warn|info|debug|trace" },
		.initial = "info",
		.help = "what is logged",
	},
};

const struct key_table daemon_keys = {
	.what = "setting",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
};

void daemon_config_init(struct daemon_config *config)
{
	*config = (struct daemon_config){
		.name = xstrdup("sysctr"),
		.defaults = true,
		.network_bridge = xstrdup("sysctrbr0"),
		.network_ipv4 = xstrdup("auto"),
		.network_ipv6 = xstrdup("auto"),
		.storage_driver = xstrdup("auto"),
		.storage_source = xstrdup(""),
		.storage_reserve_bytes = 256ULL << 20,
		.storage_wait_s = 60,
		.idmap_base = 1000000,
		.idmap_size = 1000000000,
		.alpine_mirror = xstrdup(""),
		.debian_mirror = xstrdup(""),
		.lxcfs = true,
		.log_level = LOG_INFO,
	};
}

void daemon_config_done(struct daemon_config *config)
{
	free(config->name);
	free(config->network_bridge);
	free(config->network_ipv4);
	free(config->network_ipv6);
	free(config->storage_driver);
	free(config->storage_source);
	free(config->alpine_mirror);
	free(config->debian_mirror);
	*config = (struct daemon_config){ 0 };
}

static int take_scalar(const char *key, const json_t *value, struct strmap *flat, struct err *err)
{
	const char *text = json_is_null(value) ? "" : json_string_value(value);
	int r;

	if (!text)
		return err_kind(err, ERR_INVALID, "%s: must be a single value", key);
	r = key_check(&daemon_keys, key, text, err);
	if (r == 0)
		strmap_set(flat, key, text);
	return r;
}

static bool is_section(const char *name)
{
	_cleanup_(freep) char *prefix = xasprintf("%s.", name);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_after(rows[i].name, prefix))
			return true;
	return false;
}

static int take_section(const char *name, json_t *section, struct strmap *flat, struct err *err)
{
	const char *key;
	json_t *value;

	if (json_is_null(section))
		return 0;
	if (!json_is_object(section))
		return err_kind(err, ERR_INVALID, "%s: must hold settings like { key: value }",
				name);
	json_object_foreach(section, key, value)
	{
		_cleanup_(freep) char *path = xasprintf("%s.%s", name, key);
		int r = take_scalar(path, value, flat, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* All settings of @doc as "section.key", checked. */
static int flatten(json_t *doc, struct strmap *flat, struct err *err)
{
	const char *key;
	json_t *value;

	if (json_is_null(doc))
		return 0;
	if (!json_is_object(doc))
		return err_kind(err, ERR_INVALID, "must be a mapping of settings");
	json_object_foreach(doc, key, value)
	{
		int r = is_section(key) ? take_section(key, value, flat, err)
					: take_scalar(key, value, flat, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static void set_str(const struct strmap *flat, const char *key, char **field)
{
	const char *value = strmap_get(flat, key);

	if (!str_empty(value))
		replace_str(field, value);
}

static void set_u32(const struct strmap *flat, const char *key, uint32_t *field)
{
	const char *value = strmap_get(flat, key);

	if (!str_empty(value))
		(void)parse_u32(value, field); /* checked */
}

/* An empty value leaves the default. */
static void apply(const struct strmap *flat, struct daemon_config *config)
{
	const char *defaults = strmap_get(flat, "defaults");
	const char *level = strmap_get(flat, "log.level");
	const char *lxcfs = strmap_get(flat, "lxcfs");

	set_str(flat, "name", &config->name);
	set_str(flat, "network.bridge", &config->network_bridge);
	set_str(flat, "network.ipv4", &config->network_ipv4);
	set_str(flat, "network.ipv6", &config->network_ipv6);
	set_str(flat, "storage.driver", &config->storage_driver);
	set_str(flat, "storage.source", &config->storage_source);
	if (!str_empty(strmap_get(flat, "storage.reserve")))
		(void)parse_bytes(strmap_get(flat, "storage.reserve"),
				  &config->storage_reserve_bytes); /* checked */
	set_u32(flat, "storage.wait", &config->storage_wait_s);
	set_u32(flat, "idmap.base", &config->idmap_base);
	set_u32(flat, "idmap.size", &config->idmap_size);
	set_str(flat, "images.alpine_mirror", &config->alpine_mirror);
	set_str(flat, "images.debian_mirror", &config->debian_mirror);
	if (!str_empty(defaults))
		(void)parse_bool(defaults, &config->defaults);
	if (!str_empty(level))
		(void)log_parse_level(level, &config->log_level);
	if (lxcfs)
		config->lxcfs = streq(lxcfs, "auto");
}

static int check_whole(const struct daemon_config *config, struct err *err)
{
	if ((uint64_t)config->idmap_base + config->idmap_size > UINT32_MAX)
		return err_kind(err, ERR_INVALID,
				"idmap: base %u plus size %u is beyond the last id",
				config->idmap_base, config->idmap_size);
	return 0;
}

int daemon_config_parse(struct daemon_config *config, const char *text, size_t len, struct err *err)
{
	struct strmap flat = { 0 };
	json_t *doc = NULL;
	int r = yaml_parse(text, len, &doc, err);

	if (r == 0)
		r = flatten(doc, &flat, err);
	if (r == 0) {
		apply(&flat, config);
		r = check_whole(config, err);
	}
	json_decref(doc);
	strmap_done(&flat);
	return r;
}
