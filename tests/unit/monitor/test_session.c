/*
 * tests of monitor/session against a helper that misbehaves on demand: this program itself, run as
 * "sysctr-exec", does what the session memfd says instead of joining anything.
 */
#include "monitor/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/str.h"
#include "base/time.h"
#include "os/fd.h"
#include "os/ns.h"
#include "os/pty.h"
#include "os/sock.h"
#include "spec/exec.h"

enum {
	TIMEOUT_MS = 60000,
	SHORT_MS = 50,
};

/* What the callbacks said last. */
struct heard {
	int n_started, n_exited;
	uint64_t id, cookie;
	bool ok;
	int exit_status, wait_status, code;
	char text[512];
	int master_fd;
	bool forget; /* in the callback */
	struct sessions *sessions;
};

static void on_started(void *data, struct session_started *started)
{
	struct heard *heard = data;

	heard->n_started++;
	heard->id = started->id;
	heard->cookie = started->cookie;
	heard->ok = started->ok;
	heard->exit_status = started->exit_status;
	assert_true(started->ok == !started->err);
	if (started->err) {
		heard->code = started->err->code;
		(void)snprintf(heard->text, sizeof(heard->text), "%s", started->err->msg);
	}
	if (started->master_fd >= 0)
		heard->master_fd = TAKE_FD(started->master_fd);
}

static void on_exited(void *data, uint64_t id, int wait_status)
{
	struct heard *heard = data;

	heard->n_exited++;
	heard->id = id;
	heard->wait_status = wait_status;
	if (heard->forget)
		sessions_forget(heard->sessions, id);
}

/* ---- the helper ---- */

static void sleep_ms(long ms)
{
	struct timespec duration = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS };

	(void)nanosleep(&duration, NULL);
}

static void report(struct exec_report report, int fd)
{
	struct iovec iov = { .iov_base = &report, .iov_len = sizeof(report) };

	(void)sock_send(EXEC_FD_REPORT, &iov, 1, &fd, fd >= 0);
}

static int run_command(const char *what)
{
	if (streq(what, "tty")) {
		int master_fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

		report((struct exec_report){ .kind = EXEC_REPORT_MASTER }, master_fd);
	}
	if (streq(what, "fail")) {
		report((struct exec_report){ .kind = EXEC_REPORT_FAILED,
					     .code = -ENOENT,
					     .err_kind = 9999,
					     .exit_status = 127,
					     .text = "run \"x\": gone" },
		       -EBADF);
		return 127;
	}
	(void)setsid();
	(void)close(EXEC_FD_REPORT); /* what the final exec does */
	if (streq(what, "sleep") || streq(what, "tty"))
		sleep_ms(TIMEOUT_MS);
	return 7;
}

static void outlive(int pidfd)
{
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };

	(void)poll(&pfd, 1, TIMEOUT_MS);
	sleep_ms(SHORT_MS);
}

static int run_helper(void)
{
	struct ns_clone args = { .flags = CLONE_PARENT, .cgroup_fd = -1 };
	struct exec_params params;
	char what[64] = "";

	if (read(EXEC_FD_SPEC, what, sizeof(what) - 1) < 0)
		return 1;
	if (sock_recv(EXEC_FD_REPORT, &params, sizeof(params), NULL, 0, NULL) != sizeof(params))
		return 1;
	if (streq(what, "die"))
		return 1;
	if (streq(what, "garbage")) {
		(void)send(EXEC_FD_REPORT, "xyz", 3, 0);
		return 1;
	}
	if (streq(what, "hang"))
		sleep_ms(TIMEOUT_MS);
	if (ns_clone(&args) > 0) {
		if (streq(what, "late")) /* the command is dead before the report ends */
			outlive(args.pidfd);
		return 0;
	}
	report((struct exec_report){ .kind = EXEC_REPORT_HELLO }, -EBADF);
	return run_command(what);
}

/* ---- the tests ---- */

struct fixture {
	struct sessions sessions;
	struct heard heard;
	struct cgroup_host host;
	struct cgroup cgroup;
	struct session_env env;
	int null_fds[3];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sessions_callbacks callbacks = {
		.started = on_started,
		.exited = on_exited,
		.data = &f->heard,
	};
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	f->heard.master_fd = -EBADF;
	f->heard.sessions = &f->sessions;
	assert_int_equal(sessions_init(&f->sessions, &callbacks), 0);
	cgroup_init(&f->cgroup);
	f->cgroup.host = &f->host;
	/* no cgroup: no leaf can be made, and the command runs where it is */
	f->cgroup.payload_fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 3; i++)
		f->null_fds[i] = null_fd;
	f->env = (struct session_env){
		.init_pidfd = null_fd,
		.cgroup = &f->cgroup,
		.program_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC),
		.seccomp_fd = null_fd,
		.environment_fd = null_fd,
	};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	sessions_done(&f->sessions);
	cgroup_done(&f->cgroup);
	(void)fd_close(f->env.program_fd);
	(void)fd_close(f->null_fds[0]);
	(void)fd_close(f->heard.master_fd);
	free(f);
	return 0;
}

static uint64_t start(struct fixture *f, const char *what, bool interactive)
{
	int spec_fd = fd_memfd_new("session", what, strlen(what));
	struct session_request request = {
		.spec_fd = spec_fd,
		.stdio_fds = interactive ? NULL : f->null_fds,
		.cookie = 42,
	};
	struct err err = { 0 };
	uint64_t id = 0;

	if (sessions_start(&f->sessions, &f->env, &request, &id, &err) < 0)
		fail_msg("%s", err.msg);
	(void)fd_close(spec_fd);
	return id;
}

static void reap(struct fixture *f)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		assert_true(sessions_reaped(&f->sessions, pid, status));
}

/* Let it run until *@counter is @wanted. */
static void run_until(struct fixture *f, const int *counter, int wanted)
{
	uint64_t end_ns = time_mono_ns() + (uint64_t)TIMEOUT_MS * NS_PER_MS;

	while (*counter != wanted) {
		struct pollfd poll_fd = { .fd = sessions_fd(&f->sessions), .events = POLLIN };

		assert_true(time_mono_ns() < end_ns);
		(void)poll(&poll_fd, 1, 2);
		sessions_dispatch(&f->sessions);
		reap(f);
	}
}

/* Nothing is left of what was. */
static void assert_clean(struct fixture *f)
{
	uint64_t end_ns = time_mono_ns() + (uint64_t)TIMEOUT_MS * NS_PER_MS;

	while (!list_empty(&f->sessions.list)) {
		assert_true(time_mono_ns() < end_ns);
		sleep_ms(2);
		sessions_dispatch(&f->sessions);
		reap(f);
	}
	assert_int_equal(f->sessions.count, 0);
}

static void test_runs_and_exits(void **state)
{
	struct fixture *f = *state;
	uint64_t id = start(f, "run", false);
	struct session_end end;

	run_until(f, &f->heard.n_exited, 1);
	assert_int_equal(f->heard.n_started, 1);
	assert_true(f->heard.ok);
	assert_int_equal(f->heard.cookie, 42);
	assert_int_equal(WEXITSTATUS(f->heard.wait_status), 7);
	/* kept for whoever connects next */
	assert_true(sessions_next_known(&f->sessions, 0, &end));
	assert_int_equal(end.id, id);
	assert_true(end.ended);
	assert_int_equal(WEXITSTATUS(end.wait_status), 7);
	assert_null(end.op);
	assert_false(sessions_next_known(&f->sessions, id, &end));
	sessions_forget(&f->sessions, id);
	assert_clean(f);
}

static void test_failures(void **state)
{
	static const struct {
		const char *what;
		int exit_status, code;
		const char *text;
	} cases[] = {
		{ "fail", 127, -ENOENT, "run \"x\": gone" },
		{ "die", 0, -ECHILD, "killed" },
		{ "garbage", 0, -ECHILD, "killed" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		(void)start(f, cases[i].what, false);
		run_until(f, &f->heard.n_started, (int)i + 1);
		assert_false(f->heard.ok);
		assert_int_equal(f->heard.exit_status, cases[i].exit_status);
		assert_int_equal(f->heard.code, cases[i].code);
		assert_non_null(strstr(f->heard.text, cases[i].text));
		assert_clean(f);
	}
	assert_int_equal(f->heard.n_exited, 0);
}

/* The command's death is seen before its report was read. */
static void test_dead_before_heard(void **state)
{
	struct fixture *f = *state;

	f->heard.forget = true;
	(void)start(f, "late", false);
	sleep_ms(SHORT_MS / 2);
	reap(f); /* and nothing was dispatched */
	run_until(f, &f->heard.n_exited, 1);
	assert_true(f->heard.ok);
	assert_clean(f);
	(void)start(f, "late", false);
	run_until(f, &f->heard.n_exited, 2);
	assert_clean(f);
}

/* The container ends, and its commands and helpers with it. */
static void end_all(struct fixture *f)
{
	sessions_done(&f->sessions);
	assert_true(list_empty(&f->sessions.list));
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* Whoever waits for a start hears of that, and of the command's end where it ran. */
static void test_ends_while_starting(void **state)
{
	struct fixture *f = *state;

	(void)start(f, "hang", false);
	end_all(f);
	assert_int_equal(f->heard.n_started, 1);
	assert_false(f->heard.ok);
	assert_int_equal(f->heard.cookie, 42);
	assert_non_null(strstr(f->heard.text, "the container ended"));
	assert_int_equal(f->heard.n_exited, 0);
}

static void test_ends_before_heard(void **state)
{
	struct fixture *f = *state;
	pid_t pid;
	int status;

	(void)start(f, "late", false);
	pid = waitpid(-1, &status, 0); /* the command: its helper still holds the report */
	assert_true(sessions_reaped(&f->sessions, pid, status));
	end_all(f);
	assert_int_equal(f->heard.n_started, 1);
	assert_true(f->heard.ok);
	assert_int_equal(f->heard.n_exited, 1);
	assert_int_equal(WEXITSTATUS(f->heard.wait_status), 7);
}

static void test_signal_and_end(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	uint64_t id = start(f, "sleep", false);

	assert_int_equal(sessions_signal(&f->sessions, id, SIGTERM, &err), -EEXIST);
	run_until(f, &f->heard.n_started, 1);
	assert_int_equal(sessions_resize(&f->sessions, id, 80, 25, &err), -EEXIST);
	assert_int_equal(sessions_signal(&f->sessions, id, 0, &err), -EINVAL);
	assert_int_equal(sessions_signal(&f->sessions, id, 65, &err), -EINVAL);
	assert_int_equal(sessions_signal(&f->sessions, id + 1, SIGTERM, &err), -ENOENT);
	assert_int_equal(sessions_signal(&f->sessions, id, SIGTERM, &err), 0);
	run_until(f, &f->heard.n_exited, 1);
	assert_int_equal(WTERMSIG(f->heard.wait_status), SIGTERM);
	assert_int_equal(sessions_signal(&f->sessions, id, SIGTERM, &err), -EEXIST);
	assert_int_equal(sessions_end(&f->sessions, id, &err), 0); /* forgets it */
	assert_clean(f);
	f->heard.forget = true;
	id = start(f, "sleep", false);
	run_until(f, &f->heard.n_started, 2);
	assert_int_equal(sessions_end(&f->sessions, id, &err), 0);
	run_until(f, &f->heard.n_exited, 2);
	assert_int_equal(WTERMSIG(f->heard.wait_status), SIGKILL);
	assert_clean(f);
	assert_int_equal(sessions_end(&f->sessions, id, &err), -ENOENT);
}

/* A helper that hangs, as one does on a file system that a guest made: its client goes away. */
static void test_end_of_a_hanging_start(void **state)
{
	struct fixture *f = *state;
	uint64_t id = start(f, "hang", false);

	sleep_ms(SHORT_MS);
	sessions_dispatch(&f->sessions);
	assert_int_equal(f->heard.n_started, 0);
	assert_int_equal(sessions_end(&f->sessions, id, NULL), 0);
	run_until(f, &f->heard.n_started, 1);
	assert_false(f->heard.ok);
	assert_clean(f);
}

static void test_terminal(void **state)
{
	struct fixture *f = *state;
	uint64_t id = start(f, "tty", true);

	f->heard.forget = true;
	run_until(f, &f->heard.n_started, 1);
	assert_true(f->heard.ok);
	assert_true(f->heard.master_fd >= 0);
	assert_int_equal(fcntl(f->heard.master_fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(sessions_resize(&f->sessions, id, 100000, 25, NULL), 0);
	sessions_alone(&f->sessions);
	assert_int_equal(sessions_resize(&f->sessions, id, 80, 25, NULL), -EEXIST);
	assert_int_equal(sessions_signal(&f->sessions, id, SIGKILL, NULL), 0);
	run_until(f, &f->heard.n_exited, 1);
	assert_clean(f);
}

static void test_strangers_are_not_ours(void **state)
{
	struct fixture *f = *state;
	uint64_t id = start(f, "sleep", false);

	assert_false(sessions_reaped(&f->sessions, 1, 0));
	run_until(f, &f->heard.n_started, 1);
	assert_false(sessions_reaped(&f->sessions, getpid(), 0));
	(void)sessions_end(&f->sessions, id, NULL);
	f->heard.forget = true;
	run_until(f, &f->heard.n_exited, 1);
	assert_clean(f);
}

static void test_limit(void **state)
{
	struct fixture *f = *state;
	struct session_request request = { .spec_fd = f->null_fds[0], .stdio_fds = f->null_fds };
	struct err err = { 0 };
	uint64_t id;

	f->sessions.count = SESSIONS_MAX;
	assert_true(sessions_start(&f->sessions, &f->env, &request, &id, &err) < 0);
	assert_int_equal(err.kind, ERR_UNAVAILABLE);
	assert_non_null(strstr(err.msg, "512"));
	f->sessions.count = 0;
	f->env.program_fd = fd_close(f->env.program_fd); /* nothing to run */
	assert_true(sessions_start(&f->sessions, &f->env, &request, &id, &err) < 0);
	assert_true(list_empty(&f->sessions.list));
}

static void test_many_at_once(void **state)
{
	struct fixture *f = *state;

	f->heard.forget = true;
	for (int i = 0; i < 40; i++)
		(void)start(f, i % 2 ? "run" : "late", false);
	assert_int_equal(f->sessions.count, 40);
	run_until(f, &f->heard.n_exited, 40);
	assert_int_equal(f->heard.n_started, 40);
	assert_clean(f);
}

#define SESSION_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SESSION_TEST(test_runs_and_exits),	   SESSION_TEST(test_failures),
		SESSION_TEST(test_dead_before_heard),	   SESSION_TEST(test_ends_while_starting),
		SESSION_TEST(test_ends_before_heard),	   SESSION_TEST(test_signal_and_end),
		SESSION_TEST(test_end_of_a_hanging_start), SESSION_TEST(test_terminal),
		SESSION_TEST(test_strangers_are_not_ours), SESSION_TEST(test_limit),
		SESSION_TEST(test_many_at_once),
	};

	if (argc > 0 && streq(argv[0], "sysctr-exec"))
		return run_helper();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
