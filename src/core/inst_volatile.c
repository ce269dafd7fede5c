/* core/inst_volatile.c - see inst_volatile.h */
#include "core/inst_volatile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "spec/device.h"
#include "spec/idmap.h"
#include "spec/keys.h"
#include "spec/nictype.h"

/* The pieces of one kind in the words of LXD's and Incus' idmap.Set. */
static void add_pieces(const struct inst *inst, enum idmap_kind kind, struct buf *json)
{
	const struct idrange own = { inst->record->id_base, inst->record->id_count };
	struct spec_idmaps maps = { 0 };
	_cleanup_(freep) char *text = NULL;
	_cleanup_(strv_freep) char **lines = NULL;

	idmaps_from_config(&inst->expanded.config, &maps);
	text = idmap_text(&maps, kind, &own);
	lines = strv_split(text, "\n");
	free(maps.list.items);
	for (char **line = lines; line && *line; line++) {
		uint32_t inside, host, count;

		if (sscanf(*line, "%" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &host, &count) == 3)
			buf_printf(json,
				   "%s{\"Isuid\":%s,\"Isgid\":%s,\"Hostid\":%" PRIu32
				   ",\"Nsid\":%" PRIu32 ",\"Maprange\":%" PRIu32 "}",
				   json->len > 1 ? "," : "", kind == IDMAP_UID ? "true" : "false",
				   kind == IDMAP_GID ? "true" : "false", host, inside, count);
	}
}

/* A privileged one has the host's, which is no range. */
static void tell_ids(const struct inst *inst, struct strmap *config)
{
	bool privileged = keys_get_bool(&inst->expanded.config, "security.privileged", false);
	struct buf json = { 0 };

	if (inst->record->id_count == 0)
		return;
	strmap_set_take(config, "volatile.idmap.base", xasprintf("%u", inst->record->id_base));
	buf_add_char(&json, '[');
	if (!privileged) {
		add_pieces(inst, IDMAP_UID, &json);
		add_pieces(inst, IDMAP_GID, &json);
	}
	buf_add_char(&json, ']');
	strmap_set_take(config, "volatile.idmap.current", buf_take_str(&json));
}

/* The host's end of a nic, where it has one. */
static void tell_nic(const struct inst *inst, const char *name, const struct strmap *device,
		     struct strmap *config)
{
	_cleanup_(freep) char *key = xasprintf("volatile.%s.host_name", name);
	enum nic_kind kind = nictype_kind(device);

	if (streq(device_get(device, "type", ""), "nic") &&
	    (kind == NIC_PAIR || kind == NIC_ROUTED) && keys_get_bool(device, "attached", true))
		strmap_set_take(config, key, inst_nic_host_name(inst, name, device));
}

void inst_tell_volatile(const struct inst *inst, struct strmap *config)
{
	bool wanted = streq(inst->record->power, "running");

	strmap_set(config, "volatile.last_state.power", wanted ? "RUNNING" : "STOPPED");
	tell_ids(inst, config);
	if (!inst_is_running(inst))
		return;
	strmap_set(config, "volatile.last_state.ready", inst->ready ? "true" : "false");
	strmap_for_each(entry, &inst->expanded.devices)
	{
		tell_nic(inst, entry->key, entry->value, config);
	}
}

static bool is_told(const char *key)
{
	static const char *const told[] = {
		"volatile.idmap.base",
		"volatile.idmap.current",
		"volatile.idmap.next",
		"volatile.last_state.idmap",
		"volatile.last_state.power",
		"volatile.last_state.ready",
		NULL,
	};

	return strv_contains(told, key) ||
	       (str_after(key, "volatile.") && str_ends_with(key, ".host_name"));
}

void inst_drop_told(struct strmap *config)
{
	for (size_t i = config->len; i-- > 0;)
		if (is_told(config->items[i].key))
			(void)strmap_unset(config, config->items[i].key);
}
