/* api/images.c - /1.0/images and their aliases */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/objects.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "core/core.h"
#include "core/image.h"
#include "core/image_refresh.h"
#include "spec/filter.h"
#include "spec/image.h"

/* ---- objects ---- */

static void write_aliases(struct jsonw *w, const struct image_record *image)
{
	jsonw_add_array(w, "aliases");
	vec_for_each(alias, &image->aliases) {
		jsonw_begin_object(w);
		jsonw_add_str(w, "name", alias->name);
		jsonw_add_str(w, "description", alias->description ? alias->description : "");
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void write_source(struct jsonw *w, const struct image_record *image)
{
	if (!image->source_protocol)
		return;
	jsonw_add_object(w, "update_source");
	jsonw_add_str(w, "alias", image->source_alias ? image->source_alias : "");
	jsonw_add_str(w, "certificate", "");
	jsonw_add_str(w, "protocol", image->source_protocol);
	jsonw_add_str(w, "server", image->source_server ? image->source_server : "");
	jsonw_add_str(w, "image_type", "container");
	jsonw_end_object(w);
}

void write_image(struct jsonw *w, const struct image_record *image)
{
	jsonw_begin_object(w);
	jsonw_add_str(w, "fingerprint", image->fingerprint);
	write_aliases(w, image);
	jsonw_add_str(w, "architecture", image->architecture);
	jsonw_add_bool(w, "auto_update", image->auto_update);
	jsonw_add_bool(w, "cached", image->cached);
	write_time(w, "created_at", image->created_wall_ns);
	write_time(w, "expires_at", image->expires_wall_ns);
	write_time(w, "last_used_at", image->last_used_wall_ns);
	write_time(w, "uploaded_at", image->uploaded_wall_ns);
	jsonw_add_str(w, "filename", image->filename ? image->filename : "");
	jsonw_add_strv(w, "profiles", (const char *const *)image->profiles);
	jsonw_add_strmap(w, "properties", &image->properties);
	jsonw_add_bool(w, "public", image->public);
	jsonw_add_u64(w, "size", image->size_bytes);
	jsonw_add_str(w, "type", "container");
	jsonw_add_str(w, "project", "default");
	write_source(w, image);
	jsonw_end_object(w);
}

void write_alias(struct jsonw *w, const struct image_record *image, const struct image_alias *alias)
{
	jsonw_begin_object(w);
	jsonw_add_str(w, "name", alias->name);
	jsonw_add_str(w, "description", alias->description ? alias->description : "");
	jsonw_add_str(w, "target", image->fingerprint);
	jsonw_add_str(w, "type", "container");
	jsonw_end_object(w);
}

/* ---- list and read ---- */

static const char *filter_field(void *object, const char *field)
{
	const struct image_record *image = object;
	const char *property = str_after(field, "properties.");

	if (property)
		return strmap_get(&image->properties, property);
	if (streq(field, "fingerprint"))
		return image->fingerprint;
	if (streq(field, "architecture"))
		return image->architecture;
	if (streq(field, "filename"))
		return image->filename;
	if (streq(field, "public"))
		return image->public ? "true" : "false";
	if (streq(field, "cached"))
		return image->cached ? "true" : "false";
	return streq(field, "type") ? "container" : NULL;
}

void images_list(struct api_req *req)
{
	_cleanup_(filter_freep) struct filter *filter = NULL;

	if (filter_parse(api_query(req, "filter"), &filter, &req->err) < 0) {
		reply_error(req);
		return;
	}
	jsonw_begin_array(&req->json);
	strmap_for_each(entry, &req->core->images)
	{
		if (!filter_match(filter, filter_field, entry->value))
			continue;
		if (api_recursion(req) > 0)
			write_image(&req->json, entry->value);
		else
			write_url(&req->json, "images", entry->key);
	}
	jsonw_end_array(&req->json);
	reply_sync(req);
}

static int find(struct api_req *req, struct image_record **ret_image)
{
	return image_find(req->core, req->args[0], ret_image, &req->err);
}

static void image_etag(const struct image_record *image, struct etag *etag)
{
	etag_add_bool(etag, image->public);
	etag_add_bool(etag, image->auto_update);
	etag_add_map(etag, &image->properties);
}

void image_get(struct api_req *req)
{
	struct image_record *image;
	struct etag etag = { 0 };

	if (find(req, &image) < 0) {
		reply_error(req);
		return;
	}
	image_etag(image, &etag);
	api_set_etag(req, &etag);
	write_image(&req->json, image);
	reply_sync(req);
}

/* ---- edit and delete ---- */

static int read_image(const json_t *body, struct image_record *image, struct err *err)
{
	int r = json_check(body, "o:properties b:public b:auto_update a:profiles", err);

	if (r == 0)
		r = json_strmap(body, "properties", &image->properties, err);
	if (r == 0 && json_get(body, "profiles")) {
		image->profiles = strv_free(image->profiles);
		r = json_strv(body, "profiles", &image->profiles, err);
	}
	image->public = json_bool(body, "public", image->public);
	image->auto_update = json_bool(body, "auto_update", image->auto_update);
	return r;
}

static void drop_empty(struct strmap *map)
{
	for (size_t i = map->len; i-- > 0;)
		if (str_empty(map->items[i].value))
			(void)strmap_unset(map, map->items[i].key);
}

static void edit(struct api_req *req, bool keep)
{
	_cleanup_(image_record_freep) struct image_record *image = NULL;
	struct image_record *current = NULL;
	struct etag etag = { 0 };
	int r = find(req, &current);

	if (r == 0) {
		image_etag(current, &etag);
		r = api_check_etag(req, &etag);
	}
	if (r == 0) {
		image = image_record_copy(current);
		if (!keep)
			strmap_done(&image->properties);
		r = read_image(req->body, image, &req->err);
	}
	if (r == 0) {
		drop_empty(&image->properties);
		r = image_update(req->core, image, &req->err);
	}
	reply_result(req, r);
}

void image_put(struct api_req *req)
{
	edit(req, false);
}

void image_patch(struct api_req *req)
{
	edit(req, true);
}

void image_remove(struct api_req *req)
{
	struct image_record *image = NULL;
	struct op *op = NULL;
	int r = find(req, &image);

	if (r == 0)
		r = image_delete(req->core, image, &op, &req->err);
	reply_op_result(req, r, op);
}

void image_refresh_post(struct api_req *req)
{
	struct image_record *image = NULL;
	struct op *op = NULL;
	int r = find(req, &image);

	if (r == 0)
		r = image_refresh(req->core, image, &op, &req->err);
	reply_op_result(req, r, op);
}

/* ---- aliases ---- */

static struct image_alias *find_alias(struct api_req *req, const struct image_record **ret_image)
{
	const char *name = req->args[0];
	struct image_record *image = image_by_alias(req->core, name);

	*ret_image = image;
	if (image)
		vec_for_each(alias, &image->aliases)
			if (streq(alias->name, name))
				return alias;
	/* Clients ask here first for what may be a template: the text says how to build it. */
	if (image_resolve(req->core, name, &image, &req->err) == 0 || req->err.code == 0 ||
	    req->err.kind != ERR_NOT_FOUND)
		(void)err_kind(&req->err, ERR_NOT_FOUND, "Image alias not found: \"%s\"", name);
	return NULL;
}

static void alias_etag(const struct image_record *image, const struct image_alias *alias,
		       struct etag *etag)
{
	etag_add_str(etag, alias->name);
	etag_add_str(etag, alias->description);
	etag_add_str(etag, image->fingerprint);
}

void aliases_list(struct api_req *req)
{
	jsonw_begin_array(&req->json);
	strmap_for_each(entry, &req->core->images)
	{
		const struct image_record *image = entry->value;

		vec_for_each(alias, &image->aliases) {
			if (api_recursion(req) > 0)
				write_alias(&req->json, image, alias);
			else
				write_url(&req->json, "images/aliases", alias->name);
		}
	}
	jsonw_end_array(&req->json);
	reply_sync(req);
}

void aliases_post(struct api_req *req)
{
	const char *name = json_str(req->body, "name", "");

	if (image_alias_create(req->core, name, json_str(req->body, "description", ""),
			       json_str(req->body, "target", ""), &req->err) < 0)
		reply_error(req);
	else
		reply_created(req, "images/aliases", name);
}

void alias_get(struct api_req *req)
{
	const struct image_record *image;
	const struct image_alias *alias = find_alias(req, &image);
	struct etag etag = { 0 };

	if (!alias) {
		reply_error(req);
		return;
	}
	alias_etag(image, alias, &etag);
	api_set_etag(req, &etag);
	write_alias(&req->json, image, alias);
	reply_sync(req);
}

static void edit_alias(struct api_req *req)
{
	const struct image_record *image;
	const struct image_alias *alias = find_alias(req, &image);
	_cleanup_(freep) char *description = NULL;
	_cleanup_(freep) char *target = NULL;
	struct etag etag = { 0 };
	int r;

	if (!alias) {
		reply_error(req);
		return;
	}
	alias_etag(image, alias, &etag);
	description = xstrdup(json_str(req->body, "description", alias->description));
	target = xstrdup(json_str(req->body, "target", image->fingerprint));
	r = api_check_etag(req, &etag);
	if (r == 0)
		r = image_alias_update(req->core, req->args[0], description, target, &req->err);
	reply_result(req, r);
}

void alias_put(struct api_req *req)
{
	edit_alias(req);
}

void alias_patch(struct api_req *req)
{
	edit_alias(req);
}

void alias_post(struct api_req *req)
{
	const char *name = json_str(req->body, "name", "");

	if (image_alias_rename(req->core, req->args[0], name, &req->err) < 0)
		reply_error(req);
	else
		reply_created(req, "images/aliases", name);
}

void alias_delete(struct api_req *req)
{
	reply_result(req, image_alias_delete(req->core, req->args[0], &req->err));
}
