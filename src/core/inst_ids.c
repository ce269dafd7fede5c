/* core/inst_ids.c - see inst_ids.h */
#include "core/inst_ids.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "db/instances.h"
#include "os/fd.h"
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

/* user_namespaces(7): lines of inside, outside, count. One without a namespace has all ids, from 0. */
static void add_map(const char *map, struct idranges *used)
{
	_cleanup_(strv_freep) char **lines = strv_split(map, "\n");

	for (char **line = lines; line && *line; line++) {
		struct idrange range;

		if (sscanf(*line, "%*u %" SCNu32 " %" SCNu32, &range.base, &range.count) == 2 &&
		    range.base > 0)
			*vec_push(&used->list) = range;
	}
}

/* Of a container whose monitor left its status below @dir_fd: what its init has. */
static void add_running(int dir_fd, const char *name, struct idranges *used)
{
	_cleanup_(freep) char *status = xasprintf("%s/status", name);
	_cleanup_(freep) char *path = NULL;
	char text[4096];
	const char *pid;
	int number;

	if (fd_read_file_at(dir_fd, status, text, sizeof(text)) < 0)
		return;
	pid = strstr(text, "\npid=");
	if (!pid || sscanf(pid, "\npid=%d", &number) != 1)
		return;
	path = xasprintf("/proc/%d/uid_map", number);
	if (fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) > 0)
		add_map(text, used);
}

/* The database may have been lost while they ran. */
static void add_unknown(const struct core *core, struct idranges *used)
{
	_cleanup_(freep) char *path = xasprintf("%s/instances", core->dirs.runtime);
	_cleanup_(fd_closedirp) DIR *dir = opendir(path);

	for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir))
		if (entry->d_name[0] != '.' && !strmap_has(&core->instances, entry->d_name))
			add_running(dirfd(dir), entry->d_name, used);
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
	add_unknown(core, &used);
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
