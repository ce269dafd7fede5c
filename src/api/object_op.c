/* api/object_op.c - operations, and pieces that all objects share */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/objects.h"
#include "api/snapshots.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/url.h"
#include "core/core.h"
#include "core/op.h"

void write_time(struct jsonw *w, const char *key, int64_t wall_ns)
{
	char text[FMT_TIME_LEN];

	if (jsonw_wants(w, key))
		jsonw_add_str(w, key, fmt_time(text, wall_ns));
}

void write_url_below(struct jsonw *w, const char *collection, const char *instance,
		     const char *kind, const char *name)
{
	_cleanup_(freep) char *encoded = url_encode(name);
	_cleanup_(freep) char *url =
		xasprintf("/1.0/%s/%s/%s/%s", collection, instance, kind, encoded);

	jsonw_str(w, url);
}

/* @name: "pool/volume", or "pool/volume/snap0" with @below "snapshots". */
static void write_volume_url(struct jsonw *w, const char *below, const char *name)
{
	_cleanup_(strv_freep) char **parts = strv_split(name, "/");
	_cleanup_(freep) char *collection = xasprintf("storage-pools/%s/volumes/custom", parts[0]);

	if (below)
		write_url_below(w, collection, parts[1], below, parts[2]);
	else
		write_url(w, collection, parts[1]);
}

void write_url(struct jsonw *w, const char *collection, const char *name)
{
	const char *slash = strchr(name, '/'), *below = str_after(collection, "instances_");

	if (str_after(collection, "storage_volume")) {
		write_volume_url(w, str_after(collection, "storage_volume_"), name);
		return;
	}
	if (slash && below) { /* "instances_snapshots", "c1/snap0" */
		_cleanup_(freep) char *instance = xstrndup(name, (size_t)(slash - name));

		write_url_below(w, "instances", instance, below, slash + 1);
		return;
	}
	_cleanup_(freep) char *encoded = url_encode(name);
	_cleanup_(freep) char *url = xasprintf("/1.0/%s/%s", collection, encoded);

	jsonw_str(w, url);
}

void write_devices(struct jsonw *w, const char *key, const struct strmap *devices)
{
	if (!jsonw_wants(w, key))
		return;
	jsonw_add_object(w, key);
	strmap_for_each(entry, devices) jsonw_add_strmap(w, entry->key, entry->value);
	jsonw_end_object(w);
}

static bool is_first_of_kind(const struct op *op, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (streq(op->resources.items[k].kind, op->resources.items[i].kind))
			return false;
	return true;
}

static void write_resources_of(struct jsonw *w, const struct op *op, const char *kind)
{
	jsonw_add_array(w, kind);
	vec_for_each(resource, &op->resources)
		if (streq(resource->kind, kind))
			write_url(w, kind, resource->name);
	jsonw_end_array(w);
}

static void write_resources(struct jsonw *w, const struct op *op)
{
	jsonw_key(w, "resources");
	if (op->resources.len == 0) {
		jsonw_null(w);
		return;
	}
	jsonw_begin_object(w);
	for (size_t i = 0; i < op->resources.len; i++)
		if (is_first_of_kind(op, i))
			write_resources_of(w, op, op->resources.items[i].kind);
	jsonw_end_object(w);
}

/* "unpack: 42% (12.00MiB/s)": text for people, then the same in pieces. */
static void write_progress(struct jsonw *w, const struct op *op)
{
	uint64_t elapsed_ns = aio_now(op->core->loop) - op->stage_start_ns;
	uint64_t speed =
		elapsed_ns > NS_PER_MS ? op->now_bytes * 1000 / (elapsed_ns / NS_PER_MS) : 0;
	char now[FMT_BYTES_LEN], rate[FMT_BYTES_LEN], percent[24], text[160], number[24];

	(void)snprintf(percent, sizeof(percent), "%llu",
		       op->total_bytes ? (unsigned long long)(op->now_bytes * 100 / op->total_bytes)
				       : 0ULL);
	if (op->total_bytes)
		(void)snprintf(text, sizeof(text), "%s: %s%% (%s/s)", op->stage, percent,
			       fmt_bytes(rate, speed));
	else if (op->now_bytes)
		(void)snprintf(text, sizeof(text), "%s: %s (%s/s)", op->stage,
			       fmt_bytes(now, op->now_bytes), fmt_bytes(rate, speed));
	else
		(void)snprintf(text, sizeof(text), "%s", op->stage);
	jsonw_add_str(w, "create_instance_from_image_unpack_progress", text);
	jsonw_add_object(w, "progress");
	jsonw_add_str(w, "stage", op->stage);
	jsonw_add_str(w, "percent", percent);
	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)op->now_bytes);
	jsonw_add_str(w, "processed", number);
	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)op->total_bytes);
	jsonw_add_str(w, "total", number);
	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)speed);
	jsonw_add_str(w, "speed", number);
	jsonw_end_object(w);
}

/* Recorded output of exec: URLs below the instance's logs. */
static void write_output(struct jsonw *w, const struct op *op)
{
	static const char *const streams[] = { "1", "2" };

	if (!strmap_has(&op->metadata, "output.1"))
		return;
	jsonw_add_object(w, "output");
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		_cleanup_(freep) char *key = xasprintf("output.%s", streams[i]);
		_cleanup_(freep) char *url =
			xasprintf("/1.0/instances/%s/logs/%s",
				  op->resources.len > 0 ? op->resources.items[0].name : "",
				  (const char *)strmap_get(&op->metadata, key));

		jsonw_add_str(w, streams[i], url);
	}
	jsonw_end_object(w);
}

static void write_metadata(struct jsonw *w, const struct op *op, bool secrets)
{
	jsonw_add_object(w, "metadata");
	strmap_for_each(entry, &op->metadata)
	{
		if (streq(entry->key, "refreshed")) /* clients insist on a boolean */
			jsonw_add_bool(w, entry->key, streq(entry->value, "true"));
		else if (!str_after(entry->key, "output."))
			jsonw_add_str(w, entry->key, entry->value);
	}
	if (secrets && op->fds.len > 0)
		jsonw_add_strmap(w, "fds", &op->fds);
	if (op->stage && !op_is_final(op))
		write_progress(w, op);
	write_output(w, op);
	if (op->has_return)
		jsonw_add_i64(w, "return", op->return_code);
	jsonw_end_object(w);
}

void write_op(struct jsonw *w, const struct op *op, bool secrets)
{
	jsonw_begin_object(w);
	jsonw_add_str(w, "id", op->id);
	jsonw_add_str(w, "class", op_class_name(op->class));
	jsonw_add_str(w, "description", op->description);
	write_time(w, "created_at", op->created_wall_ns);
	write_time(w, "updated_at", op->updated_wall_ns);
	jsonw_add_str(w, "status", op_status_name(op->status));
	jsonw_add_i64(w, "status_code", op_status_code(op->status));
	write_resources(w, op);
	write_metadata(w, op, secrets);
	jsonw_add_bool(w, "may_cancel", !op_is_final(op) && !op->no_return);
	jsonw_add_str(w, "err", op->err.code < 0 ? op->err.msg : "");
	jsonw_add_str(w, "location", "none");
	jsonw_end_object(w);
}
