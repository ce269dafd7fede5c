/* core/image_store.c - see image_store.h; and uploads */
#include "core/image_store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "aio/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/image.h"
#include "core/job.h"
#include "core/pool.h"
#include "db/images.h"
#include "os/fd.h"
#include "spec/daemon_config.h"
#include "spec/idrange.h"

void image_store_fill_job(struct core *core, struct job *job)
{
	job->dir = xasprintf("%s/images", core->dirs.state);
	job->id_base = core->config->idmap_base;
	job->id_count = IDRANGE_COUNT;
	job->reserve_bytes = core->config->storage_reserve_bytes;
}

/* Seconds among the results. */
static int64_t result_wall_ns(const struct job_report *report, const char *key)
{
	return (int64_t)job_result_u64(report, key, INT64_MAX / NS_PER_S) * NS_PER_S;
}

static struct image_record *make_record(struct core *core, const struct job_report *report,
					const struct image_record *given)
{
	struct image_record *image = image_record_copy(given);

	replace_str(&image->fingerprint, strmap_get(&report->result, "fingerprint"));
	replace_str(&image->architecture, strmap_get(&report->result, "architecture"));
	image->format =
		streq(strmap_get(&report->result, "format"), "split") ? IMAGE_SPLIT : IMAGE_UNIFIED;
	image->size_bytes = job_result_size(report);
	image->created_wall_ns = result_wall_ns(report, "created");
	image->expires_wall_ns = result_wall_ns(report, "expiry");
	image->uploaded_wall_ns = aio_wall_now(core->loop);
	strmap_for_each(entry, &report->result)
	{
		const char *key = str_after(entry->key, "property.");

		if (key && !strmap_has(&image->properties, key))
			strmap_set(&image->properties, key, entry->value);
	}
	return image;
}

/* Aliases go to the new image, away from who had them. */
static void take_aliases(struct core *core, const struct image_record *image)
{
	vec_for_each(alias, &image->aliases) {
		struct image_record *holder = image_by_alias(core, alias->name);

		if (holder)
			(void)image_record_remove_alias(holder, alias->name);
	}
}

static int insert(struct core *core, struct image_record *image, struct err *err)
{
	int r = db_begin(core->db, err);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < image->aliases.len; i++)
		if (image_by_alias(core, image->aliases.items[i].name))
			r = db_image_alias_delete(core->db, image->aliases.items[i].name, err);
	if (r == 0)
		r = db_image_insert(core->db, image, err);
	return db_end(core->db, r, err);
}

int image_store_add(struct op *op, const struct job_report *report,
		    const struct image_record *given, struct err *err)
{
	_cleanup_(image_record_freep) struct image_record *image =
		make_record(op->core, report, given);
	const char *fingerprint = image->fingerprint;
	int r = image_record_validate(image, err);

	if (r < 0)
		return r;
	if (strmap_has(&op->core->images, fingerprint))
		return err_kind(err, ERR_CONFLICT, "Image with same fingerprint already exists");
	r = insert(op->core, image, err);
	if (r < 0)
		return r;
	strmap_set(&op->metadata, "fingerprint", fingerprint);
	strmap_set_take(&op->metadata, "size", xasprintf("%" PRIu64, image->size_bytes));
	op_add_resource(op, "images", fingerprint);
	take_aliases(op->core, image);
	events_publish_lifecycle(&op->core->events, "image-created", "images", fingerprint);
	strmap_set_take(&op->core->images, fingerprint, TAKE_PTR(image));
	return 0;
}

/* ---- uploads ---- */

void image_upload_free(struct image_upload *upload)
{
	if (!upload)
		return;
	(void)fd_close(upload->body_fd);
	free(upload->boundary);
	free(upload->filename);
	free(upload->fingerprint);
	strmap_done(&upload->properties);
	strv_free(upload->aliases);
	strv_free(upload->profiles);
	free(upload);
}

static void free_upload(void *data)
{
	image_upload_free(data);
}

static enum op_next uploaded(struct op *op, const struct job_report *report)
{
	const struct image_upload *upload = op->args;
	_cleanup_(image_record_freep) struct image_record *given = image_record_new("");

	if (op->err.code < 0)
		return OP_FAIL;
	given->filename = xstrdup(upload->filename);
	given->public = upload->public;
	given->profiles = strv_copy((const char *const *)upload->profiles);
	strmap_merge(&given->properties, &upload->properties);
	for (char **alias = upload->aliases; alias && *alias; alias++)
		image_record_add_alias(given, *alias, "");
	return op_result(image_store_add(op, report, given, &op->err));
}

static enum op_next step_store(struct op *op)
{
	struct image_upload *upload = op->args;
	struct job job = { .kind = JOB_IMAGE_STORE };
	enum op_next next;

	image_store_fill_job(op->core, &job);
	job.boundary = xstrdup(upload->boundary);
	job.fingerprint = xstrdup(upload->fingerprint);
	next = job_run(op, &job, TAKE_FD(upload->body_fd), uploaded);
	wire_free(&job_schema, &job);
	return next;
}

static const struct op_step upload_steps[] = {
	{ "store", step_store, NULL },
	{ 0 },
};
static const struct op_table upload_table = { "image-upload", upload_steps };

int image_upload(struct core *core, struct image_upload *upload, int *ret_body_fd,
		 struct op **ret_op, struct err *err)
{
	_cleanup_(fd_closep) int body_fd = -EBADF;
	struct op *op;
	int ends[2], r = core_check_open(core, err);

	upload->body_fd = -EBADF;
	if (r == 0) {
		r = fd_pipe(ends);
		if (r < 0)
			(void)err_set(err, r, "make a pipe for the image");
	}
	if (r < 0) {
		image_upload_free(upload);
		return r;
	}
	upload->body_fd = ends[0];
	body_fd = ends[1];
	op = op_new(core, OP_TASK, "Importing image", upload, free_upload, err);
	if (!op)
		return -EBUSY;
	op_add_table(op, &upload_table);
	op_start(op);
	*ret_body_fd = TAKE_FD(body_fd);
	*ret_op = op;
	return 0;
}
