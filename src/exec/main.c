/*
 * exec/main.c - sysctr-exec: join a container, become a command or a file server
 *
 * Started by sysctr-monitor with the descriptors of spec/exec.h, or by sysctrd for the files of a
 * stopped instance (exec/files.h). Static, without NSS, locale
 * or environment: nothing of the container is loaded or believed. The helper itself ends as soon as
 * the command is cloned; the monitor is the command's parent.
 *
 *   X1  Non-dumpable from the first line until the final exec.
 *   X2  All input is read and decoded before anything is joined.
 *   X3  A failure is reported once, in words; end of file on the report means the command runs.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "exec/enter.h"
#include "exec/files.h"
#include "exec/run.h"
#include "os/caps.h"
#include "os/fd.h"
#include "os/sock.h"

enum {
	INPUT_MAX = 8 * 1024 * 1024, /* argv and environment of execve end at 6 MB */
};

static int read_params(struct exec_params *params, struct err *err)
{
	ssize_t n = sock_recv(EXEC_FD_REPORT, params, sizeof(*params), NULL, 0, NULL);

	if (n != (ssize_t)sizeof(*params) || params->n_tasks > EXEC_FD_MAX - EXEC_FD_TASKS)
		return err_set(err, n < 0 ? (int)n : -EBADMSG, "read the parameters");
	return 0;
}

static int load(struct run_context *context, struct err *err)
{
	_cleanup_(buf_done) struct buf spec = { 0 };
	int r = read_params(&context->params, err);

	if (r < 0)
		return r;
	r = fd_memfd_read(EXEC_FD_SPEC, INPUT_MAX, &spec);
	if (r < 0)
		return err_set(err, r, "read the session");
	r = wire_decode(&session_spec_schema, spec.data, spec.len, &context->spec, err);
	if (r < 0)
		return r;
	r = fd_memfd_read(EXEC_FD_SECCOMP, INPUT_MAX, &context->seccomp);
	if (r < 0)
		return err_set(err, r, "read the seccomp filter");
	r = fd_memfd_read(EXEC_FD_ENVIRON, INPUT_MAX, &context->environment);
	return r < 0 ? err_set(err, r, "read the environment") : 0;
}

static int send_report(const struct exec_report *report)
{
	struct iovec iov = { .iov_base = (void *)report, .iov_len = sizeof(*report) };

	return sock_send(EXEC_FD_REPORT, &iov, 1, NULL, 0);
}

static void report_failure(const struct err *err, int code, int exit_status)
{
	struct exec_report report = {
		.kind = EXEC_REPORT_FAILED,
		.code = code,
		.err_kind = err->kind,
		.exit_status = (uint32_t)exit_status,
	};

	(void)snprintf(report.text, sizeof(report.text), "%s", err_text(err, code));
	(void)send_report(&report); /* nobody is left to be told of a failure to tell */
}

/* Ends here: after the start nobody reads reports. Returns: -errno. */
static int serve_files(const struct run_context *context, struct err *err)
{
	int r = run_files(context, err);

	if (r >= 0)
		_exit(r);
	return r;
}

static int run(struct run_context *context, int *exit_status, struct err *err)
{
	struct exec_report hello = { .kind = EXEC_REPORT_HELLO };
	int r = caps_set_nondumpable();

	if (r < 0)
		return err_set(err, r, "become non-dumpable");
	r = load(context, err);
	if (r < 0)
		return r;
	r = enter_clone(&context->params, err);
	if (r != 0)
		return r;
	r = send_report(&hello);
	if (r < 0)
		return err_set(err, r, "report to the monitor");
	r = enter_finish(&context->params, err);
	if (r < 0)
		return r;
	if (context->spec.files.op != FILES_NONE)
		return serve_files(context, err);
	return run_command(context, exit_status, err);
}

#ifdef WITH_SANITIZERS
/* LeakSanitizer attaches a tracer at exit; across the namespaces joined here that waits for ever. */
int __lsan_is_turned_off(void);
__attribute__((visibility("default"))) int __lsan_is_turned_off(void)
{
	return 1;
}
#endif

int main(int argc, char **argv)
{
	struct run_context context = { 0 };
	struct err err = { 0 };
	int exit_status = 0;
	int r;

	if (argc > 1 && streq(argv[1], "files"))
		return files_stopped_main();
	r = run(&context, &exit_status, &err);
	if (r > 0)
		return 0; /* the helper: its clone goes on */
	report_failure(&err, r, exit_status);
	return exit_status > 0 ? exit_status : 1;
}
