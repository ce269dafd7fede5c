/* tests of core/job: real helpers of an operation that runs several jobs */
#include "core/job.h"

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

#include "aio/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"

enum {
	JOBS = 3
};

struct world {
	struct core core;
	char dir[32];
	pid_t helpers[JOBS]; /* which one did it; 0: that job did not end */
	int job;	     /* at hand */
	int kill_after;	     /* the helper that did this job is killed; -1: none */
	int fails;	     /* this job cannot be done; -1: none */
};

/* The process that we started last. */
static pid_t child(void)
{
	_cleanup_(freep) char *path = xasprintf("/proc/self/task/%d/children", getpid());
	FILE *file = fopen(path, "re");
	int pid = 0;

	assert_non_null(file);
	while (fscanf(file, "%d", &pid) == 1)
		;
	(void)fclose(file);
	return pid;
}

static enum op_next done(struct op *op, const struct job_report *report)
{
	struct world *w = op->args;

	assert_true(report->done || op->err.code < 0);
	if (op->err.code < 0)
		return OP_FAIL;
	w->helpers[w->job] = child();
	if (w->job++ == w->kill_after) {
		siginfo_t info;

		assert_int_equal(kill(child(), SIGKILL), 0);
		assert_int_equal(waitid(P_PID, (id_t)child(), &info, WEXITED | WNOWAIT), 0);
	}
	return OP_NEXT;
}

static enum op_next step(struct op *op)
{
	struct world *w = op->args;
	struct job job = { .kind = JOB_SIDE_WRITE };
	enum op_next next;

	job.pool.name = xstrdup("p");
	job.pool.driver = xstrdup(w->job == w->fails ? "none such" : "dir");
	job.pool.dir = xstrdup(w->dir);
	next = job_run(op, &job, -1, done);
	wire_free(&job_schema, &job);
	return next;
}

static const struct op_step steps[] = {
	{ "first", step, NULL },
	{ "second", step, NULL },
	{ "third", step, NULL },
	{ 0 },
};
static const struct op_table table = { "test", steps };

static enum op_status run(struct world *w)
{
	struct op *op = op_new(&w->core, OP_TASK, "Testing", w, NULL, NULL);
	enum op_status status;

	op_add_table(op, &table);
	op_start(op);
	while (!op_is_final(op))
		(void)aio_loop_turn(w->core.loop, 1);
	status = op->status;
	while (!list_empty(&w->core.jobs))
		(void)aio_loop_turn(w->core.loop, 1);
	assert_int_equal(child(), 0);
	return status;
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->core.loop = aio_loop_new();
	w->core.dirs.helpers = getcwd(NULL, 0);
	events_init(&w->core.events, w->core.loop);
	ops_init(&w->core.ops);
	list_init(&w->core.jobs);
	w->kill_after = w->fails = -1;
	(void)strcpy(w->dir, "/tmp/sysctr-job-XXXXXX");
	*state = w;
	return mkdtemp(w->dir) ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *w = *state;
	int r = rmdir(w->dir);

	events_close(&w->core.events);
	jobs_done(&w->core);
	ops_done(&w->core.ops);
	w->core.loop = aio_loop_free(w->core.loop);
	free(w->core.dirs.helpers);
	free(w);
	return r;
}

static void test_one_helper(void **state)
{
	struct world *w = *state;

	assert_int_equal(run(w), OP_SUCCESS);
	assert_true(w->helpers[0] > 0);
	assert_int_equal(w->helpers[0], w->helpers[1]);
	assert_int_equal(w->helpers[0], w->helpers[2]);
}

/* One that is killed between two jobs is replaced. */
static void test_killed_helper(void **state)
{
	struct world *w = *state;

	w->kill_after = 0;
	assert_int_equal(run(w), OP_SUCCESS);
	assert_true(w->helpers[1] > 0);
	assert_int_not_equal(w->helpers[0], w->helpers[1]);
	assert_int_equal(w->helpers[1], w->helpers[2]);
}

/* It ends with its failure. */
static void test_failed_job(void **state)
{
	struct world *w = *state;

	w->fails = 1;
	assert_int_equal(run(w), OP_FAILURE);
	assert_true(w->helpers[0] > 0);
	assert_int_equal(w->helpers[1], 0);
}

static void test_results(void **state)
{
	struct job_report report = { 0 };

	(void)state;
	assert_int_equal(job_result_size(&report), 0);
	strmap_set(&report.result, "size", "10000000000000"); /* 10 TB */
	assert_int_equal(job_result_size(&report), 10000000000000);
	strmap_set(&report.result, "size", "9223372036854775808"); /* INT64_MAX + 1 */
	assert_int_equal(job_result_size(&report), 0);
	strmap_set(&report.result, "created", "12 o'clock");
	assert_int_equal(job_result_u64(&report, "created", UINT64_MAX), 0);
	strmap_done(&report.result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_helper, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_helper, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_job, setup, teardown),
		cmocka_unit_test(test_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
