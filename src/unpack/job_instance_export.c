/* unpack/job_instance_export.c - JOB_INSTANCE_EXPORT: a volume as a backup to standard output */
#include <errno.h>
#include <unistd.h>

#include "base/macro.h"
#include "os/fd.h"
#include "unpack/jobs.h"
#include "unpack/pack.h"

int job_instance_export(const struct job *job, struct report *report, struct err *err)
{
	/* the index first: a reader of a stream needs it before the rest */
	static const char *const members[] = { "backup/index.yaml", "backup/container", NULL };
	_cleanup_(root_close) struct root root = { .fd = -EBADF };
	const struct pack_file files[] = {
		{ "backup/index.yaml", strmap_get(&job->variables, "index") },
		{ "backup/container/backup.yaml", strmap_get(&job->variables, "backup") },
	};
	/* the sandbox's own standard output is its log */
	_cleanup_(fd_closep) int out_fd = fd_copy(STDOUT_FILENO, STDERR_FILENO + 1);
	const struct pack_plan plan = {
		.root = "backup/container/rootfs",
		.files = files,
		.n_files = ARRAY_LEN(files),
		.members = members,
		.compression = strmap_get(&job->variables, "compression"),
		.id_base = job->id_base,
		.id_count = job->id_count,
		.out_fd = out_fd,
	};
	struct packing packing;

	if (!files[0].text || !files[1].text)
		return err_kind(err, ERR_INVALID, "instance-export: no index");
	if (out_fd < 0)
		return err_set(err, out_fd, "copy the descriptor of the backup");
	int r = root_open(job, &root, err);
	if (r < 0)
		return r;
	report_stage(report, "pack");
	r = pack_start(&root, &plan, &packing, err);
	/* the reader sees the end when the last writer is gone, and that is tar */
	out_fd = fd_close(out_fd);
	(void)close(STDOUT_FILENO);
	if (r == 0)
		r = pack_wait(&packing, report, err);
	pack_done(&packing);
	return r;
}
