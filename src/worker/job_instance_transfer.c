/* worker/job_instance_transfer.c - JOB_INSTANCE_TRANSFER: an instance's root to another pool */
#include <errno.h>

#include "base/macro.h"
#include "base/str.h"
#include "base/uuid.h"
#include "os/layers.h"
#include "storage/pool.h"
#include "storage/transfer.h"
#include "worker/jobs.h"

static bool ask_report(void *data)
{
	return report_cancelled(data);
}

/* Each is complete when it is seen; what is there already is not made again (S3). */
static int make(const struct transfer *transfer, const char *name, struct err *err)
{
	const struct copy_request *request = &transfer->request;
	struct pool *to = transfer->to;
	char trash[UUID_LEN];
	int r = to->driver->volume_exists(to, request->kind, name, err);

	if (r != 0)
		return MIN(r, 0);
	r = transfer_volume(transfer, err);
	if (r == 0)
		r = to->driver->copy_commit(to, request->stage, request->kind, name, trash, err);
	return MIN(r, 0);
}

static int make_all(const struct job *job, struct pool *from, struct pool *to, struct err *err)
{
	char stage[UUID_LEN];
	struct transfer transfer = {
		.from = from,
		.to = to,
		.keep_layer = job->keep_layer,
		.unused = true,
		.request = { .kind = VOLUME_INSTANCE,
			     .volume = job->from_volume,
			     .image = job->image,
			     .stage = job->stage ? job->stage : uuid_new(stage) },
	};
	int r = make(&transfer, job->volume, err);

	for (size_t i = 0; i < job->properties.len && r == 0; i++) {
		const char *uuid = job->properties.items[i].key;
		const char *image = job->properties.items[i].value;

		transfer.request = (struct copy_request){ .kind = VOLUME_SNAPSHOT,
							  .volume = uuid,
							  .image = str_empty(image) ? NULL : image,
							  .stage = uuid };
		r = make(&transfer, uuid, err);
	}
	return r;
}

int job_instance_transfer(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool from = { .dir_fd = -EBADF };
	_cleanup_(pool_close) struct pool to = { .dir_fd = -EBADF };
	int r = layers_begin(err);

	report->stays = false; /* what it mounts goes with it */
	if (r == 0)
		r = pool_open(job->from_pool.name, job->from_pool.driver, job->from_pool.dir, &from,
			      err);
	if (r == 0)
		r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &to, err);
	if (r < 0)
		return r;
	to.cancel = ask_report;
	to.cancel_data = report;
	to.reserve_bytes = job->reserve_bytes;
	report_stage(report, "copy");
	return make_all(job, &from, &to, err);
}
