/* core/inst_ids.c - see inst_ids.h */
#include "core/inst_ids.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/core.h"
#include "core/inst.h"
#include "db/instances.h"
#include "spec/daemon_config.h"
#include "spec/idmap.h"

int inst_check_idmap(struct core *core, const struct strmap *config, struct err *err)
{
	struct idrange space = { core->config->idmap_base, core->config->idmap_size };
	int r = idmap_check_outside(config, &space, err);

	strmap_for_each(entry, &core->instances)
	{
		const struct inst_record *record = ((const struct inst *)entry->value)->record;
		struct idrange own = { record->id_base, record->id_count };

		if (r == 0)
			r = idmap_check_outside(config, &own, err);
	}
	return r;
}

struct idranges {
	VEC(struct idrange) list;
};

/* Its own range, and ids of the host that are inside. */
static void add_used(const struct inst *inst, struct idranges *used)
{
	struct spec_idmaps maps = { 0 };

	if (inst->record->id_count > 0)
		*vec_push(&used->list) =
			(struct idrange){ inst->record->id_base, inst->record->id_count };
	idmaps_from_config(&inst->expanded.config, &maps);
	vec_for_each(piece, &maps.list) {
		*vec_push(&used->list) = (struct idrange){ piece->host, piece->count };
	}
	free(maps.list.items);
}

/* The first one is the helpers'. */
int inst_choose_ids(struct inst *inst, struct err *err)
{
	struct core *core = inst->core;
	uint32_t count = idmap_size(&inst->expanded.config);
	struct idrange space = { core->config->idmap_base, core->config->idmap_size };
	struct idranges used = { 0 };
	uint32_t base;
	int r;

	*vec_push(&used.list) = (struct idrange){ core->config->idmap_base, IDRANGE_COUNT };
	strmap_for_each(entry, &core->instances)
	{
		add_used(entry->value, &used);
	}
	r = idrange_find(&space, used.list.items, used.list.len, count, &base, err);
	free(used.list.items);
	if (r < 0)
		return r;
	inst->record->id_base = base;
	inst->record->id_count = count;
	return 0;
}

static int store_range(struct inst *inst, struct err *err)
{
	struct db *db = inst->core->db;
	int r = db_begin(db, err);

	return r < 0 ? r : db_end(db, db_instance_update(db, inst->record, err), err);
}

int inst_settle_ids(struct inst *inst, struct err *err)
{
	struct idrange old = { inst->record->id_base, inst->record->id_count };
	int r = inst_check_idmap(inst->core, &inst->expanded.config, err);

	if (r < 0 || old.count == idmap_size(&inst->expanded.config))
		return r;
	r = inst_choose_ids(inst, err);
	if (r == 0)
		r = store_range(inst, err);
	if (r < 0) {
		inst->record->id_base = old.base;
		inst->record->id_count = old.count;
	}
	return r;
}

int inst_check_packable(const struct inst_record *record, struct err *err)
{
	if (record->id_count <= IDRANGE_COUNT)
		return 0;
	return err_kind(err, ERR_UNSUPPORTED,
			"it has more than %d ids (" IDMAP_SIZE_KEY
			"), which is what can be packed: copy it instead, or unset the key and "
			"start it once, if no file of its has a higher one",
			IDRANGE_COUNT);
}
