/* image/pack.c - see pack.h */
#include "image/pack.h"

#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/yaml.h"

void pack_properties(const struct template *t, const struct template_plan *plan, int64_t created_s,
		     struct strmap *properties)
{
	time_t when = (time_t)created_s;
	struct tm tm;
	char serial[32] = "", day[16] = "";

	if (gmtime_r(&when, &tm)) {
		(void)strftime(serial, sizeof(serial), "%Y%m%d_%H:%M", &tm);
		(void)strftime(day, sizeof(day), "%Y%m%d", &tm);
	}
	strmap_set(properties, "os", t->distribution);
	strmap_set(properties, "release", plan->release);
	strmap_set(properties, "variant", plan->variant);
	strmap_set(properties, "architecture", plan->arch);
	strmap_set(properties, "serial", serial);
	strmap_set_take(properties, "name",
			xasprintf("%s-%s-%s-%s-%s", plan->name, plan->release, plan->arch,
				  plan->variant, day));
	strmap_set_take(properties, "description",
			xasprintf("%s (%s)",
				  plan->description ? plan->description : t->distribution, day));
	if (t->init)
		strmap_set(properties, "init", t->init);
	if (t->stop_signal)
		strmap_set(properties, "stop_signal", t->stop_signal);
}

void pack_metadata(const char *architecture, const struct strmap *properties, int64_t created_s,
		   struct buf *out)
{
	_cleanup_(json_decrefp) json_t *root = json_object();
	json_t *members = json_object();

	strmap_for_each(entry, properties)(void)
		json_object_set_new(members, entry->key, json_string(entry->value));
	(void)json_object_set_new(root, "architecture", json_string(architecture));
	(void)json_object_set_new(root, "creation_date", json_integer(created_s));
	(void)json_object_set_new(root, "expiry_date", json_integer(0));
	(void)json_object_set_new(root, "properties", members);
	yaml_emit(root, out);
}
