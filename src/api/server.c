/* api/server.c - /, /1.0 and what is about the daemon as a whole */
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "api/api_priv.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/server.h"
#include "core/shutdown.h"
#include "spec/daemon_config.h"
#include "spec/keys.h"
#include "spec/network.h"
#include "spec/pool.h"
#include "spec/profile.h"
#include "spec/server_keys.h"

/* Only what is meant here as clients mean it: a name switches their behaviour. */
static const char *const extensions[] = {
	"api_filtering",
	"api_os",
	"backup_compression_algorithm",
	"backup_override_name",
	"console",
	"console_force",
	"container_backup",
	"container_backup_override_pool",
	"container_exec_recording",
	"container_exec_user_group_cwd",
	"container_full",
	"container_incremental_copy",
	"container_last_used_at",
	"container_only_migration",
	"custom_volume_backup",
	"custom_volume_refresh_exclude_older_snapshots", /* asked for with instances too */
	"directory_manipulation",
	"etag",
	"event_lifecycle",
	"file_append",
	"file_delete",
	"file_get_symlink",
	"file_symlinks",
	"id_map",
	"id_map_base",
	"image_compression_algorithm",
	"image_create_aliases",
	"image_force_refresh",
	"image_types",
	"instance_all_projects",
	"instance_bulk_state_change",
	"instance_create_start",
	"instance_file_head",
	"instance_get_full",
	"instance_nic_network",
	"instance_pool_move",
	"instances",
	"instances_rebuild",
	"metadata_configuration",
	"network",
	"network_leases",
	"network_nat",
	"network_state",
	"operation_description",
	"operation_wait",
	"patch",
	"profile_usedby",
	"projects",
	"resources",
	"snapshot_expiry",
	"snapshot_expiry_creation",
	"storage",
	"storage_api_local_volume_handling",
	"storage_api_volume_rename",
	"storage_api_volume_snapshots",
	"storage_volume_state",
	"warnings",
	NULL,
};

void root_get(struct api_req *req)
{
	jsonw_begin_array(&req->json);
	jsonw_str(&req->json, "/1.0");
	jsonw_end_array(&req->json);
	reply_sync(req);
}

/* NAME and VERSION_ID of os-release(5). */
static void write_os(struct jsonw *w)
{
	struct strmap os = { 0 };

	server_read_os(&os);
	jsonw_add_str(w, "os_name", keys_get(&os, "NAME", "Linux"));
	jsonw_add_str(w, "os_version", keys_get(&os, "VERSION_ID", ""));
	strmap_done(&os);
}

static void write_storage(struct jsonw *w, const struct core *core)
{
	const struct pool_record *pool = core->pools.len > 0 ? core->pools.items[0].value : NULL;

	jsonw_add_str(w, "storage", pool ? pool->driver : "");
	jsonw_add_str(w, "storage_version", SYSCTR_VERSION);
	jsonw_add_array(w, "storage_supported_drivers");
	for (const char *const *name = server_storage_drivers(); *name; name++) {
		jsonw_begin_object(w);
		jsonw_add_str(w, "Name", *name);
		jsonw_add_str(w, "Version", SYSCTR_VERSION);
		jsonw_add_bool(w, "Remote", false);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void write_environment(struct jsonw *w, struct core *core)
{
	struct utsname host = { 0 };

	(void)uname(&host); /* cannot fail with a valid pointer */
	jsonw_add_object(w, "environment");
	jsonw_add_strv(w, "addresses", NULL);
	jsonw_add_strv(w, "architectures", (const char *const[]){ host.machine, NULL });
	jsonw_add_str(w, "certificate", "");
	jsonw_add_str(w, "certificate_fingerprint", "");
	jsonw_add_str(w, "driver", "sysctr");
	jsonw_add_str(w, "driver_version", SYSCTR_VERSION);
	jsonw_add_str(w, "firewall", "nftables");
	jsonw_add_str(w, "kernel", host.sysname);
	jsonw_add_str(w, "kernel_architecture", host.machine);
	jsonw_add_str(w, "kernel_version", host.release);
	write_os(w);
	jsonw_add_str(w, "project", "default");
	jsonw_add_str(w, "server", "sysctr");
	jsonw_add_bool(w, "server_clustered", false);
	jsonw_add_str(w, "server_name", host.nodename);
	jsonw_add_i64(w, "server_pid", getpid());
	jsonw_add_str(w, "server_version", SYSCTR_VERSION);
	write_storage(w, core);
	jsonw_end_object(w);
}

static void write_config(struct jsonw *w, const struct core *core)
{
	struct strmap config = { 0 };

	server_shown_config(core, &config);
	jsonw_add_strmap(w, "config", &config);
	strmap_done(&config);
}

static void server_etag(const struct core *core, struct etag *etag)
{
	struct strmap config = { 0 };

	server_shown_config(core, &config);
	etag_add_map(etag, &config);
	strmap_done(&config);
}

void server_get(struct api_req *req)
{
	struct etag etag = { 0 };

	server_etag(req->core, &etag);
	api_set_etag(req, &etag);
	jsonw_begin_object(&req->json);
	jsonw_add_strv(&req->json, "api_extensions", extensions);
	jsonw_add_str(&req->json, "api_status", "stable");
	jsonw_add_str(&req->json, "api_version", "1.0");
	jsonw_add_str(&req->json, "auth", "trusted");
	jsonw_add_strv(&req->json, "auth_methods", (const char *const[]){ "tls", NULL });
	jsonw_add_str(&req->json, "auth_user_method", "unix");
	jsonw_add_bool(&req->json, "public", false);
	write_config(&req->json, req->core);
	write_environment(&req->json, req->core);
	jsonw_end_object(&req->json);
	reply_sync(req);
}

/* What was set and is not named is to be unset. */
static void unset_others(const struct core *core, struct strmap *config)
{
	struct strmap current = { 0 };

	server_shown_config(core, &current);
	strmap_for_each(entry, &current)
	{
		if (!strmap_has(config, entry->key))
			strmap_set(config, entry->key, "");
	}
	strmap_done(&current);
}

static void edit(struct api_req *req, bool keep)
{
	struct strmap config = { 0 };
	struct etag etag = { 0 };
	int r;

	server_etag(req->core, &etag);
	r = api_check_etag(req, &etag);
	if (r == 0)
		r = json_strmap(req->body, "config", &config, &req->err);
	if (r == 0 && !keep)
		unset_others(req->core, &config);
	if (r == 0)
		r = server_set_config(req->core, &config, &req->err);
	strmap_done(&config);
	reply_result(req, r);
}

void server_put(struct api_req *req)
{
	edit(req, false);
}

void server_patch(struct api_req *req)
{
	edit(req, true);
}

void ready_get(struct api_req *req)
{
	reply_result(req, core_check_open(req->core, &req->err));
}

struct shutdown_request {
	struct api_req *req;
	struct api *api;
};

static void all_stopped(void *data)
{
	struct shutdown_request *request = data;
	struct api *api = request->api;

	reply_sync(request->req);
	free(request);
	aio_defer(api->core->loop, api->shutdown, api->shutdown_data);
}

void shutdown_put(struct api_req *req)
{
	struct shutdown_request *request;

	if (core_check_open(req->core, &req->err) < 0) {
		reply_error(req);
		return;
	}
	request = xcalloc(1, sizeof(*request));
	request->req = req;
	request->api = req->api;
	shutdown_stop_all(req->core, all_stopped, request);
}

/* ---- what there is one of, or none ---- */

void resources_get(struct api_req *req)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	jsonw_begin_object(&req->json);
	jsonw_add_object(&req->json, "cpu");
	jsonw_add_i64(&req->json, "total", cpus);
	jsonw_add_strv(&req->json, "sockets", NULL);
	jsonw_end_object(&req->json);
	jsonw_add_object(&req->json, "memory");
	jsonw_add_u64(&req->json, "total", req->core->host_memory_bytes);
	jsonw_add_u64(&req->json, "used", server_memory_used_bytes(req->core));
	jsonw_end_object(&req->json);
	jsonw_end_object(&req->json);
	reply_sync(req);
}

void cluster_get(struct api_req *req)
{
	jsonw_begin_object(&req->json);
	jsonw_add_str(&req->json, "server_name", "");
	jsonw_add_bool(&req->json, "enabled", false);
	jsonw_end_object(&req->json);
	reply_sync(req);
}

void certificates_list(struct api_req *req)
{
	jsonw_begin_array(&req->json);
	jsonw_end_array(&req->json);
	reply_sync(req);
}

static void write_project(struct jsonw *w, const struct core *core)
{
	static const char *const features[] = { "features.images", "features.networks",
						"features.profiles", "features.storage.volumes" };

	jsonw_begin_object(w);
	jsonw_add_str(w, "name", "default");
	jsonw_add_str(w, "description", "The only project");
	jsonw_add_object(w, "config");
	for (size_t i = 0; i < ARRAY_LEN(features); i++)
		jsonw_add_str(w, features[i], "true");
	jsonw_end_object(w);
	jsonw_add_array(w, "used_by");
	strmap_for_each(entry, &core->instances) write_url(w, "instances", entry->key);
	strmap_for_each(entry, &core->profiles) write_url(w, "profiles", entry->key);
	strmap_for_each(entry, &core->images) write_url(w, "images", entry->key);
	jsonw_end_array(w);
	jsonw_end_object(w);
}

void projects_list(struct api_req *req)
{
	jsonw_begin_array(&req->json);
	if (api_recursion(req) > 0)
		write_project(&req->json, req->core);
	else
		write_url(&req->json, "projects", "default");
	jsonw_end_array(&req->json);
	reply_sync(req);
}

void project_get(struct api_req *req)
{
	if (!streq(req->args[0], "default")) {
		(void)err_kind(&req->err, ERR_NOT_FOUND, "Project not found: \"%s\"", req->args[0]);
		reply_error(req);
		return;
	}
	write_project(&req->json, req->core);
	reply_sync(req);
}

/* ---- keys ---- */

static void write_key(struct jsonw *w, const struct key_row *row)
{
	jsonw_begin_object(w);
	jsonw_add_object(w, row->name);
	jsonw_add_str(w, "shortdesc", row->help);
	jsonw_add_str(w, "liveupdate", row->flags & KEY_LIVE ? "yes" : "no");
	jsonw_add_str(w, "default", row->initial ? row->initial : "");
	jsonw_end_object(w);
	jsonw_end_object(w);
}

static void write_keys(struct jsonw *w, const char *entity, const struct key_table *table)
{
	jsonw_add_object(w, entity);
	jsonw_add_object(w, "all");
	jsonw_add_array(w, "keys");
	for (size_t i = 0; i < table->n_rows; i++)
		if (!(table->rows[i].flags & KEY_ELSEWHERE))
			write_key(w, &table->rows[i]);
	jsonw_end_array(w);
	jsonw_end_object(w);
	jsonw_end_object(w);
}

void metadata_get(struct api_req *req)
{
	jsonw_begin_object(&req->json);
	jsonw_add_object(&req->json, "configs");
	write_keys(&req->json, "instance", &instance_keys);
	write_keys(&req->json, "network-bridge", &network_keys);
	write_keys(&req->json, "server", &server_keys);
	jsonw_end_object(&req->json);
	jsonw_end_object(&req->json);
	reply_sync(req);
}
