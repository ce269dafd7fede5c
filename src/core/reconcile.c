/* core/reconcile.c - see reconcile.h */
#include "core/reconcile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aio/timer.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/image.h"
#include "core/inst.h"
#include "core/inst_move.h"
#include "core/inst_ops.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/monitor_conn.h"
#include "core/pool.h"
#include "core/snapshot.h"
#include "core/volume.h"
#include "core/warning.h"
#include "db/instances.h"
#include "db/journal.h"
#include "os/cgroup.h"
#include "os/fd.h"
#include "os/netlink.h"
#include "os/nicloan.h"
#include "os/nicroute.h"
#include "spec/device.h"
#include "spec/keys.h"
#include "spec/nictype.h"

enum {
	STALE_TIMEOUT_MS = 2000
};

/* ---- monitors ---- */

/* Interfaces of the host that it has: while its processes keep its network namespace. */
static void rescue_nics(const struct core *core, const char *name)
{
	_cleanup_(freep) char *dir = xasprintf("%s/instances/%s", core->dirs.runtime, name);
	_cleanup_(fd_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct err err = { 0 };

	if (fd >= 0 && nicloan_rescue(fd, &err) < 0)
		log_error(((struct log_keys){ .inst = name }), "give back: %s", err.msg);
}

/* Routes over a bridge, or what the host answers for; others went with the nic. */
static void unroute_nic(struct netlink *nl, const struct strmap *device)
{
	bool routed = nictype_kind(device) == NIC_ROUTED;
	const char *parent = device_get(device, "parent", NULL);
	const char *bridge = device_get(device, "network", parent);
	_cleanup_(strv_freep) char **subnets = nictype_routes(device);
	struct nicroute route = {
		.parent = parent,
		.address4 = nictype_address(device, "ipv4.address"),
		.address6 = nictype_address(device, "ipv6.address"),
	};

	if (!streq(device_get(device, "type", ""), "nic"))
		return;
	if (!routed)
		route = (struct nicroute){ .subnet_link = bridge,
					   .subnets = (const char *const *)subnets };
	if (routed || (bridge && subnets))
		nicroute_down(nl, &route);
}

/* A monitor that was killed left them. */
static void unroute(const struct core *core, const char *name)
{
	const struct inst *inst = strmap_get(&core->instances, name);
	_cleanup_(netlink_freep) struct netlink *nl = NULL;

	if (!inst || netlink_open(-EBADF, 0, &nl, NULL) < 0)
		return;
	strmap_for_each(entry, &inst->expanded.devices)
	{
		unroute_nic(nl, entry->value);
	}
}

int reconcile_remove_cgroups(struct core *core, const char *name, struct err *err)
{
	_cleanup_(freep) char *cgroup = inst_cgroup(core, name);
	_cleanup_(freep) char *path = NULL;
	_cleanup_(fd_closep) int fd = -EBADF;
	struct cgroup_host host;
	int r = cgroup_host_detect(&host, err);

	if (r < 0)
		return r;
	rescue_nics(core, name);
	unroute(core, name);
	path = xasprintf("%s/%s", host.unified, cgroup);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		(void)cgroup_kill_dir(fd);
	return cgroup_remove(&host, cgroup, STALE_TIMEOUT_MS, err);
}

static void remove_stale(struct core *core, int dir_fd, const char *name)
{
	_cleanup_(fd_closep) int fd =
		openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	struct err err = { 0 };

	if (reconcile_remove_cgroups(core, name, &err) < 0)
		log_warn(((struct log_keys){ .inst = name }),
			 "remove what a killed monitor left: %s", err.msg);
	(void)unlinkat(fd, "ctl.sock", 0); /* -ENOENT: it went in order */
	(void)unlinkat(fd, "status", 0);
	(void)unlinkat(fd, "lock", 0);
	(void)unlinkat(dir_fd, name, AT_REMOVEDIR);
}

static void adopt(struct core *core, int dir_fd, const char *name)
{
	struct inst *inst = strmap_get(&core->instances, name);
	_cleanup_(freep) char *entity = xasprintf("instances/%s", name);
	struct err err = { 0 };

	if (!inst) {
		core_warn(core, "Unknown container", entity,
			  "something runs under this name that the database does not know");
		return;
	}
	if (monitor_connect(inst, &err) < 0) {
		log_debug(((struct log_keys){ .inst = name }), "%s", err.msg);
		remove_stale(core, dir_fd, name);
		return;
	}
	inst->adopted = true;
	inst_set_state(inst, INST_STARTING); /* until the monitor says what it is, at once */
	/* A start that was interrupted before its last step is finished by this. */
	if (!streq(inst->record->power, "running") &&
	    db_instance_set_power(core->db, inst->record->id, "running", &err) == 0)
		replace_str(&inst->record->power, "running");
}

void reconcile_monitors(struct core *core)
{
	_cleanup_(freep) char *path = xasprintf("%s/instances", core->dirs.runtime);
	DIR *dir = opendir(path);

	if (!dir)
		return;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		if (entry->d_name[0] != '.')
			adopt(core, dirfd(dir), entry->d_name);
	(void)closedir(dir);
}

/* ---- the journal ---- */

static void free_row(void *data)
{
	journal_record_free(data);
}

/* The volumes of the row's snapshots, without those that have a row of their own: strv. */
static char **lost_snapshots(struct core *core, const struct journal_record *row)
{
	_cleanup_(strv_freep) char **all =
		strv_split(strmap_get(&row->data, "snapshots") ?: "", ",");
	char **lost = NULL;

	for (char **volume = all; volume && *volume; volume++)
		if (!snapshot_by_volume(core, *volume))
			strv_push(&lost, *volume);
	return lost;
}

static enum op_next step_delete_volume(struct op *op)
{
	const struct journal_record *row = op->args;
	bool of_instance = str_after(row->kind, "instance-") != NULL;
	bool there = of_instance && strmap_has(&op->core->instances, row->object);
	struct job job = { .kind = of_instance && !there ? JOB_VOLUME_DELETE
							 : JOB_SNAPSHOT_DELETE };
	const char *stage = strmap_get(&row->data, "stage");
	enum op_next next = OP_FAIL;

	/* Its row came with the end of the journal's, or it was to be refreshed. */
	if (there && !stage)
		return OP_NEXT;
	if (pool_fill_job(op->core, strmap_get(&row->data, "pool"), &job, &op->err) == 0) {
		if (job.kind == JOB_VOLUME_DELETE)
			job.volume = xstrdup(row->object);
		job.stage = xstrdup(stage);
		job.snapshots = lost_snapshots(op->core, row);
		next = job_run(op, &job, -EBADF, NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

/* A copy on its way to another pool. */
static enum op_next step_delete_detour(struct op *op)
{
	const struct journal_record *row = op->args;
	const char *pool = strmap_get(&row->data, "detour");
	struct job job = { .kind = JOB_SNAPSHOT_DELETE };
	enum op_next next = OP_FAIL;

	if (!pool || !strmap_has(&op->core->pools, pool))
		return OP_NEXT;
	if (pool_fill_job(op->core, pool, &job, &op->err) == 0) {
		job.stage = xstrdup(strmap_get(&row->data, "stage"));
		next = job_run(op, &job, -EBADF, NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next step_erase(struct op *op)
{
	const struct journal_record *row = op->args;
	_cleanup_(strv_freep) char **images =
		strv_split(strmap_get(&row->data, "images") ?: "", ",");

	if (db_journal_delete(op->core->db, row->id, &op->err) < 0)
		return OP_FAIL;
	image_volume_unused(op->core, strmap_get(&row->data, "pool"),
			    strmap_get(&row->data, "image"));
	for (char **image = images; image && *image; image++)
		image_volume_unused(op->core, strmap_get(&row->data, "pool"), *image);
	log_info(((struct log_keys){ .inst = row->object }), "%s was interrupted and is cleaned up",
		 row->kind);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "delete-volume", step_delete_volume, NULL },
	{ "delete-detour", step_delete_detour, NULL },
	{ "erase", step_erase, NULL },
	{ 0 },
};
static const struct op_table clean_table = { "clean-up", steps };

/* The old name counts as long as there is the row; nobody starts the instance meanwhile. */
static enum op_next step_rename_back(struct op *op)
{
	const struct journal_record *row = op->args;
	const char *name = strmap_get(&row->data, "new_name");

	inst_move_logs(op->core, name, row->object);
	return inst_move_volume(op, strmap_get(&row->data, "pool"), name, row->object, NULL);
}

static const struct op_step rename_steps[] = {
	{ "rename-back", step_rename_back, NULL },
	{ "erase", step_erase, NULL },
	{ 0 },
};
static const struct op_table rename_table = { "clean-up-rename", rename_steps };

/* The row of the instance is the new one already: so has to be its root. */
static enum op_next step_finish_rebuild(struct op *op)
{
	const struct journal_record *row = op->args;

	return inst_replace_volume(op, strmap_get(&row->data, "pool"), row->object);
}

static const struct op_step rebuild_steps[] = {
	{ "finish-rebuild", step_finish_rebuild, NULL },
	{ "erase", step_erase, NULL },
	{ 0 },
};
static const struct op_table rebuild_table = { "clean-up-rebuild", rebuild_steps };

/* By kind; all others are volumes that nobody has. The instance is held where it is there. */
static const struct op_table *table_of(const struct journal_record *row)
{
	if (streq(row->kind, "instance-rename"))
		return &rename_table;
	return streq(row->kind, "instance-rebuild") ? &rebuild_table : &clean_table;
}

static void take_row(void *data, struct journal_record *row)
{
	struct core *core = data;
	const struct op_table *table = table_of(row);
	struct inst *inst =
		table == &clean_table ? NULL : strmap_get(&core->instances, row->object);
	struct op *op;

	if (streq(row->kind, "snapshot-restore")) {
		snapshot_restore_again(core, row);
		return;
	}
	if (streq(row->kind, "instance-move")) {
		inst_move_clean_up(core, row);
		return;
	}
	if (streq(row->kind, IMAGE_DELETE) || streq(row->kind, IMAGE_VOLUME_DELETE)) {
		image_clean_up(core, row);
		return;
	}
	if (str_after(row->kind, "volume-")) {
		volume_clean_up(core, row);
		return;
	}
	op = op_new(core, OP_TASK, "Cleaning up", row, free_row, NULL);
	if (!op)
		return; /* the row stays for the next start */
	if (inst)
		(void)inst_claim(inst, op, NULL); /* nobody else has it: the first op there is */
	op_add_resource(op, "instances", row->object);
	op_add_table(op, table);
	op_start(op);
}

void reconcile_journal(struct core *core)
{
	struct err err = { 0 };

	if (db_journal_load(core->db, take_row, core, &err) < 0)
		log_error(LOG_NONE, "read journal: %s", err.msg);
}

/* ---- autostart ---- */

/* boot.autostart decides; unset: as it was when the host went down. */
static bool is_to_run(const struct inst *inst)
{
	const char *wanted = keys_get(&inst->expanded.config, "boot.autostart", NULL);

	if (!inst->stored || inst->conn)
		return false;
	if (wanted)
		return keys_get_bool(&inst->expanded.config, "boot.autostart", false);
	return streq(inst->record->power, "running");
}

static int by_priority(const void *a, const void *b)
{
	const struct inst *const *x = a, *const *y = b;
	int64_t px = keys_get_int(&(*x)->expanded.config, "boot.autostart.priority", 0);
	int64_t py = keys_get_int(&(*y)->expanded.config, "boot.autostart.priority", 0);

	if (px != py)
		return px > py ? -1 : 1;
	return strcmp((*x)->record->name, (*y)->record->name);
}

/* The queue of what is to be started: names, so that an instance may vanish meanwhile. */
struct autostart {
	struct core *core;
	char **names;
	size_t next;
	struct aio_timer delay;
	struct op_waiter waiter;
};

static void start_next(void *data);

static void one_started(struct op_waiter *waiter, struct op *op)
{
	struct autostart *queue = container_of(waiter, struct autostart, waiter);
	const struct inst *inst =
		strmap_get(&queue->core->instances, queue->names[queue->next - 1]);
	uint64_t delay_s = 0;

	(void)op; /* a failure was logged; the others are started all the same */
	if (inst)
		delay_s = (uint64_t)keys_get_int(&inst->expanded.config, "boot.autostart.delay", 0);
	aio_timer_start(queue->core->loop, &queue->delay, delay_s * NS_PER_S, start_next, queue);
}

/* One after the other: a host that boots is busy enough. */
static void start_next(void *data)
{
	struct autostart *queue = data;

	while (queue->names && queue->names[queue->next] && !queue->core->shutting_down) {
		struct inst *inst =
			strmap_get(&queue->core->instances, queue->names[queue->next++]);
		struct err err = { 0 };
		struct op *op;

		if (!inst || inst->state != INST_STOPPED)
			continue;
		if (inst_change_state(inst, INST_START, -1, false, &op, &err) == 0) {
			queue->waiter.done = one_started;
			op_wait(op, &queue->waiter);
			return;
		}
		log_error(((struct log_keys){ .inst = inst->record->name }), "autostart: %s",
			  err.msg);
	}
	strv_free(queue->names);
	free(queue);
}

void reconcile_autostart(struct core *core)
{
	_cleanup_(freep) struct inst **list = xcalloc(core->instances.len + 1, sizeof(*list));
	struct autostart *queue = xcalloc(1, sizeof(*queue));
	size_t n = 0;

	strmap_for_each(entry, &core->instances) if (is_to_run(entry->value)) list[n++] =
		entry->value;
	qsort(list, n, sizeof(*list), by_priority);
	for (size_t i = 0; i < n; i++)
		strv_push(&queue->names, list[i]->record->name);
	queue->core = core;
	start_next(queue);
}
