/* api/pools.c - /1.0/storage-pools, for reading */
#include <stdlib.h>
#include <sys/statvfs.h>

#include "api/handlers.h"
#include "api/objects.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/pool.h"
#include "spec/device.h"
#include "spec/profile.h"

static bool is_on(const struct inst *inst, const struct pool_record *pool)
{
	return streq(inst->record->pool, pool->name);
}

static bool puts_roots_on(const struct profile_record *profile, const struct pool_record *pool)
{
	const char *root = devices_root(&profile->devices);
	const struct strmap *device = root ? devices_get(&profile->devices, root) : NULL;

	return device && streq(device_get(device, "pool", NULL), pool->name);
}

void write_pool(struct jsonw *w, struct core *core, const struct pool_record *pool)
{
	_cleanup_(freep) char *dir = pool_dir(core, pool);

	jsonw_begin_object(w);
	jsonw_add_str(w, "name", pool->name);
	jsonw_add_str(w, "driver", pool->driver);
	jsonw_add_str(w, "description", pool->description ? pool->description : "");
	jsonw_add_str(w, "status", pool->status);
	jsonw_add_object(w, "config");
	jsonw_add_str(w, "source", dir);
	strmap_for_each(entry, &pool->config) if (!streq(entry->key, "source"))
		jsonw_add_str(w, entry->key, entry->value);
	jsonw_end_object(w);
	jsonw_add_array(w, "used_by");
	strmap_for_each(entry, &core->instances) if (is_on(entry->value, pool))
		write_url(w, "instances", entry->key);
	strmap_for_each(entry, &core->profiles) if (puts_roots_on(entry->value, pool))
		write_url(w, "profiles", entry->key);
	jsonw_end_array(w);
	jsonw_add_strv(w, "locations", (const char *const[]){ "none", NULL });
	jsonw_end_object(w);
}

void pools_list(struct api_req *req)
{
	jsonw_begin_array(&req->json);
	strmap_for_each(entry, &req->core->pools)
	{
		if (api_recursion(req) > 0)
			write_pool(&req->json, req->core, entry->value);
		else
			write_url(&req->json, "storage-pools", entry->key);
	}
	jsonw_end_array(&req->json);
	reply_sync(req);
}

static int find(struct api_req *req, struct pool_record **ret_pool)
{
	return pool_find(req->core, req->args[0], ret_pool, &req->err);
}

void pool_get(struct api_req *req)
{
	struct pool_record *pool;

	if (find(req, &pool) < 0) {
		reply_error(req);
		return;
	}
	write_pool(&req->json, req->core, pool);
	reply_sync(req);
}

static void write_amount(struct jsonw *w, const char *key, uint64_t total, uint64_t used)
{
	jsonw_add_object(w, key);
	jsonw_add_u64(w, "total", total);
	jsonw_add_u64(w, "used", used);
	jsonw_end_object(w);
}

void pool_resources_get(struct api_req *req)
{
	_cleanup_(freep) char *dir = NULL;
	struct pool_record *pool;
	struct statvfs fs = { 0 };

	if (find(req, &pool) < 0) {
		reply_error(req);
		return;
	}
	dir = pool_dir(req->core, pool);
	(void)statvfs(dir, &fs); /* an unavailable pool has no space */
	jsonw_begin_object(&req->json);
	write_amount(&req->json, "space", fs.f_blocks * fs.f_frsize,
		     (fs.f_blocks - fs.f_bfree) * fs.f_frsize);
	write_amount(&req->json, "inodes", fs.f_files, fs.f_files - fs.f_ffree);
	jsonw_end_object(&req->json);
	reply_sync(req);
}

static void write_volume(struct api_req *req, const struct inst *inst)
{
	_cleanup_(freep) char *collection =
		xasprintf("storage-pools/%s/volumes/container", inst->record->pool);

	if (api_recursion(req) == 0) {
		write_url(&req->json, collection, inst->record->name);
		return;
	}
	jsonw_begin_object(&req->json);
	jsonw_add_str(&req->json, "name", inst->record->name);
	jsonw_add_str(&req->json, "type", "container");
	jsonw_add_str(&req->json, "content_type", "filesystem");
	jsonw_add_str(&req->json, "description", "");
	jsonw_add_object(&req->json, "config");
	jsonw_end_object(&req->json);
	jsonw_add_array(&req->json, "used_by");
	write_url(&req->json, "instances", inst->record->name);
	jsonw_end_array(&req->json);
	jsonw_add_str(&req->json, "location", "");
	jsonw_add_str(&req->json, "project", "default");
	write_time(&req->json, "created_at", inst->record->created_wall_ns);
	jsonw_end_object(&req->json);
}

/* The volumes of instances; custom ones do not exist. */
void volumes_list(struct api_req *req)
{
	struct pool_record *pool;

	if (find(req, &pool) < 0) {
		reply_error(req);
		return;
	}
	jsonw_begin_array(&req->json);
	strmap_for_each(entry, &req->core->instances) if (is_on(entry->value, pool))
		write_volume(req, entry->value);
	jsonw_end_array(&req->json);
	reply_sync(req);
}
