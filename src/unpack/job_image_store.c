/* unpack/job_image_store.c - JOB_IMAGE_STORE: bytes to files, hashed, then inspected in the sandbox */
#include <errno.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/mem.h"
#include "image/inspect.h"
#include "image/store.h"
#include "os/fd.h"
#include "unpack/guard.h"
#include "unpack/jobs.h"
#include "unpack/store_image.h"

/* In the sandbox. */
static int inspect_body(void *data, struct report *report, struct err *err)
{
	struct inspection inspection = { 0 };

	int r = inspect_image(data, report, &inspection, err);
	if (r == 0)
		inspection_report(&inspection, report);
	inspection_done(&inspection);
	return r;
}

static int inspect(const struct job *job, const struct store *store, struct report *report,
		   struct err *err)
{
	_cleanup_(fd_closep) int fd = store_open(store, 0, err);
	_cleanup_(fd_closep) int rootfs_fd = -EBADF;

	if (fd < 0)
		return fd;
	if (store_is_split(store)) {
		rootfs_fd = store_open(store, 1, err);
		if (rootfs_fd < 0)
			return rootfs_fd;
	}
	const int keep[] = { fd, rootfs_fd };
	struct inspect_files files = { .fd = fd,
				       .rootfs_fd = rootfs_fd,
				       .properties = &job->properties };
	struct guard_job guard = {
		.name = "image-inspect",
		.id_base = job->id_base,
		.id_count = job->id_count,
		.root_fd = -EBADF,
		.keep_fds = keep,
		.n_keep_fds = rootfs_fd >= 0 ? 2 : 1,
	};
	return guard_run(&guard, inspect_body, &files, report, err);
}

static void report_files(const struct store *store, const char *dir, struct report *report)
{
	_cleanup_(freep) char *file = xasprintf("%s/%s", dir, store->fingerprint);
	char size[32];

	(void)snprintf(size, sizeof(size), "%llu",
		       (unsigned long long)(store->files[0].size_bytes +
					    store->files[1].size_bytes));
	report_result(report, "fingerprint", store->fingerprint);
	report_result(report, "size", size);
	report_result(report, "file", file);
}

static int store_image(const struct job *job, struct store *store, struct report *report,
		       struct err *err)
{
	const struct store_input input = { job->src, job->src_rootfs, job->boundary, 0 };

	store->reserve_bytes = job->reserve_bytes;
	store->max_bytes = job->size_bytes;
	report_stage(report, "store");
	int r = store_take(store, &input, err);
	if (r == 0)
		r = fingerprint_check(job->fingerprint, store->fingerprint, err);
	return r < 0 ? r : store_image_finish(job, store, report, err);
}

int store_image_finish(const struct job *job, struct store *store, struct report *report,
		       struct err *err)
{
	bool split = store_is_split(store);

	report_stage(report, "inspect");
	int r = inspect(job, store, report, err);
	if (r == 0)
		r = store_keep(store, err);
	if (r < 0)
		return r;
	report_files(store, job->dir, report);
	report_result(report, "format", split ? "split" : "unified");
	if (split) {
		_cleanup_(freep) char *path =
			xasprintf("%s/%s.rootfs", job->dir, store->fingerprint);
		report_result(report, "rootfs_file", path);
	}
	return 0;
}

int job_image_store(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(store_done) struct store store = { .dir_fd = -EBADF };

	store.files[0].fd = store.files[1].fd = -EBADF;
	int r = store_init(job->dir, report, &store, err);
	if (r == 0)
		r = store_image(job, &store, report, err);
	return r;
}
