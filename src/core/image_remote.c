/* core/image_remote.c - see image_remote.h */
#include "core/image_remote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/core.h"
#include "core/image_store.h"
#include "core/job.h"
#include "os/fd.h"
#include "spec/image_server.h"

struct list_args {
	char *url;
	int fd;
};

static void free_list(void *data)
{
	struct list_args *args = data;

	(void)fd_close(args->fd);
	free(args->url);
	free(args);
}

static enum op_next step_list(struct op *op)
{
	struct list_args *args = op->args;
	struct job job = { .kind = JOB_STREAMS_LIST };
	struct utsname host;
	enum op_next next;

	if (uname(&host) < 0) {
		(void)err_set(&op->err, -errno, "ask for the host's architecture");
		return OP_FAIL;
	}
	image_store_fill_job(op->core, &job);
	job.url = xstrdup(args->url);
	job.size_bytes = REMOTE_IMAGES_BYTES_MAX;
	strmap_set(&job.variables, "architecture", host.machine);
	next = job_run_out(op, &job, TAKE_FD(args->fd), NULL);
	wire_free(&job_schema, &job);
	return next;
}

static const struct op_step steps[] = {
	{ "list", step_list, NULL },
	{ 0 },
};
static const struct op_table list_table = { "image-list", steps };

int remote_images_fetch(struct core *core, const char *url, int *ret_fd, struct op **ret_op,
			struct err *err)
{
	_cleanup_(fd_closep) int fd = -EBADF;
	struct list_args *args;
	struct op *op;
	int r = core_check_open(core, err);

	if (r < 0)
		return r;
	r = image_server_check(url, err);
	if (r < 0)
		return r;
	/* A file, not memory: the helper's limit of bytes counts for it. */
	fd = open(core->dirs.state, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, -errno, "make a file in \"%s\"", core->dirs.state);
	args = xcalloc(1, sizeof(*args));
	args->url = xstrdup(url);
	args->fd = fd_copy(fd, 3);
	op = op_new(core, OP_TASK, "Listing image server", args, free_list, err);
	if (!op)
		return -EBUSY;
	op_add_table(op, &list_table);
	op_start(op);
	*ret_fd = TAKE_FD(fd);
	*ret_op = op;
	return 0;
}

int remote_images_read(int fd, struct remote_images *ret_images, struct err *err)
{
	_cleanup_(buf_done) struct buf bytes = { 0 };
	int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;

	if (r == 0)
		r = fd_read_all(fd, REMOTE_IMAGES_BYTES_MAX, &bytes);
	if (r < 0)
		return err_set(err, r, "read the list of images");
	r = wire_decode(&remote_images_schema, bytes.data, bytes.len, ret_images, err);
	return r < 0 ? r : remote_images_validate(ret_images, err);
}
