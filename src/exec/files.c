/* exec/files.c - see files.h */
#include "exec/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/time.h"
#include "files/serve.h"
#include "os/caps.h"
#include "os/fd.h"
#include "os/mount.h"
#include "os/ns.h"
#include "os/probe.h"
#include "os/reset.h"
#include "os/rootmount.h"
#include "os/sandbox.h"
#include "os/sandbox_filter.h"
#include "spec/exec.h"
#include "spec/instance.h"

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

/* What it takes to read, write and own any file of the instance. */
#define FILES_CAPS                                                              \
	(CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) | \
	 CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_SETFCAP))

enum {
	JOB_BYTES_MAX = 256 * 1024,
	LOCK_TRIES = 500 /* 10 s */
};

static int serve(const struct files_request *request)
{
	_cleanup_(fd_closep) int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct files_server server = {
		.root_fd = root_fd,
		.in_fd = STDIN_FILENO,
		.out_fd = STDOUT_FILENO,
		.status_fd = FILES_STATUS_FD,
		.request = request,
	};

	return root_fd < 0 ? 1 : files_serve(&server);
}

int run_files(const struct run_context *context, struct err *err)
{
	int r;

	if (setsid() < 0)
		return err_set(err, -errno, "begin a session");
	r = reset_inherited(err);
	if (r < 0)
		return r;
	r = caps_drop(~FILES_CAPS);
	if (r < 0)
		return err_set(err, r, "drop capabilities");
	r = sandbox_filter_install(SANDBOX_FILTER_PARSER);
	if (r < 0)
		return err_set(err, r, "install the seccomp filter");
	/* its end of file says that the server runs */
	(void)fd_close(EXEC_FD_REPORT);
	return serve(&context->spec.files);
}

/* ---- the root of a stopped instance ---- */

struct stopped {
	struct files_job job;
	int volume_fd, lower_fd; /* hold the volumes */
	int root_fd;
};

static int read_job(struct files_job *job, struct err *err)
{
	_cleanup_(buf_done) struct buf bytes = { 0 };
	int r = fd_memfd_read(FILES_JOB_FD, JOB_BYTES_MAX, &bytes);

	if (r < 0)
		return err_set(err, r, "read the file request");
	(void)fd_close(FILES_JOB_FD);
	r = wire_decode(&files_job_schema, bytes.data, bytes.len, job, err);
	if (r < 0)
		return r;
	if (!job->root_path || !job->place || (job->root_kind == ROOT_OVERLAY && !job->root_lower))
		return err_kind(err, ERR_INTERNAL, "a file request without a root");
	return 0;
}

/* A monitor that is just taking its mounts down, or another copy, has it for a moment. */
static int lock_volume(const char *path, struct err *err)
{
	const struct timespec pause = { .tv_nsec = 20 * NS_PER_MS };

	for (int i = 0;; i++) {
		int fd = rootmount_lock(path, LOCK_EX, err);

		if (fd >= 0 || err->kind != ERR_CONFLICT || i == LOCK_TRIES)
			return fd;
		*err = (struct err){ 0 };
		(void)nanosleep(&pause, NULL);
	}
}

static int lock_volumes(struct stopped *s, struct err *err)
{
	s->volume_fd = lock_volume(s->job.root_path, err);
	if (s->volume_fd < 0)
		return s->volume_fd;
	if (s->job.root_kind != ROOT_OVERLAY)
		return 0;
	s->lower_fd = rootmount_lock(s->job.root_lower, LOCK_SH, err);
	return MIN(s->lower_fd, 0);
}

/* Attached in our own namespace only: before 6.15 the kernel copies no detached mount. */
static int mount_root(struct stopped *s, struct err *err)
{
	struct rootmount_plan plan = {
		.path = s->job.root_path,
		.lower = s->job.root_kind == ROOT_OVERLAY ? s->job.root_lower : NULL,
		.place = s->job.place,
		.root_ids = { s->job.id_base, s->job.id_base },
	};
	_cleanup_(fd_closep) int userns_fd = probe_userns(s->job.id_base, s->job.id_count);
	int r;

	if (userns_fd < 0)
		return err_set(err, userns_fd, "make a user namespace");
	plan.userns_fd = userns_fd;
	s->root_fd = rootmount_make(&plan, err);
	if (s->root_fd < 0)
		return s->root_fd;
	r = mount_attach_at(s->root_fd, s->job.place);
	return r < 0 ? err_set(err, r, "attach the root") : 0;
}

static int enter_namespace(struct err *err)
{
	int r = caps_set_nondumpable();

	if (r == 0)
		r = ns_unshare(CLONE_NEWNS);
	if (r == 0)
		r = mount_make_private();
	if (r == 0)
		r = caps_keep_over_setuid(true); /* os/rootmount.c changes the ids for a moment */
	return r < 0 ? err_set(err, r, "make a mount namespace") : 0;
}

static int body(void *data)
{
	const struct stopped *s = data;

	return serve(&s->job.request);
}

/* Until the server has ended, or sysctrd is gone and with it whoever asked. */
static void await_end(struct sandbox *sandbox)
{
	struct pollfd fds[] = { { .fd = sandbox->pidfd, .events = POLLIN },
				{ .fd = FILES_STATUS_FD } };

	while (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno == EINTR)
		;
	if (fds[0].revents)
		(void)sandbox_wait(sandbox, NULL);
	else
		sandbox_kill(sandbox);
}

static int serve_in_sandbox(struct stopped *s, struct err *err)
{
	struct sandbox_bind bind = { .src = "root", .src_fd = s->root_fd, .dst = "/" };
	struct sandbox_plan plan = {
		.name = "sysctr-files",
		.id_base = s->job.id_base,
		.id_count = s->job.id_count,
		.binds = &bind,
		.n_binds = 1,
		.filter = SANDBOX_FILTER_PARSER,
	};
	struct sandbox sandbox;
	int r = sandbox_start(&plan, body, s, &sandbox, err);

	if (r == 0)
		await_end(&sandbox);
	return r;
}

int files_stopped_main(void)
{
	struct stopped s = { .volume_fd = -EBADF, .lower_fd = -EBADF, .root_fd = -EBADF };
	struct files_server server = { .status_fd = FILES_STATUS_FD };
	struct err err = { 0 };
	int r = read_job(&s.job, &err);

	if (r == 0)
		r = enter_namespace(&err);
	if (r == 0)
		r = lock_volumes(&s, &err);
	if (r == 0)
		r = mount_root(&s, &err);
	if (r == 0)
		r = serve_in_sandbox(&s, &err);
	if (r < 0) {
		struct files_reply reply = {
			.done = true, .code = r, .kind = err.kind, .text = err.msg
		};

		(void)files_send_reply(&server, &reply);
	}
	/* Unmounted before the volume is let go: an overlay's layers must not be mounted twice. */
	if (s.root_fd >= 0)
		(void)mount_detach(s.job.place);
	(void)fd_close(s.root_fd);
	(void)fd_close(s.lower_fd);
	(void)fd_close(s.volume_fd);
	wire_free(&files_job_schema, &s.job);
	return r < 0 ? 1 : 0;
}
