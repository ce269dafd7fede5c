/* unpack/job_image_unpack.c - JOB_IMAGE_UNPACK: stored files to an image volume of a pool */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "image/unpack.h"
#include "os/fd.h"
#include "storage/pool.h"
#include "unpack/guard.h"
#include "unpack/jobs.h"

/* In the sandbox. */
static int unpack_body(void *data, struct report *report, struct err *err)
{
	return unpack_rootfs(data, report, err);
}

/* The file with the root file system. Returns: descriptor or -errno. */
static int open_source(const struct job *job, struct err *err)
{
	const char *path = job->src_rootfs ? job->src_rootfs : job->src;
	struct stat st;

	if (!path)
		return err_kind(err, ERR_INVALID, "image-unpack: no file to unpack");
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "open \"%s\"", path);
	if (!S_ISREG(st.st_mode))
		return err_kind(err, ERR_INVALID, "\"%s\" is no regular file", path);
	return TAKE_FD(fd);
}

static int fill_stage(const struct job *job, const struct pool *pool, const struct stage *stage,
		      struct report *report, struct err *err)
{
	_cleanup_(fd_closep) int fd = open_source(job, err);

	if (fd < 0)
		return fd;
	struct unpack_source source = {
		.fd = fd,
		.is_rootfs = job->src_rootfs != NULL,
		.max_bytes = job->size_bytes,
		.reserve_bytes = job->reserve_bytes,
	};
	struct guard_job guard = {
		.name = "image-unpack",
		.id_base = job->id_base,
		.id_count = job->id_count,
		.root_fd = stage->root_fd,
		.root_path = pool->dir,
		.keep_fds = &fd,
		.n_keep_fds = 1,
	};
	return guard_run(&guard, unpack_body, &source, report, err);
}

static int unpack_image(const struct job *job, struct pool *pool, struct report *report,
			struct err *err)
{
	struct stage stage;

	int r = pool->driver->image_begin(pool, job->image, &stage, err);
	if (r != 0)
		return MIN(r, 0); /* there already: S3 */
	report_stage(report, "unpack");
	r = fill_stage(job, pool, &stage, report, err);
	if (r < 0) {
		/* the reason counts, not what else goes wrong */
		(void)pool->driver->image_abort(pool, &stage, NULL);
		return r;
	}
	r = pool->driver->image_commit(pool, &stage, err);
	return MIN(r, 0);
}

int job_image_unpack(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -EBADF };

	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &pool, err);
	if (r == 0)
		r = unpack_image(job, &pool, report, err);
	if (r < 0 && r != -ECANCELED && job->image)
		return err_wrap(err, "unpack image %.12s", job->image);
	return r;
}
