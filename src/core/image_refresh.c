/*
 * core/image_refresh.c - see image_refresh.h
 *
 *   pull -> replace -> delete-files
 *
 * What is killed in between is done by the next look: "replace" is one transaction, and a new image
 * that took over nothing yet is found as the server's newest again.
 */
#include "core/image_refresh.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "aio/loop.h"
#include "aio/timer.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/image.h"
#include "core/image_pull.h"
#include "core/job.h"
#include "core/warning.h"
#include "db/images.h"
#include "db/server.h"
#include "spec/keys.h"

#define WARNING "Image refresh failed"
#define CHECKED "internal.images_checked_ns"

enum {
	TICK_S = 60,
	SOON_S = 1,
	UPDATE_HOURS = 6,
	EXPIRY_DAYS = 10,
	DAY_S = 24 * 60 * 60,
	HOUR_S = 60 * 60
};

struct image_refresher {
	struct core *core;
	struct aio_timer timer;
	char **queue; /* fingerprints still to be looked at in this run */
	size_t next;  /* in queue */
	struct op_waiter waiter;
};

/* ---- one image ---- */

struct refresh_args {
	struct image_source source;
	char *fingerprint; /* of the old one */
	bool delete_files;
};

static void free_refresh(void *data)
{
	struct refresh_args *args = data;

	image_source_done(&args->source);
	free(args->fingerprint);
	free(args);
}

static void warn(struct core *core, const char *fingerprint, const char *message)
{
	_cleanup_(freep) char *entity = xasprintf("images/%s", fingerprint);

	core_warn(core, WARNING, entity, message);
}

static enum op_next step_pull(struct op *op)
{
	const struct refresh_args *args = op->args;

	return image_ask_server(op, &args->source);
}

/* What @image is once it has taken the place of @old. */
static struct image_record *merge(const struct image_record *image, const struct image_record *old)
{
	struct image_record *record = image_record_copy(image);

	record->cached = image->cached && old->cached;
	record->public |= old->public;
	record->auto_update |= old->auto_update;
	/* else each new version would count as used */
	record->last_used_wall_ns =
		old->last_used_wall_ns > 0 ? old->last_used_wall_ns : old->uploaded_wall_ns;
	if (image->last_used_wall_ns > record->last_used_wall_ns)
		record->last_used_wall_ns = image->last_used_wall_ns;
	if (!record->profiles)
		record->profiles = strv_copy((const char *const *)old->profiles);
	replace_str(&record->source_protocol, old->source_protocol);
	replace_str(&record->source_server, old->source_server);
	replace_str(&record->source_alias, old->source_alias);
	for (size_t i = 0; i < old->aliases.len; i++)
		image_record_add_alias(record, old->aliases.items[i].name,
				       old->aliases.items[i].description);
	return record;
}

/* @stays: the old one as it is to be then; NULL: it goes. */
static int store(struct op *op, const struct image_record *record, const struct image_record *old,
		 const struct image_record *stays, struct err *err)
{
	struct db *db = op->core->db;
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	if (stays)
		r = db_image_update(db, stays, err);
	else
		r = image_delete_in_tx(op, old, err);
	if (r == 0)
		r = db_image_update(db, record, err);
	return db_end(db, r, err);
}

/* A launch has chosen it and is not done: it stays for that, as a cached one. */
static struct image_record *make_stay(const struct image_record *old)
{
	struct image_record *stays = image_record_copy(old);

	while (stays->aliases.len > 0)
		(void)image_record_remove_alias(stays, stays->aliases.items[0].name);
	stays->cached = true;
	stays->auto_update = false;
	return stays;
}

static int replace(struct op *op, const struct image_record *image, const struct image_record *old)
{
	struct refresh_args *args = op->args;
	_cleanup_(image_record_freep) struct image_record *record = merge(image, old);
	_cleanup_(image_record_freep) struct image_record *stays = NULL;
	struct core *core = op->core;
	const char *fingerprint = record->fingerprint;
	int r;

	if (image_is_wanted(core, old->fingerprint))
		stays = make_stay(old);
	r = store(op, record, old, stays, &op->err);
	if (r < 0)
		return r;
	op_no_return(op);
	strmap_set(&op->metadata, "fingerprint", fingerprint);
	log_info(LOG_NONE, "image %.12s is now %.12s", args->fingerprint, fingerprint);
	if (stays) {
		strmap_set_take(&core->images, args->fingerprint, TAKE_PTR(stays));
	} else {
		args->delete_files = true;
		image_forget(core, args->fingerprint);
	}
	events_publish_lifecycle(&core->events, "image-refreshed", "images", fingerprint);
	strmap_set_take(&core->images, fingerprint, TAKE_PTR(record));
	return 0;
}

static enum op_next step_replace(struct op *op)
{
	const struct refresh_args *args = op->args;
	const struct image_record *old = strmap_get(&op->core->images, args->fingerprint);
	const struct image_record *image = image_by_source(op->core, &args->source);

	if (!old || !image) {
		(void)err_kind(&op->err, ERR_CONFLICT, "the image was deleted meanwhile");
		return OP_FAIL;
	}
	strmap_set(&op->metadata, "refreshed", image == old ? "false" : "true");
	return image == old ? OP_NEXT : op_result(replace(op, image, old));
}

static enum op_next step_delete_files(struct op *op)
{
	const struct refresh_args *args = op->args;

	return args->delete_files ? image_delete_files(op, args->fingerprint) : OP_NEXT;
}

static const struct op_step steps[] = {
	{ "pull", step_pull, NULL },
	{ "replace", step_replace, NULL },
	{ "delete-files", step_delete_files, NULL },
	{ 0 },
};
static const struct op_table refresh_table = { "image-refresh", steps };

static bool has_server(const struct image_record *image)
{
	return streq(image->source_protocol, "simplestreams") && image->source_server &&
	       image->source_alias;
}

int image_refresh(struct core *core, const struct image_record *image, struct op **ret_op,
		  struct err *err)
{
	struct refresh_args *args;
	struct op *op;
	int r = core_check_open(core, err);

	if (r < 0)
		return r;
	if (!has_server(image))
		return err_kind(err, ERR_INVALID,
				"image %.12s did not come from an image server by an alias",
				image->fingerprint);
	args = xcalloc(1, sizeof(*args));
	args->fingerprint = xstrdup(image->fingerprint);
	args->source.server = xstrdup(image->source_server);
	args->source.alias = xstrdup(image->source_alias);
	op = op_new(core, OP_TASK, "Refreshing image", args, free_refresh, err);
	if (!op)
		return -EBUSY;
	op_add_resource(op, "images", image->fingerprint);
	op_add_table(op, &refresh_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

/* ---- all that are due ---- */

static void next_image(void *data);

static void refreshed(struct op_waiter *waiter, struct op *op)
{
	struct image_refresher *refresher = container_of(waiter, struct image_refresher, waiter);

	warn(refresher->core, refresher->queue[refresher->next - 1],
	     op->status == OP_SUCCESS ? NULL : op->err.msg);
	aio_defer(op->core->loop, next_image, refresher);
}

static void next_image(void *data)
{
	struct image_refresher *refresher = data;
	struct core *core = refresher->core;

	while (refresher->queue && refresher->queue[refresher->next] && !core->shutting_down) {
		const char *fingerprint = refresher->queue[refresher->next++];
		const struct image_record *image = strmap_get(&core->images, fingerprint);
		struct err err = { 0 };
		struct op *op;

		if (!image)
			continue;
		if (image_refresh(core, image, &op, &err) < 0) {
			warn(core, fingerprint, err.msg);
			continue;
		}
		refresher->waiter = (struct op_waiter){ .done = refreshed };
		op_wait(op, &refresher->waiter);
		return;
	}
	refresher->queue = strv_free(refresher->queue);
}

static bool is_kept_fresh(const struct core *core, const struct image_record *image)
{
	return has_server(image) &&
	       (image->auto_update ||
		(image->cached &&
		 keys_get_bool(&core->server_config, "images.auto_update_cached", true)));
}

/* Also true when the clock was set back. */
static bool is_due(const struct core *core, int64_t now_wall_ns)
{
	int64_t hours =
		keys_get_int(&core->server_config, "images.auto_update_interval", UPDATE_HOURS);
	const char *text = strmap_get(&core->server_config, CHECKED);
	uint64_t checked = 0;

	if (text)
		(void)parse_u64(text, INT64_MAX, &checked); /* nonsense: it is due */
	return hours > 0 && ((int64_t)checked > now_wall_ns ||
			     now_wall_ns - (int64_t)checked >= hours * HOUR_S * NS_PER_S);
}

static void start_run(struct image_refresher *refresher, int64_t now_wall_ns)
{
	struct core *core = refresher->core;
	_cleanup_(freep) char *now = xasprintf("%" PRIi64, now_wall_ns);
	struct err err = { 0 };

	if (db_config_set(core->db, CHECKED, now, &err) < 0)
		log_error(LOG_NONE, "store when images were looked at: %s", err.msg);
	strmap_set(&core->server_config, CHECKED, now);
	strmap_for_each(entry, &core->images)
	{
		if (is_kept_fresh(core, entry->value))
			strv_push(&refresher->queue, entry->key);
	}
	refresher->next = 0;
	next_image(refresher);
}

/* ---- what nobody uses ---- */

static bool has_expired(const struct core *core, const struct image_record *image,
			int64_t now_wall_ns)
{
	int64_t days =
		keys_get_int(&core->server_config, "images.remote_cache_expiry", EXPIRY_DAYS);
	int64_t used =
		image->last_used_wall_ns > 0 ? image->last_used_wall_ns : image->uploaded_wall_ns;

	return image->cached && days > 0 && now_wall_ns - used >= days * DAY_S * NS_PER_S;
}

/* One at a time: the map changes. */
static void expire_one(struct core *core, int64_t now_wall_ns)
{
	strmap_for_each(entry, &core->images)
	{
		struct image_record *image = entry->value;
		struct err err = { 0 };
		struct op *op;

		if (!has_expired(core, image, now_wall_ns) ||
		    image_is_wanted(core, image->fingerprint))
			continue;
		log_info(LOG_NONE, "image %.12s was cached and is not used any more", entry->key);
		if (image_delete(core, image, &op, &err) < 0)
			log_error(LOG_NONE, "delete cached image %.12s: %s", entry->key, err.msg);
		return;
	}
}

/* ---- the clock ---- */

static void tick(void *data)
{
	struct image_refresher *refresher = data;
	struct core *core = refresher->core;
	int64_t now = aio_wall_now(core->loop);

	if (!core->shutting_down && !refresher->queue) {
		expire_one(core, now);
		if (is_due(core, now))
			start_run(refresher, now);
	}
	aio_timer_start(core->loop, &refresher->timer, (uint64_t)TICK_S * NS_PER_S, tick,
			refresher);
}

struct image_refresher *image_refresher_new(struct core *core)
{
	struct image_refresher *refresher = xcalloc(1, sizeof(*refresher));

	refresher->core = core;
	return refresher;
}

void image_refresher_start(struct image_refresher *refresher)
{
	aio_timer_start(refresher->core->loop, &refresher->timer, (uint64_t)SOON_S * NS_PER_S, tick,
			refresher);
}

struct image_refresher *image_refresher_free(struct image_refresher *refresher)
{
	if (!refresher)
		return NULL;
	aio_timer_stop(&refresher->timer);
	strv_free(refresher->queue);
	free(refresher);
	return NULL;
}
