/* spec/expand.c - see expand.h */
#include "spec/expand.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "spec/device.h"

/* Keys of a nic that take each other away (X3). */
static const struct {
	const char *set;
	const char *unset;
} excluding[] = {
	{ "network", "nictype" },
	{ "network", "parent" },
	{ "nictype", "network" },
	{ "parent", "network" },
};

/* What a key is set to, and where that is from. */
struct merged {
	struct expanded values, origins;
};

static void merge_config(const struct expand_layer *layer, struct merged *out)
{
	strmap_for_each(entry, layer->config)
	{
		if (str_empty(entry->value)) {
			(void)strmap_unset(&out->values.config, entry->key);
			(void)strmap_unset(&out->origins.config, entry->key);
			continue;
		}
		strmap_set(&out->values.config, entry->key, entry->value);
		strmap_set(&out->origins.config, entry->key, layer->origin);
	}
}

static void unset_key(struct strmap *device, struct strmap *origins, const char *key)
{
	(void)strmap_unset(device, key);
	(void)strmap_unset(origins, key);
}

static void merge_device(const struct strmap *src, const char *origin, struct strmap *device,
			 struct strmap *origins)
{
	const char *type = device_get(src, "type", "");

	if (!str_empty(type)) {
		strmap_done(device);
		strmap_done(origins);
	}
	for (size_t i = 0; i < ARRAY_LEN(excluding); i++)
		if (!str_empty(device_get(src, excluding[i].set, "")))
			unset_key(device, origins, excluding[i].unset);
	strmap_for_each(entry, src)
	{
		if (str_empty(entry->value)) {
			unset_key(device, origins, entry->key);
			continue;
		}
		strmap_set(device, entry->key, entry->value);
		strmap_set(origins, entry->key, origin);
	}
}

static void drop_masked(struct merged *out)
{
	for (size_t i = out->values.devices.len; i > 0; i--) {
		struct strmap_entry *entry = &out->values.devices.items[i - 1];

		if (!streq(device_get(entry->value, "type", ""), "none"))
			continue;
		(void)strmap_unset(&out->origins.devices, entry->key);
		(void)strmap_unset(&out->values.devices, entry->key);
	}
}

void expand_layers(const struct expand_layer *layers, size_t n_layers,
		   struct expanded *ret_expanded, struct expanded *ret_origins)
{
	struct merged out = { 0 };

	devices_init(&out.values.devices);
	devices_init(&out.origins.devices);
	for (size_t i = 0; i < n_layers; i++) {
		merge_config(&layers[i], &out);
		strmap_for_each(entry, layers[i].devices)
		{
			merge_device(entry->value, layers[i].origin,
				     devices_add(&out.values.devices, entry->key),
				     devices_add(&out.origins.devices, entry->key));
		}
	}
	drop_masked(&out);
	*ret_expanded = out.values;
	if (ret_origins)
		*ret_origins = out.origins;
	else
		expanded_done(&out.origins);
}

void expand_instance(const struct inst_record *record, const struct profile_record *const *profiles,
		     size_t n_profiles, struct expanded *ret_expanded, struct expanded *ret_origins)
{
	_cleanup_(freep) struct expand_layer *layers = xcalloc(n_profiles + 1, sizeof(*layers));
	size_t n = 0;

	for (size_t i = 0; i < n_profiles; i++) {
		if (!profiles[i])
			continue;
		layers[n++] = (struct expand_layer){
			.origin = profiles[i]->name,
			.config = &profiles[i]->config,
			.devices = &profiles[i]->devices,
		};
	}
	layers[n++] = (struct expand_layer){
		.origin = EXPAND_ORIGIN_LOCAL,
		.config = &record->config,
		.devices = &record->devices,
	};
	expand_layers(layers, n, ret_expanded, ret_origins);
}

void expanded_done(struct expanded *expanded)
{
	strmap_done(&expanded->config);
	strmap_done(&expanded->devices);
}
