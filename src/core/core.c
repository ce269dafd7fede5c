/* core/core.c - see core.h: open, load, first start, close */
#include "core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aio/loop.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/backup.h"
#include "core/db_copies.h"
#include "core/files.h"
#include "core/hotplug.h"
#include "core/image.h"
#include "core/image_refresh.h"
#include "core/inst.h"
#include "core/inst_ops.h"
#include "core/job.h"
#include "core/monitor_conn.h"
#include "core/network.h"
#include "core/nicfilter.h"
#include "core/pool.h"
#include "core/pool_files.h"
#include "core/profile.h"
#include "core/quota.h"
#include "core/reconcile.h"
#include "core/scheduler.h"
#include "core/seccomp.h"
#include "core/side_files.h"
#include "core/snapshot.h"
#include "core/volume.h"
#include "core/warning.h"
#include "db/images.h"
#include "db/instances.h"
#include "db/pools.h"
#include "db/profiles.h"
#include "db/server.h"
#include "os/fd.h"
#include "spec/daemon_config.h"
#include "spec/device.h"
#include "spec/image.h"
#include "spec/network.h"
#include "spec/pool.h"
#include "spec/profile.h"

enum {
	LOCK_WAIT_MS = 2000,
	LOCK_LOOK_MS = 10
};

#define FIRST_START_DONE "internal.first_start_done"

int core_check_open(const struct core *core, struct err *err)
{
	if (!core->ready)
		return err_kind(err, ERR_UNAVAILABLE, "sysctrd is still starting; try again");
	if (core->shutting_down)
		return err_kind(err, ERR_UNAVAILABLE, "sysctrd is shutting down");
	return 0;
}

/* ---- directories ---- */

static int make_dir(const char *base, const char *name, mode_t mode, struct err *err)
{
	_cleanup_(freep) char *path = name ? xasprintf("%s/%s", base, name) : xstrdup(base);

	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_set(err, -errno, "make directory %s", path);
	if (chmod(path, mode) < 0) /* whatever the umask was */
		return err_set(err, -errno, "set mode of %s", path);
	return 0;
}

static int make_dirs(const struct core *core, struct err *err)
{
	const struct {
		const char *base;
		const char *name;
		mode_t mode;
	} dirs[] = {
		{ core->dirs.state, NULL, 0711 },
		{ core->dirs.state, "images", 0700 },
		{ core->dirs.state, "images/cache", 0700 },
		{ core->dirs.state, "pools", 0700 },
		{ core->dirs.state, "disks", 0700 },
		{ core->dirs.state, "backups", 0700 },
		{ core->dirs.state, DB_COPIES_DIR, 0700 },
		{ core->dirs.state, POOL_FILES_DIR, 0700 },
		{ core->dirs.runtime, NULL, 0711 },
		{ core->dirs.runtime, "instances", 0700 },
		{ core->dirs.log, NULL, 0711 },
	};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		int r = make_dir(dirs[i].base, dirs[i].name, dirs[i].mode, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Two daemons on one state directory would destroy it. The lock goes with the process, and with a
 * child of one that was killed while it started a helper: that is a moment later.
 */
static int take_lock(struct core *core, struct err *err)
{
	_cleanup_(freep) char *path = xasprintf("%s/lock", core->dirs.state);

	core->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (core->lock_fd < 0)
		return err_set(err, -errno, "open %s", path);
	for (int ms = 0; flock(core->lock_fd, LOCK_EX | LOCK_NB) < 0; ms += LOCK_LOOK_MS) {
		if (ms < LOCK_WAIT_MS) {
			(void)poll(NULL, 0, LOCK_LOOK_MS);
			continue;
		}
		return err_kind(err, ERR_CONFLICT, "another sysctrd works on %s", core->dirs.state);
	}
	return 0;
}

/* ---- loading ---- */

static void take_profile(void *data, struct profile_record *record)
{
	strmap_set_take(data, record->name, record);
}

static void take_image(void *data, struct image_record *record)
{
	strmap_set_take(data, record->fingerprint, record);
}

static void take_pool(void *data, struct pool_record *record)
{
	strmap_set_take(data, record->name, record);
}

static void take_warning(void *data, struct warning_record *record)
{
	_cleanup_(freep) char *key = xasprintf("%s|%s", record->type, record->entity);

	strmap_set_take(data, key, record);
}

static void take_image_volume(void *data, const char *pool, const char *fingerprint, uint64_t users)
{
	_cleanup_(freep) char *key = xasprintf("%s/%s", pool, fingerprint);

	(void)users;
	strmap_set(data, key, "");
}

static void take_instance(void *data, struct inst_record *record)
{
	struct inst *inst = inst_add(data, record);

	inst->stored = true;
	inst_expand(inst);
	inst_note_nics(inst); /* rows of older versions have no names */
}

static void free_profile(void *value)
{
	profile_record_free(value);
}

static void free_image(void *value)
{
	image_record_free(value);
}

static void free_pool(void *value)
{
	pool_record_free(value);
}

static void free_warning(void *value)
{
	warning_record_free(value);
}

static void init_maps(struct core *core)
{
	inst_map_init(&core->instances);
	core->profiles.free_value = free_profile;
	core->images.free_value = free_image;
	core->pools.free_value = free_pool;
	volume_map_init(&core->volumes);
	core->warnings.free_value = free_warning;
}

/* Profiles before instances, whose expansion needs them. */
static int load(struct core *core, struct err *err)
{
	struct db *db = core->db;
	int r = db_config_load(db, &core->server_config, err);

	if (r == 0)
		r = db_profiles_load(db, take_profile, &core->profiles, err);
	if (r == 0)
		r = db_pools_load(db, take_pool, &core->pools, err);
	if (r == 0)
		r = db_images_load(db, take_image, &core->images, err);
	if (r == 0)
		r = db_image_volumes_load(db, take_image_volume, &core->image_volumes, err);
	if (r == 0)
		r = db_warnings_load(db, take_warning, &core->warnings, err);
	if (r == 0)
		r = db_instances_load(db, take_instance, core, err);
	if (r == 0)
		r = snapshots_load(core, err);
	if (r == 0)
		r = volumes_load(core, err);
	if (r == 0)
		r = backups_load(core, err);
	if (r == 0)
		r = scheduler_load(core, err);
	return r;
}

/* ---- networks ---- */

static void network_warning(void *data, const char *network, enum netman_warning kind,
			    const char *message)
{
	_cleanup_(freep) char *entity = xasprintf("networks/%s", network);

	core_warn(data, netman_warning_name(kind), entity, message);
}

static void network_event(void *data, const char *network, const char *action)
{
	struct core *core = data;
	_cleanup_(freep) char *name = xasprintf("network-%s", action);

	events_publish_lifecycle(&core->events, name, "networks", network);
}

static const char *instance_name(void *data, int64_t id)
{
	struct core *core = data;

	strmap_for_each(entry, &core->instances)
	{
		const struct inst *inst = entry->value;

		if (inst->record->id == id)
			return entry->key;
	}
	return NULL;
}

static int open_networks(struct core *core, struct err *err)
{
	struct netman_config config = {
		.tag = core->config->name,
		.runtime_dir = core->dirs.runtime,
		.state_dir = core->dirs.state,
		.hooks = { .warn = network_warning,
			   .event = network_event,
			   .instance_name = instance_name,
			   .filters = nicfilter_collect,
			   .data = core },
	};

	core->net = netman_new(core->loop, core->db, &config);
	return netman_load(core->net, err);
}

/* ---- the first start ---- */

/* Where a database was lost it is where it was. */
static struct pool_record *choose_default_pool(struct core *core)
{
	struct pool_record *pool = NULL;
	struct err err = { 0 };
	int r = pool_file_read(core, POOL_DEFAULT, &pool, &err);

	if (r == 0)
		return pool;
	if (err.kind != ERR_NOT_FOUND)
		log_error(LOG_NONE, "%s", err.msg);
	pool = pool_record_new(POOL_DEFAULT);
	replace_str(&pool->driver, core->config->storage_driver);
	if (!str_empty(core->config->storage_source))
		strmap_set(&pool->config, "source", core->config->storage_source);
	return pool;
}

static void make_default_pool(struct core *core)
{
	_cleanup_(pool_record_freep) struct pool_record *pool = choose_default_pool(core);
	struct err err = { 0 };

	replace_str(&pool->status, "Pending");
	if (pool_record_validate(pool, &err) < 0 || db_pool_insert(core->db, pool, &err) < 0) {
		log_error(LOG_NONE, "make storage pool \"" POOL_DEFAULT "\": %s", err.msg);
		return;
	}
	strmap_set_take(&core->pools, POOL_DEFAULT, TAKE_PTR(pool));
}

static void make_default_network(struct core *core)
{
	const struct daemon_config *config = core->config;
	_cleanup_(network_record_freep) struct network_record *network =
		network_record_new(config->network_bridge);
	struct err err = { 0 };

	network->managed = true;
	replace_str(&network->type, "bridge");
	strmap_set(&network->config, "ipv4.address", config->network_ipv4);
	strmap_set(&network->config, "ipv6.address", config->network_ipv6);
	if (!streq(config->network_ipv4, "none"))
		strmap_set(&network->config, "ipv4.nat", "true");
	if (!streq(config->network_ipv6, "none"))
		strmap_set(&network->config, "ipv6.nat", "true");
	if (netman_create(core->net, network, &err) < 0)
		log_error(LOG_NONE, "make network \"%s\": %s", network->name, err.msg);
}

static void fill_default_profile(struct core *core, struct profile_record *profile)
{
	struct strmap *root = devices_add(&profile->devices, "root");
	struct strmap *nic;

	strmap_set(root, "type", "disk");
	strmap_set(root, "path", "/");
	strmap_set(root, "pool", POOL_DEFAULT);
	if (!netman_get(core->net, core->config->network_bridge))
		return;
	nic = devices_add(&profile->devices, "eth0");
	strmap_set(nic, "type", "nic");
	strmap_set(nic, "name", "eth0");
	strmap_set(nic, "network", core->config->network_bridge);
}

/* The profile is always there; what is in it, only the first start decides. */
static int make_default_profile(struct core *core, bool fill, struct err *err)
{
	_cleanup_(profile_record_freep) struct profile_record *profile =
		profile_record_new(PROFILE_DEFAULT);

	if (strmap_has(&core->profiles, PROFILE_DEFAULT))
		return 0;
	replace_str(&profile->description, "Default profile");
	if (fill)
		fill_default_profile(core, profile);
	return profile_create(core, profile, err);
}

static int first_start(struct core *core, struct err *err)
{
	bool first = !strmap_has(&core->server_config, FIRST_START_DONE);
	bool defaults = first && core->config->defaults;
	int r;

	if (defaults) {
		make_default_pool(core);
		make_default_network(core);
	}
	r = make_default_profile(core, defaults, err);
	if (r < 0 || !first)
		return r;
	strmap_set(&core->server_config, FIRST_START_DONE, "true");
	return db_config_set(core->db, FIRST_START_DONE, "true", err);
}

/* ---- opening ---- */

static void pools_ready(struct core *core)
{
	core->ready = true;
	reconcile_journal(core);
	image_volumes_settle(core);
	quota_settle_all(core);
	reconcile_autostart(core);
	scheduler_start(core->scheduler);
	db_copies_start(core->db_copies);
	image_refresher_start(core->refresher);
	log_info(LOG_NONE, "ready instances=%zu", core->instances.len);
}

static int open_parts(struct core *core, struct err *err)
{
	_cleanup_(freep) char *db_path = xasprintf("%s/sysctr.db", core->dirs.state);
	int r = make_dirs(core, err);

	if (r == 0)
		r = take_lock(core, err);
	if (r == 0)
		r = db_open(db_path, &core->db, err);
	if (r == 0)
		r = load(core, err);
	if (r == 0)
		r = seccomp_compile(&(struct seccomp_policy){ 0 }, &core->seccomp, err);
	if (r == 0)
		r = open_networks(core, err);
	if (r == 0)
		r = first_start(core, err);
	return r;
}

int core_open(struct aio_loop *loop, const struct daemon_config *config, struct core_dirs *dirs,
	      struct core **ret_core, struct err *err)
{
	struct core *core = xcalloc(1, sizeof(*core));
	int r;

	(void)fd_cloexec_from(3); /* whoever started us may have left some: no helper gets them */
	core->loop = loop;
	core->config = config;
	core->dirs = *dirs;
	*dirs = (struct core_dirs){ 0 };
	core->lock_fd = -EBADF;
	core->host_memory_bytes =
		(uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	events_init(&core->events, loop);
	ops_init(&core->ops);
	list_init(&core->jobs);
	core->scheduler = scheduler_new(core);
	core->side_files = side_files_new(core);
	core->db_copies = db_copies_new(core);
	core->refresher = image_refresher_new(core);
	list_init(&core->file_calls);
	list_init(&core->lives);
	init_maps(core);
	r = open_parts(core, err);
	if (r < 0) {
		core_close(core);
		return r;
	}
	netman_start(core->net);
	reconcile_monitors(core);
	core->hotplug = hotplug_new(core);
	pool_prepare_all(core, pools_ready);
	*ret_core = core;
	return 0;
}

void core_quiesce(struct core *core)
{
	core->shutting_down = true;
	files_done(core);
	strmap_for_each(entry, &core->instances) monitor_conn_close(entry->value);
}

void core_close(struct core *core)
{
	core_quiesce(core);
	events_close(&core->events);
	core->hotplug = hotplug_free(core->hotplug);
	core->scheduler = scheduler_free(core->scheduler);
	core->side_files = side_files_free(core->side_files);
	core->db_copies = db_copies_free(core->db_copies);
	core->refresher = image_refresher_free(core->refresher);
	core->preparation = pool_preparation_free(core->preparation);
	jobs_done(core);
	ops_done(&core->ops);
	strmap_done(&core->instances);
	strmap_done(&core->profiles);
	strmap_done(&core->images);
	strmap_done(&core->pools);
	strmap_done(&core->volumes);
	strmap_done(&core->image_volumes);
	strmap_done(&core->pulled);
	strmap_done(&core->warnings);
	strmap_done(&core->server_config);
	buf_done(&core->seccomp);
	core->db = db_close(core->db);
	(void)fd_close(core->lock_fd);
	free(core->dirs.state);
	free(core->dirs.runtime);
	free(core->dirs.log);
	free(core->dirs.helpers);
	free(core->dirs.templates);
	free(core);
}
