/*
 * core/image_pull.c - see image_pull.h
 *
 *   launch or request, both waiting for one flight:  fetch -> store -> tidy
 *
 * What is killed in between leaves files in the cache, which the next attempt finds there.
 */
#include "core/image_pull.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/flight.h"
#include "core/image.h"
#include "core/image_store.h"
#include "core/job.h"
#include "spec/image_server.h"
#include "spec/names.h"

void image_source_done(struct image_source *source)
{
	free(source->server);
	free(source->alias);
	free(source->fingerprint);
	*source = (struct image_source){ 0 };
}

static struct image_source copy_source(const struct image_source *source)
{
	return (struct image_source){
		.server = xstrdup(source->server),
		.alias = xstrdup(source->alias),
		.fingerprint = xstrdup(source->fingerprint),
	};
}

int image_source_check(const struct image_source *source, struct err *err)
{
	const char *fingerprint = source->fingerprint;
	int r = image_server_check(source->server, err);

	if (r < 0)
		return r;
	if (!source->alias && !fingerprint)
		return err_kind(err, ERR_INVALID, "source: fingerprint or alias is missing");
	if (fingerprint && (!*fingerprint || !str_only(fingerprint, "0123456789abcdef")))
		return err_kind(err, ERR_INVALID, "source: \"%s\" is no fingerprint", fingerprint);
	return source->alias ? name_validate(NAME_IMAGE_ALIAS, source->alias, err) : 0;
}

/* What is asked for; fits the fetch and the flight. New string. */
static char *source_key(const struct image_source *source)
{
	return xasprintf("%s %s", source->server,
			 source->fingerprint ? source->fingerprint : source->alias);
}

static bool came_from(const struct image_record *image, const struct image_source *source)
{
	return streq(image->source_protocol, "simplestreams") &&
	       streq(image->source_server, source->server) &&
	       streq(image->source_alias, source->alias);
}

struct image_record *image_by_source(struct core *core, const struct image_source *source)
{
	_cleanup_(freep) char *key = source_key(source);
	const char *fingerprint = strmap_get(&core->pulled, key);
	struct image_record *image = fingerprint ? strmap_get(&core->images, fingerprint) : NULL;

	if (image)
		return image;
	if (source->fingerprint) {
		struct err err = { 0 };

		return image_find(core, source->fingerprint, &image, &err) == 0 ? image : NULL;
	}
	strmap_for_each(entry, &core->images)
	{
		struct image_record *other = entry->value;

		if (came_from(other, source) &&
		    (!image || other->uploaded_wall_ns > image->uploaded_wall_ns))
			image = other;
	}
	return image;
}

/* ---- the flight ---- */

struct flight_args {
	struct image_source source;
	char *fingerprint; /* what the server has */
	bool split;
};

static void flight_args_free(void *data)
{
	struct flight_args *args = data;

	image_source_done(&args->source);
	free(args->fingerprint);
	free(args);
}

static char *cache_file(const struct core *core, const char *fingerprint, const char *suffix)
{
	return xasprintf("%s/images/cache/%s%s", core->dirs.state, fingerprint, suffix);
}

static void remember(struct core *core, const struct flight_args *args)
{
	_cleanup_(freep) char *key = source_key(&args->source);

	strmap_set(&core->pulled, key, args->fingerprint);
}

/* The report comes from a helper that has spoken with the server: checked like anything else. */
static enum op_next fetched(struct op *op, const struct job_report *report)
{
	struct flight_args *args = op->args;
	const char *fingerprint = strmap_get(&report->result, "fingerprint");

	if (op->err.code < 0)
		return OP_FAIL;
	if (name_validate(NAME_FINGERPRINT, fingerprint ? fingerprint : "", &op->err) < 0)
		return OP_FAIL;
	args->fingerprint = xstrdup(fingerprint);
	args->split = streq(strmap_get(&report->result, "format"), "split");
	if (strmap_has(&op->core->images, fingerprint))
		remember(op->core, args);
	return OP_NEXT;
}

/* What came from there last: an older one would be no new version. */
static const char *newest_version(struct core *core, const struct image_source *source)
{
	const struct image_record *image =
		source->fingerprint ? NULL : image_by_source(core, source);

	return image ? strmap_get(&image->properties, "serial") : NULL;
}

static enum op_next step_fetch(struct op *op)
{
	const struct flight_args *args = op->args;
	const char *newest = newest_version(op->core, &args->source);
	struct job job = { .kind = JOB_STREAMS_FETCH };
	struct utsname host;
	enum op_next next;

	if (uname(&host) < 0) {
		(void)err_set(&op->err, -errno, "ask for the host's architecture");
		return OP_FAIL;
	}
	image_store_fill_job(op->core, &job);
	job.url = xstrdup(args->source.server);
	job.fingerprint = xstrdup(args->source.fingerprint);
	strmap_set(&job.variables, "architecture", host.machine);
	if (args->source.alias)
		strmap_set(&job.variables, "alias", args->source.alias);
	if (newest)
		strmap_set(&job.variables, "newest", newest);
	strmap_for_each(entry, &op->core->images)
	{
		_cleanup_(freep) char *have = xasprintf("have.%s", entry->key);

		strmap_set(&job.variables, have, "");
	}
	next = job_run(op, &job, -EBADF, fetched);
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next stored(struct op *op, const struct job_report *report)
{
	const struct flight_args *args = op->args;
	_cleanup_(image_record_freep) struct image_record *given = image_record_new("");

	if (op->err.code < 0)
		return OP_FAIL;
	given->cached = true;
	given->source_protocol = xstrdup("simplestreams");
	given->source_server = xstrdup(args->source.server);
	given->source_alias = xstrdup(args->source.alias);
	if (image_store_add(op, report, given, &op->err) < 0)
		return OP_FAIL;
	remember(op->core, args);
	op_no_return(op);
	return OP_NEXT;
}

static bool is_here(const struct op *op)
{
	const struct flight_args *args = op->args;

	return strmap_has(&op->core->images, args->fingerprint);
}

static enum op_next step_store(struct op *op)
{
	const struct flight_args *args = op->args;
	struct job job = { .kind = JOB_IMAGE_STORE };
	enum op_next next;

	if (is_here(op))
		return OP_NEXT;
	image_store_fill_job(op->core, &job);
	job.fingerprint = xstrdup(args->fingerprint);
	job.src = cache_file(op->core, args->fingerprint, "");
	if (args->split)
		job.src_rootfs = cache_file(op->core, args->fingerprint, ".rootfs");
	next = job_run(op, &job, -EBADF, stored);
	wire_free(&job_schema, &job);
	return next;
}

/* Also when the image was here before: a daemon killed after "store" left the files. */
static enum op_next step_tidy(struct op *op)
{
	const struct flight_args *args = op->args;
	struct job job = { .kind = JOB_IMAGE_DELETE };
	enum op_next next;

	job.src = cache_file(op->core, args->fingerprint, "");
	next = job_run(op, &job, -EBADF, NULL);
	wire_free(&job_schema, &job);
	return next;
}

/* Nothing of an image that is refused stays. */
static enum op_next undo_fetch(struct op *op)
{
	const struct flight_args *args = op->args;

	return args->fingerprint ? step_tidy(op) : OP_NEXT;
}

static const struct op_step flight_steps[] = {
	{ "fetch", step_fetch, undo_fetch },
	{ "store", step_store, NULL },
	{ "tidy", step_tidy, NULL },
	{ 0 },
};
static const struct op_table flight_table = { "image-pull", flight_steps };

static struct op *start_flight(struct core *core, const void *arg, struct err *err)
{
	struct flight_args *args = xcalloc(1, sizeof(*args));
	struct op *op;

	args->source = copy_source(arg);
	op = op_new(core, OP_TASK, "Downloading image", args, flight_args_free, err);
	if (!op)
		return NULL;
	op_add_table(op, &flight_table);
	op_start(op);
	return op;
}

enum op_next image_ask_server(struct op *op, const struct image_source *source)
{
	_cleanup_(freep) char *key = source_key(source);
	_cleanup_(freep) char *flight = xasprintf("pull/%s", key);

	return flight_join(op, flight, start_flight, source);
}

enum op_next image_ensure_pulled(struct op *op, const struct image_source *source)
{
	return image_by_source(op->core, source) ? OP_NEXT : image_ask_server(op, source);
}

/* ---- asked for by name ---- */

void image_pull_free(struct image_pull *pull)
{
	if (!pull)
		return;
	image_source_done(&pull->source);
	image_record_free(pull->given);
	free(pull);
}

static void free_pull(void *data)
{
	image_pull_free(data);
}

static enum op_next step_pull(struct op *op)
{
	const struct image_pull *pull = op->args;

	return image_ask_server(op, &pull->source);
}

static struct image_record *merge(const struct image_record *image, const struct image_pull *pull)
{
	struct image_record *record = image_record_copy(image);
	const struct image_record *given = pull->given;

	record->cached = false;
	record->public |= given->public;
	record->auto_update |= given->auto_update;
	strmap_merge(&record->properties, &given->properties);
	if (given->profiles) {
		(void)strv_free(record->profiles);
		record->profiles = strv_copy((const char *const *)given->profiles);
	}
	if (pull->source.alias) {
		replace_str(&record->source_protocol, "simplestreams");
		replace_str(&record->source_server, pull->source.server);
		replace_str(&record->source_alias, pull->source.alias);
	}
	return record;
}

static enum op_next step_record(struct op *op)
{
	const struct image_pull *pull = op->args;
	const struct image_record *image = image_by_source(op->core, &pull->source);
	_cleanup_(image_record_freep) struct image_record *record = NULL;
	int r;

	if (!image) {
		(void)err_kind(&op->err, ERR_CONFLICT, "the image was deleted meanwhile");
		return OP_FAIL;
	}
	record = merge(image, pull);
	r = image_update(op->core, record, &op->err);
	for (size_t i = 0; r == 0 && i < pull->given->aliases.len; i++) {
		const struct image_alias *alias = &pull->given->aliases.items[i];

		r = image_alias_update(op->core, alias->name, alias->description,
				       record->fingerprint, &op->err);
	}
	strmap_set(&op->metadata, "fingerprint", record->fingerprint);
	strmap_set_take(&op->metadata, "size", xasprintf("%" PRIu64, record->size_bytes));
	op_add_resource(op, "images", record->fingerprint);
	return op_result(r);
}

static const struct op_step pull_steps[] = {
	{ "pull", step_pull, NULL },
	{ "record", step_record, NULL },
	{ 0 },
};
static const struct op_table pull_table = { "image-copy", pull_steps };

int image_pull(struct core *core, struct image_pull *pull, struct op **ret_op, struct err *err)
{
	struct op *op;
	int r = core_check_open(core, err);

	if (r == 0)
		r = image_source_check(&pull->source, err);
	if (r < 0) {
		image_pull_free(pull);
		return r;
	}
	op = op_new(core, OP_TASK, "Downloading image", pull, free_pull, err);
	if (!op)
		return -EBUSY;
	op_add_table(op, &pull_table);
	op_start(op);
	*ret_op = op;
	return 0;
}
