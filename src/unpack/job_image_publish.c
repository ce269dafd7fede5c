/* unpack/job_image_publish.c - JOB_IMAGE_PUBLISH: an instance's volume to an image file */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/time.h"
#include "image/pack.h"
#include "image/store.h"
#include "os/fd.h"
#include "unpack/jobs.h"
#include "unpack/pack.h"
#include "unpack/store_image.h"

static int take(struct packing *packing, struct store *store, int fd, struct report *report,
		struct err *err)
{
	const struct store_input input = { .fd = fd };
	int r = store_take(store, &input, err);

	/* the reason of a stream that ended too early is with who wrote it */
	if (r == 0 || r == -EINVAL)
		r = pack_wait(packing, report, err);
	return r;
}

static int pack(const struct job *job, struct root *root, struct store *store,
		struct report *report, struct err *err)
{
	static const char *const members[] = { "metadata.yaml", "rootfs", NULL };
	struct packing packing;
	struct buf text = { 0 };
	int ends[2];

	int r = fd_pipe(ends);
	if (r < 0)
		return err_set(err, r, "make a pipe");
	_cleanup_(fd_closep) int read_fd = ends[0];
	_cleanup_(fd_closep) int write_fd = ends[1];
	pack_metadata(strmap_get(&job->variables, "architecture"), &job->properties,
		      time_wall_ns() / NS_PER_S, &text);
	const struct pack_file file = { "metadata.yaml", buf_str(&text) };
	const struct pack_plan plan = {
		.root = "rootfs",
		.files = &file,
		.n_files = 1,
		.members = members,
		.compression = strmap_get(&job->variables, "compression"),
		.scrub = true,
		.id_base = job->id_base,
		.id_count = job->id_count,
		.out_fd = write_fd,
	};
	report_stage(report, "pack");
	r = pack_start(root, &plan, &packing, err);
	write_fd = fd_close(write_fd);
	if (r == 0)
		r = take(&packing, store, read_fd, report, err);
	pack_done(&packing);
	buf_done(&text);
	return r;
}

int job_image_publish(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(store_done) struct store store = { .dir_fd = -EBADF };
	_cleanup_(root_close) struct root root = { .fd = -EBADF };

	store.files[0].fd = store.files[1].fd = -EBADF;
	int r = store_init(job->dir, report, &store, err);
	store.reserve_bytes = job->reserve_bytes;
	if (r == 0)
		r = root_open(job, &root, err);
	if (r == 0)
		r = pack(job, &root, &store, report, err);
	return r < 0 ? r : store_image_finish(job, &store, report, err);
}
