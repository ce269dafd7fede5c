/* core/image.c - see image.h */
#include "core/image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "aio/loop.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/flight.h"
#include "core/image_store.h"
#include "core/inst.h"
#include "core/job.h"
#include "core/pool.h"
#include "core/template.h"
#include "db/images.h"
#include "os/fd.h"
#include "spec/names.h"

int image_find(struct core *core, const char *prefix, struct image_record **ret_image,
	       struct err *err)
{
	struct image_record *found = NULL;

	strmap_for_each(entry, &core->images)
	{
		if (!*prefix || !str_after(entry->key, prefix))
			continue;
		if (found)
			return err_kind(err, ERR_INVALID,
					"fingerprint prefix \"%s\" is that of several images",
					prefix);
		found = entry->value;
	}
	if (!found)
		return err_kind(err, ERR_NOT_FOUND, "Image not found: \"%s\"", prefix);
	*ret_image = found;
	return 0;
}

static const struct image_alias *find_alias(const struct image_record *image, const char *name)
{
	vec_for_each(alias, &image->aliases)
		if (streq(alias->name, name))
			return alias;
	return NULL;
}

struct image_record *image_by_alias(struct core *core, const char *alias)
{
	strmap_for_each(entry,
			&core->images) if (find_alias(entry->value, alias)) return entry->value;
	return NULL;
}

/* Everything that could have been meant, for "did you mean". strv, owned by the caller. */
static char **known_names(struct core *core)
{
	char **names = template_names(core);

	strmap_for_each(entry, &core->images)
	{
		const struct image_record *image = entry->value;

		vec_for_each(alias, &image->aliases)
			strv_push(&names, alias->name);
	}
	return names;
}

int image_resolve(struct core *core, const char *what, struct image_record **ret_image,
		  struct err *err)
{
	_cleanup_(strv_freep) char **names = NULL;
	const char *near;

	*ret_image = image_by_alias(core, what);
	if (*ret_image)
		return 0;
	if (name_validate(NAME_IMAGE_ALIAS, what, err) < 0)
		return -EINVAL;
	if (strspn(what, "0123456789abcdef") == strlen(what) &&
	    image_find(core, what, ret_image, err) != -ENOENT)
		return *ret_image ? 0 : -EINVAL;
	if (template_exists(core, what))
		return err_kind(err, ERR_NOT_FOUND,
				"image \"%s\" is not built yet: sysctr image build %s", what, what);
	names = known_names(core);
	near = str_nearest(what, (const char *const *)names);
	if (near)
		return err_kind(err, ERR_NOT_FOUND,
				"no image or template is called \"%s\"; did you mean \"%s\"?", what,
				near);
	return err_kind(err, ERR_NOT_FOUND,
			"no image or template is called \"%s\"; see: sysctr image list", what);
}

char *image_file(const struct core *core, const char *fingerprint, bool rootfs)
{
	return xasprintf("%s/images/%s%s", core->dirs.state, fingerprint, rootfs ? ".rootfs" : "");
}

/* ---- unpacking ---- */

struct unpack_args {
	char *pool;
	char *fingerprint;
};

static void unpack_args_free(void *data)
{
	struct unpack_args *args = data;

	free(args->pool);
	free(args->fingerprint);
	free(args);
}

static char *volume_key(const char *pool, const char *fingerprint)
{
	return xasprintf("%s/%s", pool, fingerprint);
}

static enum op_next step_unpack(struct op *op)
{
	const struct unpack_args *args = op->args;
	const struct image_record *image = strmap_get(&op->core->images, args->fingerprint);
	struct job job = { .kind = JOB_IMAGE_UNPACK };
	enum op_next next;

	if (!image) {
		(void)err_kind(&op->err, ERR_NOT_FOUND, "image %.12s was deleted",
			       args->fingerprint);
		return OP_FAIL;
	}
	if (pool_fill_job(op->core, args->pool, &job, &op->err) < 0)
		return OP_FAIL;
	job.image = xstrdup(args->fingerprint);
	job.src = image_file(op->core, args->fingerprint, false);
	if (image->format == IMAGE_SPLIT)
		job.src_rootfs = image_file(op->core, args->fingerprint, true);
	next = job_run(op, &job, -EBADF, NULL);
	wire_free(&job_schema, &job);
	return next;
}

int image_volume_found(struct core *core, const char *pool, const char *fingerprint,
		       struct err *err)
{
	_cleanup_(freep) char *key = volume_key(pool, fingerprint);
	int r = 0;

	if (strmap_has(&core->image_volumes, key))
		return 0;
	r = db_image_volume_insert(core->db, pool, fingerprint, err);
	if (r == 0)
		strmap_set(&core->image_volumes, key, "");
	return r;
}

static enum op_next step_record_volume(struct op *op)
{
	const struct unpack_args *args = op->args;

	return op_result(image_volume_found(op->core, args->pool, args->fingerprint, &op->err));
}

static const struct op_step unpack_steps[] = {
	{ "unpack", step_unpack, NULL },
	{ "record", step_record_volume, NULL },
	{ 0 },
};
static const struct op_table unpack_table = { "image-unpack", unpack_steps };

static struct op *start_unpack(struct core *core, const void *arg, struct err *err)
{
	const struct unpack_args *wanted = arg;
	struct unpack_args *args = xcalloc(1, sizeof(*args));
	struct op *op;

	args->pool = xstrdup(wanted->pool);
	args->fingerprint = xstrdup(wanted->fingerprint);
	op = op_new(core, OP_TASK, "Unpacking image", args, unpack_args_free, err);
	if (!op)
		return NULL;
	op_add_resource(op, "images", args->fingerprint);
	op_add_table(op, &unpack_table);
	op_start(op);
	return op;
}

enum op_next image_ensure_volume(struct op *op, const char *pool, const char *fingerprint)
{
	_cleanup_(freep) char *key = volume_key(pool, fingerprint);
	_cleanup_(freep) char *flight = xasprintf("unpack/%s", key);
	struct unpack_args wanted = { .pool = (char *)pool, .fingerprint = (char *)fingerprint };

	if (strmap_has(&op->core->image_volumes, key))
		return OP_NEXT;
	if (image_volume_await_deleted(op, key) == OP_WAIT)
		return OP_WAIT;
	return flight_join(op, flight, start_unpack, &wanted);
}

/* ---- building on demand ---- */

static struct op *start_build(struct core *core, const void *arg, struct err *err)
{
	struct op *op = NULL;

	return template_build(core, arg, NULL, NULL, &op, err) < 0 ? NULL : op;
}

enum op_next image_ensure(struct op *op, const char *what)
{
	struct image_record *image;
	_cleanup_(freep) char *flight = xasprintf("build/%s", what);
	int r = image_resolve(op->core, what, &image, &op->err);

	if (r == 0)
		return OP_NEXT;
	if (r != -ENOENT || !template_exists(op->core, what))
		return OP_FAIL;
	op->err = (struct err){ 0 };
	return flight_join(op, flight, start_build, what);
}

int image_build(struct core *core, const char *name, const char *yaml, const char *alias,
		struct op **ret_op, struct err *err)
{
	int r = core_check_open(core, err);

	return r < 0 ? r : template_build(core, name, yaml, alias, ret_op, err);
}

/* ---- editing ---- */

int image_used(struct core *core, struct image_record *image, struct err *err)
{
	int64_t now = aio_wall_now(core->loop);
	int r = db_image_set_last_used(core->db, image->id, now, err);

	if (r == 0)
		image->last_used_wall_ns = now;
	return r;
}

int image_update(struct core *core, const struct image_record *record, struct err *err)
{
	int r = image_record_validate(record, err);

	if (r == 0)
		r = db_image_update(core->db, record, err);
	if (r < 0)
		return r;
	strmap_set_take(&core->images, record->fingerprint, image_record_copy(record));
	events_publish_lifecycle(&core->events, "image-updated", "images", record->fingerprint);
	return 0;
}

int image_alias_create(struct core *core, const char *name, const char *description,
		       const char *fingerprint, struct err *err)
{
	int r = name_validate(NAME_IMAGE_ALIAS, name, err);

	if (r < 0)
		return r;
	if (image_by_alias(core, name))
		return err_kind(err, ERR_CONFLICT, "image alias \"%s\" exists already", name);
	return image_alias_update(core, name, description, fingerprint, err);
}

int image_alias_update(struct core *core, const char *name, const char *description,
		       const char *fingerprint, struct err *err)
{
	struct image_record *image, *holder = image_by_alias(core, name);
	int r = image_find(core, fingerprint, &image, err);

	if (r == 0)
		r = db_image_alias_set(core->db, image->id, name, description, err);
	if (r < 0)
		return r;
	if (holder)
		(void)image_record_remove_alias(holder, name);
	image_record_add_alias(image, name, description);
	events_publish_lifecycle(&core->events,
				 holder ? "image-alias-updated" : "image-alias-created",
				 "images/aliases", name);
	return 0;
}

static int need_alias(struct core *core, const char *name, struct image_record **ret_holder,
		      struct err *err)
{
	*ret_holder = image_by_alias(core, name);
	if (!*ret_holder)
		return err_kind(err, ERR_NOT_FOUND, "Image alias not found: \"%s\"", name);
	return 0;
}

int image_alias_rename(struct core *core, const char *name, const char *new_name, struct err *err)
{
	struct image_record *holder;
	_cleanup_(freep) char *description = NULL;
	int r = name_validate(NAME_IMAGE_ALIAS, new_name, err);

	if (r == 0)
		r = need_alias(core, name, &holder, err);
	if (r < 0)
		return r;
	if (image_by_alias(core, new_name))
		return err_kind(err, ERR_CONFLICT, "image alias \"%s\" exists already", new_name);
	r = db_image_alias_rename(core->db, name, new_name, err);
	if (r < 0)
		return r;
	description = xstrdup(find_alias(holder, name)->description);
	(void)image_record_remove_alias(holder, name);
	image_record_add_alias(holder, new_name, description);
	events_publish_lifecycle(&core->events, "image-alias-renamed", "images/aliases", new_name);
	return 0;
}

int image_alias_delete(struct core *core, const char *name, struct err *err)
{
	struct image_record *holder;
	int r = need_alias(core, name, &holder, err);

	if (r == 0)
		r = db_image_alias_delete(core->db, name, err);
	if (r < 0)
		return r;
	(void)image_record_remove_alias(holder, name);
	events_publish_lifecycle(&core->events, "image-alias-deleted", "images/aliases", name);
	return 0;
}
