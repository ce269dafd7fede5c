/* tests of aio/proc and aio/run */
#include "aio/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "aio/timer.h"
#include "base/mem.h"
#include "base/time.h"
#include "os/fd.h"

struct result {
	int calls;
	int wait_status;
	char *output;
	struct err err;
};

static void on_exit_status(void *data, int wait_status)
{
	struct result *result = data;

	result->calls++;
	result->wait_status = wait_status;
}

static void test_spawn(void **state)
{
	static const char *const argv[] = { "sh", "-c", "exit 3", NULL };
	struct aio_loop *loop = aio_loop_new();
	struct aio_proc_spec spec = { .program = "sh", .argv = argv };
	struct result result = { 0 };
	struct aio_proc *proc = NULL;
	char text[AIO_STATUS_LEN];

	(void)state;
	assert_int_equal(aio_proc_spawn(loop, &spec, on_exit_status, &result, &proc, NULL), 0);
	assert_true(aio_proc_pid(proc) > 0);
	aio_loop_run(loop);
	assert_int_equal(result.calls, 1);
	assert_int_equal(WEXITSTATUS(result.wait_status), 3);
	assert_string_equal(aio_status_text(text, result.wait_status), "exited with 3");
	assert_int_equal(aio_proc_pid(proc), 0);
	assert_int_equal(aio_proc_kill(proc, SIGTERM), -ESRCH);
	proc = aio_proc_free(proc);
	(void)aio_loop_free(loop);
}

static void on_limit(void *data)
{
	(void)data;
	fail_msg("the child was not reaped");
}

static void test_kill_and_forget(void **state)
{
	static const char *const argv[] = { "sleep", "60", NULL };
	struct aio_loop *loop = aio_loop_new();
	struct aio_proc_spec spec = { .program = "sleep", .argv = argv };
	struct result result = { 0 };
	struct aio_proc *proc = NULL;
	struct aio_proc *forgotten = NULL;
	struct aio_proc *survivor = NULL;
	struct aio_timer limit = { 0 };
	char text[AIO_STATUS_LEN];

	(void)state;
	assert_int_equal(aio_proc_spawn(loop, &spec, on_exit_status, &result, &proc, NULL), 0);
	assert_int_equal(aio_proc_spawn(loop, &spec, on_exit_status, &result, &forgotten, NULL), 0);
	assert_int_equal(aio_proc_spawn(loop, &spec, on_exit_status, &result, &survivor, NULL), 0);
	pid_t pid = aio_proc_pid(forgotten);
	pid_t survivor_pid = aio_proc_pid(survivor);

	assert_int_equal(aio_proc_kill(proc, SIGKILL), 0);
	forgotten = aio_proc_free(forgotten);
	while (result.calls == 0)
		(void)aio_loop_turn(loop, 1);
	assert_string_equal(aio_status_text(text, result.wait_status), "was killed by signal 9");
	proc = aio_proc_free(proc);
	/* The forgotten one still runs; once dead it is reaped without a call. */
	aio_timer_start(loop, &limit, 60ULL * NS_PER_S, on_limit, NULL);
	assert_int_equal(kill(pid, SIGKILL), 0);
	while (kill(pid, 0) == 0)
		(void)aio_loop_turn(loop, 1);
	aio_timer_stop(&limit);
	assert_int_equal(result.calls, 1);
	survivor = aio_proc_free(survivor);
	(void)aio_loop_free(loop);
	assert_int_equal(kill(survivor_pid, SIGKILL), 0);
}

static void test_missing_program(void **state)
{
	static const char *const argv[] = { "no-such-program", NULL };
	struct aio_loop *loop = aio_loop_new();
	struct aio_proc_spec spec = { .program = "no-such-program", .argv = argv };
	struct aio_proc *proc = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(aio_proc_spawn(loop, &spec, on_exit_status, NULL, &proc, &err), -ENOENT);
	assert_string_equal(err.msg, "run no-such-program: No such file or directory");
	assert_null(proc);
	aio_loop_run(loop);
	(void)aio_loop_free(loop);
}

/* Descriptors 0..4, the third from nothing, and no others; a clean environment. */
static void test_descriptors(void **state)
{
	static const char *const argv[] = { "sh", "-c",
					    "cd /proc/self/fd; echo *; read a <&3; read b <&4; "
					    "echo $a $b $HOME $LC_ALL; pwd",
					    NULL };
	struct aio_loop *loop = aio_loop_new();
	int out[2], three[2], four[2];
	char text[256] = "";
	struct result result = { 0 };
	struct aio_proc *proc = NULL;

	(void)state;
	assert_int_equal(fd_pipe(out), 0);
	assert_int_equal(fd_pipe(three), 0);
	assert_int_equal(fd_pipe(four), 0);
	assert_int_equal(write(three[1], "3\n", 2), 2);
	assert_int_equal(write(four[1], "4\n", 2), 2);
	/* Crossed over on purpose: numbers of ours that are below their places in the child. */
	int fds[] = { -1, out[1], -1, three[0], four[0] };
	struct aio_proc_spec spec = { .program = "/bin/sh", .argv = argv, .fds = fds, .n_fds = 5 };

	assert_int_equal(aio_proc_spawn(loop, &spec, on_exit_status, &result, &proc, NULL), 0);
	aio_loop_run(loop);
	assert_int_equal(result.wait_status, 0);
	assert_true(read(out[0], text, sizeof(text) - 1) > 0);
	/* 5 is the shell's own descriptor for reading the directory. */
	assert_string_equal(text, "0 1 2 3 4 5\n3 4 C.UTF-8\n/proc/self/fd\n");
	proc = aio_proc_free(proc);
	for (int i = 0; i < 2; i++) {
		(void)close(out[i]);
		(void)close(three[i]);
		(void)close(four[i]);
	}
	(void)aio_loop_free(loop);
}

static void on_run(void *data, const char *output, const struct err *err)
{
	struct result *result = data;

	result->calls++;
	result->output = xstrdup(output);
	if (err)
		result->err = *err;
}

static void run_shell(struct result *result, const char *script, const char *text,
		      uint64_t timeout_ns)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct aio_loop *loop = aio_loop_new();
	struct aio_proc_spec spec = { .program = "sh", .argv = argv };

	*result = (struct result){ 0 };
	(void)aio_run_text(loop, &spec, text, timeout_ns, on_run, result);
	assert_int_equal(result->calls, 0);
	aio_loop_run(loop);
	assert_int_equal(result->calls, 1);
	(void)aio_loop_free(loop);
}

static void test_run_text(void **state)
{
	struct result result;
	_cleanup_(freep) char *big = xcalloc(1, 300001);

	(void)state;
	run_shell(&result, "tr a-z A-Z", "hello", 0);
	assert_string_equal(result.output, "HELLO");
	assert_int_equal(result.err.code, 0);
	free(result.output);

	run_shell(&result, "echo 'line 1: bad' >&2; echo more >&2; exit 1", "x", 0);
	assert_string_equal(result.err.msg, "sh exited with 1: line 1: bad");
	free(result.output);

	/* More than pipes and limits hold, in both directions; nobody waits for ever. */
	memset(big, 'y', 300000);
	run_shell(&result, "cat", big, 0);
	assert_int_equal(strlen(result.output), AIO_RUN_OUTPUT_MAX);
	assert_int_equal(result.err.code, 0);
	free(result.output);

	run_shell(&result, "sleep 60", "", 50 * NS_PER_MS);
	assert_int_equal(result.err.code, -ETIMEDOUT);
	free(result.output);

	/* A grandchild that keeps the pipes does not hold up the answer. */
	run_shell(&result, "sleep 60 & echo $!", "", 0);
	assert_int_equal(result.err.code, 0);
	assert_int_equal(kill((pid_t)strtol(result.output, NULL, 10), SIGKILL), 0);
	free(result.output);
}

static void test_run_failures(void **state)
{
	static const char *const argv[] = { "no-such-program", NULL };
	struct aio_loop *loop = aio_loop_new();
	struct aio_proc_spec spec = { .program = "no-such-program", .argv = argv };
	struct result result = { 0 };

	(void)state;
	(void)aio_run_text(loop, &spec, "", 0, on_run, &result);
	assert_int_equal(result.calls, 0);
	aio_loop_run(loop);
	assert_int_equal(result.err.code, -ENOENT);
	free(result.output);
	aio_run_cancel(aio_run_text(loop, &spec, "", 0, on_run, &result));
	aio_loop_run(loop);
	assert_int_equal(result.calls, 1);
	(void)aio_loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spawn),		cmocka_unit_test(test_kill_and_forget),
		cmocka_unit_test(test_missing_program), cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_run_text),	cmocka_unit_test(test_run_failures),
	};

	/* What the shell of the test run left open is not ours. */
	(void)fd_cloexec_from(3);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
