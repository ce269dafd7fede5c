/* worker/job_image_delete.c - JOB_IMAGE_DELETE: an image's volume in a pool, its files, or both */
#include <errno.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "storage/pool.h"
#include "worker/jobs.h"

static int delete_volume(const struct job *job, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -1 };
	char trash[UUID_LEN];

	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &pool, err);
	if (r < 0)
		return r;
	r = pool.driver->volume_hide(&pool, VOLUME_IMAGE, job->image, trash, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return pool.driver->volume_free(&pool, trash, err);
}

static int delete_file(const char *path, struct err *err)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(err, -errno, "remove \"%s\"", path);
	return 0;
}

/* The file of @src, and the second one of a split image. */
static int delete_files(const char *src, struct err *err)
{
	_cleanup_(freep) char *rootfs = xasprintf("%s.rootfs", src);

	int r = delete_file(src, err);
	return r < 0 ? r : delete_file(rootfs, err);
}

int job_image_delete(const struct job *job, struct report *report, struct err *err)
{
	(void)report;
	if (!job->src && !job->image)
		return err_kind(err, ERR_INVALID, "image-delete: neither a volume nor files");
	if (job->image && job->pool.dir) {
		int r = delete_volume(job, err);
		if (r < 0)
			return r;
	}
	return job->src ? delete_files(job->src, err) : 0;
}
