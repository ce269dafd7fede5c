/* worker/job_snapshot_diff.c - JOB_SNAPSHOT_DIFF: records "A/path" NUL, "C/path" NUL ... to stdout */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macro.h"
#include "os/fd.h"
#include "storage/diff.h"
#include "worker/jobs.h"

enum {
	FLUSH_BYTES = 64 << 10,
	OUT_BYTES_MAX = 64 << 20
};

struct out {
	struct buf buf;
	size_t written;
};

static bool ask_report(void *data)
{
	return report_cancelled(data);
}

static int flush(struct out *out, struct err *err)
{
	int r = fd_write_all(STDOUT_FILENO, out->buf.data, out->buf.len);

	if (r < 0)
		return err_set(err, r, "write the differences");
	out->written += out->buf.len;
	buf_consume(&out->buf, out->buf.len);
	return 0;
}

static int add(void *data, enum diff_kind kind, const char *path, struct err *err)
{
	struct out *out = data;

	buf_add_char(&out->buf, diff_letter(kind));
	buf_add(&out->buf, path, strlen(path) + 1);
	if (out->written + out->buf.len > OUT_BYTES_MAX)
		return err_set(err, -EFBIG, "there are too many differences");
	return out->buf.len >= FLUSH_BYTES ? flush(out, err) : 0;
}

int job_snapshot_diff(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -EBADF };
	const struct diff_request request = {
		.old = job->snapshot,
		.new_kind = job->snapshots ? VOLUME_SNAPSHOT : VOLUME_INSTANCE,
		.new = job->snapshots ? job->snapshots[0] : job->volume,
		.old_image = job->fingerprint,
		.new_image = job->image,
	};
	struct out out = { 0 };
	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &pool, err);

	if (r < 0)
		return r;
	pool.cancel = ask_report;
	pool.cancel_data = report;
	r = volume_diff(&pool, &request, add, &out, err);
	if (r == 0 && out.buf.len > 0)
		r = flush(&out, err);
	buf_done(&out.buf);
	return r;
}
