/* unpack/job_backup_store.c - JOB_BACKUP_STORE and _INSPECT: an upload to a file, and its index */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/macro.h"
#include "base/mem.h"
#include "image/backup.h"
#include "os/fd.h"
#include "unpack/guard.h"
#include "unpack/jobs.h"

enum {
	BLOCK_BYTES = 256 * 1024,
	SPACE_EVERY_BYTES = 8 << 20
};

static int check_space(const struct job *job, struct err *err)
{
	char have[FMT_BYTES_LEN], keep[FMT_BYTES_LEN];
	struct statvfs fs;

	if (fstatvfs(STDOUT_FILENO, &fs) < 0)
		return err_set(err, -errno, "ask for the free space");
	uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (free_bytes >= job->reserve_bytes)
		return 0;
	(void)err_kind(err, ERR_UNAVAILABLE,
		       "not enough space for the upload: %s are free, %s must stay free",
		       fmt_bytes(have, free_bytes), fmt_bytes(keep, job->reserve_bytes));
	err->code = -ENOSPC;
	return -ENOSPC;
}

/* Returns: bytes moved, 0 at the end, -errno. */
static ssize_t move_block(char *block, struct report *report, struct err *err)
{
	int r = report_wait(report, STDIN_FILENO, POLLIN, -1);

	if (r == -ECANCELED)
		return report_cancel_err(err);
	ssize_t n = r < 0 ? r : read(STDIN_FILENO, block, BLOCK_BYTES);
	if (n < 0)
		return err_set(err, r < 0 ? r : -errno, "read the upload");
	r = fd_write_all(STDOUT_FILENO, block, (size_t)n);
	return r < 0 ? err_set(err, r, "store the upload") : n;
}

int job_backup_store(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(freep) char *block = xmalloc(BLOCK_BYTES);
	uint64_t done = 0, looked = 0;
	int r = check_space(job, err);

	while (r == 0) {
		ssize_t n = move_block(block, report, err);

		if (n <= 0)
			return (int)n;
		done += (uint64_t)n;
		report_progress(report, "upload", done, 0);
		if (done - looked < SPACE_EVERY_BYTES)
			continue;
		looked = done;
		r = check_space(job, err);
	}
	return r;
}

/* ---- the index ---- */

struct inspection {
	int out_fd;
	bool custom;
};

/* In the sandbox. */
static int inspect_body(void *data, struct report *report, struct err *err)
{
	const struct inspection *what = data;
	struct backup_index index = { 0 };
	struct buf bytes = { 0 };

	int r = backup_read_index(STDIN_FILENO, what->custom, report, &index, err);
	if (r == 0) {
		wire_encode(&backup_index_schema, &index, &bytes);
		if (bytes.len > BACKUP_INDEX_BYTES_MAX)
			r = err_kind(err, ERR_INVALID, "the index of the backup is too long");
	}
	if (r == 0) {
		r = fd_write_all(what->out_fd, bytes.data, bytes.len);
		if (r < 0)
			(void)err_set(err, r, "hand over the index of the backup");
	}
	buf_done(&bytes);
	wire_free(&backup_index_schema, &index);
	return r;
}

int job_backup_inspect(const struct job *job, struct report *report, struct err *err)
{
	/* the sandbox's own standard output is its log */
	_cleanup_(fd_closep) int out_fd = fd_copy(STDOUT_FILENO, STDERR_FILENO + 1);
	struct inspection what = { out_fd, job->custom };
	const struct guard_job guard = {
		.name = "backup-inspect",
		.id_base = job->id_base,
		.id_count = job->id_count,
		.root_fd = -EBADF,
		.keep_fds = &out_fd,
		.n_keep_fds = 1,
	};

	if (out_fd < 0)
		return err_set(err, out_fd, "copy the descriptor of the index");
	report_stage(report, "inspect");
	return guard_run(&guard, inspect_body, &what, report, err);
}
