/* core/upload.c - see upload.h */
#include "core/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "core/core.h"
#include "os/fd.h"
#include "spec/daemon_config.h"
#include "spec/idrange.h"

/* A job that works on the upload alone. */
static void fill_job(struct core *core, struct job *job)
{
	job->id_base = core->config->idmap_base;
	job->id_count = IDRANGE_COUNT;
	job->reserve_bytes = core->config->storage_reserve_bytes;
}

enum op_next upload_store(struct op *op, struct upload *upload)
{
	struct job job = { .kind = JOB_BACKUP_STORE };

	fill_job(op->core, &job);
	return job_run_io(op, &job, TAKE_FD(upload->body_fd), fd_copy(upload->file_fd, 3), NULL);
}

int upload_reopen(const struct upload *upload, struct err *err)
{
	_cleanup_(freep) char *path = xasprintf("/proc/self/fd/%d", upload->file_fd);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_set(err, -errno, "open the upload") : fd;
}

enum op_next upload_inspect(struct op *op, struct upload *upload, bool custom, job_done_fn *done)
{
	struct job job = { .kind = JOB_BACKUP_INSPECT, .custom = custom };
	int fd = upload_reopen(upload, &op->err);

	if (fd < 0)
		return OP_FAIL;
	fill_job(op->core, &job);
	return job_run_io(op, &job, fd, fd_copy(upload->index_fd, 3), done);
}

int upload_read_index(struct upload *upload, struct backup_index *ret_index, struct err *err)
{
	struct buf bytes = { 0 };
	int r = lseek(upload->index_fd, 0, SEEK_SET) < 0 ? -errno : 0;

	if (r == 0)
		r = fd_read_all(upload->index_fd, BACKUP_INDEX_BYTES_MAX, &bytes);
	if (r < 0)
		(void)err_set(err, r, "read the index of the backup");
	else
		r = wire_decode(&backup_index_schema, bytes.data, bytes.len, ret_index, err);
	buf_done(&bytes);
	return r;
}

/* A file that has no name, for what is uploaded and what is found in it. */
static int open_file(const struct core *core, int *ret_fd, struct err *err)
{
	int fd = open(core->dirs.state, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(err, -errno, "make a file in \"%s\"", core->dirs.state);
	*ret_fd = fd;
	return 0;
}

int upload_open(struct core *core, struct upload *ret_upload, int *ret_body_fd, struct err *err)
{
	int ends[2], r;

	*ret_upload = (struct upload){ -EBADF, -EBADF, -EBADF };
	r = open_file(core, &ret_upload->file_fd, err);
	if (r == 0)
		r = open_file(core, &ret_upload->index_fd, err);
	if (r < 0)
		return r;
	r = fd_pipe(ends);
	if (r < 0)
		return err_set(err, r, "make a pipe for the backup");
	ret_upload->body_fd = ends[0];
	*ret_body_fd = ends[1];
	return 0;
}

void upload_done(struct upload *upload)
{
	upload->body_fd = fd_close(upload->body_fd);
	upload->file_fd = fd_close(upload->file_fd);
	upload->index_fd = fd_close(upload->index_fd);
}

uint64_t upload_size_of(const struct job_report *report, const char *snapshot)
{
	const char *text = strmap_get(&report->result, snapshot);
	uint64_t bytes = 0;

	return text && parse_u64(text, INT64_MAX, &bytes) == 0 ? bytes : 0;
}
