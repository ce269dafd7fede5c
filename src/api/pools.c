/* api/pools.c - /1.0/storage-pools */
#include <stdlib.h>
#include <sys/statvfs.h>

#include "api/handlers.h"
#include "api/objects.h"
#include "api/volumes.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/pool.h"
#include "core/pool_edit.h"
#include "core/pool_files.h"
#include "core/recover.h"
#include "core/volume.h"
#include "spec/device.h"
#include "spec/profile.h"

static bool is_on(const struct inst *inst, const struct pool_record *pool)
{
	return streq(inst->record->pool, pool->name);
}

static bool is_in(const struct volume *volume, const struct pool_record *pool)
{
	return volume->stored && streq(volume->record->pool, pool->name);
}

static bool puts_roots_on(const struct profile_record *profile, const struct pool_record *pool)
{
	const char *root = devices_root(&profile->devices);
	const struct strmap *device = root ? devices_get(&profile->devices, root) : NULL;

	return device && streq(device_get(device, "pool", NULL), pool->name);
}

void write_pool(struct jsonw *w, struct core *core, const struct pool_record *pool)
{
	_cleanup_(freep) char *source = pool_shown_source(core, pool);

	jsonw_begin_object(w);
	jsonw_add_str(w, "name", pool->name);
	jsonw_add_str(w, "driver", pool->driver);
	jsonw_add_str(w, "description", pool->description ? pool->description : "");
	jsonw_add_str(w, "status", pool->status);
	jsonw_add_object(w, "config");
	jsonw_add_str(w, "source", source);
	strmap_for_each(entry, &pool->config) if (!streq(entry->key, "source"))
		jsonw_add_str(w, entry->key, entry->value);
	jsonw_end_object(w);
	jsonw_add_array(w, "used_by");
	strmap_for_each(entry, &core->instances) if (is_on(entry->value, pool))
		write_url(w, "instances", entry->key);
	strmap_for_each(entry, &core->profiles) if (puts_roots_on(entry->value, pool))
		write_url(w, "profiles", entry->key);
	strmap_for_each(entry, &core->volumes) if (is_in(entry->value, pool))
		write_url(w, "storage_volumes", entry->key);
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

static void pool_etag(struct core *core, const struct pool_record *pool, struct etag *etag)
{
	_cleanup_(freep) char *source = pool_shown_source(core, pool);

	etag_add_str(etag, pool->name);
	etag_add_str(etag, pool->driver);
	etag_add_str(etag, pool->description);
	etag_add_str(etag, source);
	etag_add_map(etag, &pool->config);
}

void pool_get(struct api_req *req)
{
	struct pool_record *pool;
	struct etag etag = { 0 };

	if (find(req, &pool) < 0) {
		reply_error(req);
		return;
	}
	pool_etag(req->core, pool, &etag);
	api_set_etag(req, &etag);
	write_pool(&req->json, req->core, pool);
	reply_sync(req);
}

static int read_pool(const json_t *body, struct pool_record *pool, struct err *err)
{
	int r = json_check(body, "s:name s:driver s:description o:config", err);

	if (r == 0)
		r = json_strmap(body, "config", &pool->config, err);
	if (json_get(body, "description"))
		replace_str(&pool->description, json_str(body, "description", ""));
	return r;
}

/* Answers when the pool is there: clients use it at once. */
void pools_post(struct api_req *req)
{
	_cleanup_(pool_record_freep) struct pool_record *pool =
		pool_record_new(json_str(req->body, "name", ""));
	struct op *op = NULL;
	int r = read_pool(req->body, pool, &req->err);

	replace_str(&pool->driver, json_str(req->body, "driver", ""));
	if (r == 0)
		r = pool_make(req->core, pool, &op, &req->err);
	reply_op_end(req, r, op);
}

static void edit(struct api_req *req, bool keep)
{
	_cleanup_(pool_record_freep) struct pool_record *pool = NULL;
	struct pool_record *current = NULL;
	struct etag etag = { 0 };
	struct op *op = NULL;
	int r = find(req, &current);

	if (r == 0) {
		pool_etag(req->core, current, &etag);
		r = api_check_etag(req, &etag);
	}
	if (r == 0) {
		pool = pool_record_copy(current);
		if (!keep)
			strmap_done(&pool->config);
		r = read_pool(req->body, pool, &req->err);
	}
	if (r == 0)
		r = pool_edit(req->core, pool, &op, &req->err);
	if (op)
		reply_op_end(req, r, op);
	else
		reply_result(req, r);
}

void pool_put(struct api_req *req)
{
	edit(req, false);
}

void pool_patch(struct api_req *req)
{
	edit(req, true);
}

void pool_delete_req(struct api_req *req)
{
	struct op *op = NULL;
	bool forget = false;
	int r = api_query_bool(req, "forget", &forget);

	if (r == 0)
		r = pool_delete(req->core, req->args[0], forget, &op, &req->err);

	reply_op_end(req, r, op);
}

static void write_amount(struct jsonw *w, const char *key, uint64_t total, uint64_t used)
{
	jsonw_add_object(w, key);
	jsonw_add_u64(w, "total", total);
	jsonw_add_u64(w, "used", used);
	jsonw_end_object(w);
}

/* Ours: what may be expected of the pool. */
static void write_capabilities(struct jsonw *w, const struct pool_record *pool)
{
	const struct pool_capabilities capabilities = pool_capabilities(pool);

	jsonw_add_object(w, "capabilities");
	jsonw_add_bool(w, "shared_images", capabilities.shared_images);
	jsonw_add_bool(w, "fast_snapshots", capabilities.fast_snapshots);
	jsonw_add_bool(w, "reflinks", capabilities.reflinks);
	jsonw_add_str(w, "quotas", capabilities.quotas);
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
	write_capabilities(&req->json, pool);
	jsonw_end_object(&req->json);
	reply_sync(req);
}

static int read_recovery(struct api_req *req, const char *form, struct recover_request *request)
{
	int r = json_check(req->body, form, &req->err);

	request->apply = json_bool(req->body, "apply", false);
	request->trusted = json_bool(req->body, "trusted", false);
	return r;
}

void pool_recover_post(struct api_req *req)
{
	struct recover_request request = { .pool = req->args[0] };
	struct op *op = NULL;
	int r = read_recovery(req, "b:apply b:trusted", &request);

	if (r == 0)
		r = recover_start(req->core, &request, &op, &req->err);
	reply_op_result(req, r, op);
}

void lost_pools_list(struct api_req *req)
{
	char **names = pool_files_lost(req->core);

	jsonw_begin_array(&req->json);
	for (char **name = names; name && *name; name++)
		jsonw_str(&req->json, *name);
	jsonw_end_array(&req->json);
	strv_free(names);
	reply_sync(req);
}

void lost_pools_post(struct api_req *req)
{
	struct recover_request request = {
		.pool = json_str(req->body, "name", NULL),
		.source = json_str(req->body, "source", NULL),
		.driver = json_str(req->body, "driver", NULL),
	};
	struct op *op = NULL;
	int r = read_recovery(req, "s:name s:source s:driver b:apply b:trusted", &request);

	if (r == 0)
		r = recover_lost_start(req->core, &request, &op, &req->err);
	reply_op_result(req, r, op);
}
