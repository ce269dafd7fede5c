/* tests/unit/image/test_report.c - image/report.h: what sysctrd gets to see of a helper */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/fingerprint.h"
#include "image/report.h"
#include "os/fd.h"
#include "os/sock.h"

struct pair {
	struct report report;
	int fds[2]; /* ours, theirs */
};

static void open_pair(struct pair *pair, bool signals)
{
	assert_int_equal(sock_pair(pair->fds), 0);
	assert_int_equal(report_init(&pair->report, pair->fds[1], signals, NULL), 0);
}

static void close_pair(struct pair *pair)
{
	report_done(&pair->report);
	(void)fd_close(pair->fds[0]);
	(void)fd_close(pair->fds[1]);
}

/* Returns: whether there was one. */
static bool take(struct pair *pair, struct job_report *ret)
{
	static char bytes[JOB_REPORT_BYTES_MAX];
	struct pollfd pfd = { .fd = pair->fds[0], .events = POLLIN };
	size_t n = 0;

	*ret = (struct job_report){ 0 };
	if (poll(&pfd, 1, 0) <= 0)
		return false;
	ssize_t len = sock_recv(pair->fds[0], bytes, sizeof(bytes), NULL, 0, &n);
	assert_true(len >= 0);
	assert_int_equal(wire_decode(&job_report_schema, bytes, (size_t)len, ret, NULL), 0);
	return true;
}

static void test_progress_is_limited(void **state)
{
	struct job_report got;
	struct pair pair;

	(void)state;
	open_pair(&pair, false);
	for (uint64_t i = 0; i < 1000; i++)
		report_progress(&pair.report, "unpack", i, 1000);
	assert_true(take(&pair, &got));
	assert_string_equal(got.stage, "unpack");
	assert_int_equal(got.total_bytes, 1000);
	assert_false(got.done);
	wire_free(&job_report_schema, &got);
	assert_false(take(&pair, &got));
	report_stage(&pair.report, "inspect");
	assert_true(take(&pair, &got));
	wire_free(&job_report_schema, &got);
	close_pair(&pair);
}

static void test_results_and_end(void **state)
{
	struct job_report got;
	struct pair pair;

	(void)state;
	open_pair(&pair, false);
	report_result(&pair.report, "hidden", "true");
	report_flush(&pair.report);
	assert_true(take(&pair, &got));
	assert_false(got.done);
	assert_string_equal(strmap_get(&got.result, "hidden"), "true");
	wire_free(&job_report_schema, &got);
	assert_int_equal(report_finish(&pair.report, 0, NULL), 0);
	report_flush(&pair.report);
	assert_true(take(&pair, &got));
	assert_true(got.done);
	wire_free(&job_report_schema, &got);
	assert_false(take(&pair, &got));
	close_pair(&pair);
}

static void test_failure(void **state)
{
	struct job_report got;
	struct pair pair;
	struct err err = { 0 };

	(void)state;
	open_pair(&pair, false);
	report_result(&pair.report, "file", "/x");
	int r = err_kind(&err, ERR_INVALID, "not an image");
	assert_int_equal(report_finish(&pair.report, r, &err), 1);
	assert_true(take(&pair, &got));
	assert_true(got.done);
	assert_int_equal(got.code, r);
	assert_int_equal(got.kind, ERR_INVALID);
	assert_string_equal(got.text, "not an image");
	assert_int_equal(got.result.len, 0);
	wire_free(&job_report_schema, &got);
	close_pair(&pair);
}

static void test_cancel_by_signal(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, true);
	assert_false(report_cancelled(&pair.report));
	assert_int_equal(report_wait(&pair.report, pair.fds[1], POLLOUT, -1), 1);
	assert_int_equal(report_wait(&pair.report, pair.fds[1], POLLIN, 1), 0);
	assert_int_equal(kill(getpid(), SIGTERM), 0);
	assert_true(report_cancelled(&pair.report));
	assert_int_equal(report_wait(&pair.report, pair.fds[1], POLLOUT, -1), -ECANCELED);
	close_pair(&pair);
}

static void test_cancel_by_death_of_the_reader(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, false);
	pair.fds[0] = fd_close(pair.fds[0]);
	assert_true(report_cancelled(&pair.report));
	report_flush(&pair.report); /* no signal, no hang */
	close_pair(&pair);
}

static void test_read_job(void **state)
{
	struct job job = { .kind = JOB_VOLUME_CREATE, .volume = (char[]){ "c1" } }, got = { 0 };
	struct buf bytes = { 0 };

	(void)state;
	wire_encode(&job_schema, &job, &bytes);
	int fd = fd_memfd_new("job", bytes.data, bytes.len);
	assert_int_equal(report_read_job(fd, &got, NULL), 0);
	assert_int_equal(got.kind, JOB_VOLUME_CREATE);
	assert_string_equal(got.volume, "c1");
	wire_free(&job_schema, &got);
	(void)fd_close(fd);
	fd = fd_memfd_new("job", "xyz", 3);
	assert_true(report_read_job(fd, &got, NULL) < 0);
	wire_free(&job_schema, &got);
	(void)fd_close(fd);
	buf_done(&bytes);
}

static void test_fingerprint(void **state)
{
	struct fingerprint *fp = fingerprint_new();
	char hex[FINGERPRINT_LEN];
	struct err err = { 0 };

	(void)state;
	assert_int_equal(fingerprint_add(fp, "a", 1), 0);
	assert_int_equal(fingerprint_add(fp, "bc", 2), 0);
	assert_string_equal(fingerprint_take(fp, hex),
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(fingerprint_check(NULL, hex, &err), 0);
	assert_int_equal(fingerprint_check(hex, hex, &err), 0);
	assert_true(fingerprint_check("00", hex, &err) < 0);
	assert_null(fingerprint_free(fp));
}

/* What follows a job begins anew: nothing of the earlier one is in its reports. */
static void test_next_job(void **state)
{
	int spec = fd_memfd_new("job", "x", 1), got_fd;
	char zero = 0;
	struct iovec byte = { &zero, 1 };
	struct job_report got;
	struct pair pair;

	(void)state;
	open_pair(&pair, false);
	pair.report.stays = true;
	report_result(&pair.report, "size", "1");
	assert_int_equal(report_finish(&pair.report, 0, NULL), 0);
	assert_true(take(&pair, &got));
	assert_true(got.done && got.stays);
	wire_free(&job_report_schema, &got);
	assert_int_equal(sock_send(pair.fds[0], &byte, 1, &spec, 1), 0);
	got_fd = report_await_job(&pair.report);
	assert_true(got_fd >= 0);
	assert_false(pair.report.stays);
	assert_int_equal(report_finish(&pair.report, 0, NULL), 0);
	assert_true(take(&pair, &got));
	assert_true(got.done && !got.stays);
	assert_int_equal(got.result.len, 0);
	wire_free(&job_report_schema, &got);
	(void)fd_close(got_fd);
	(void)fd_close(spec);
	close_pair(&pair);
}

static void test_no_next_job(void **state)
{
	char zero = 0;
	struct iovec byte = { &zero, 1 };
	struct job_report got;
	struct pair pair;

	(void)state;
	open_pair(&pair, false);
	/* whoever has sent results in advance is let go of, whoever failed is not asked again */
	pair.report.stays = true;
	report_flush(&pair.report);
	assert_false(pair.report.stays);
	assert_true(take(&pair, &got));
	wire_free(&job_report_schema, &got);
	pair.report.stays = true;
	assert_int_equal(report_finish(&pair.report, -EIO, NULL), 1);
	assert_true(take(&pair, &got));
	assert_true(got.done && !got.stays);
	wire_free(&job_report_schema, &got);
	/* no job in it; the end */
	assert_int_equal(sock_send(pair.fds[0], &byte, 1, NULL, 0), 0);
	assert_int_equal(report_await_job(&pair.report), -ECANCELED);
	pair.fds[0] = fd_close(pair.fds[0]);
	assert_int_equal(report_await_job(&pair.report), -ECANCELED);
	close_pair(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_progress_is_limited),
		cmocka_unit_test(test_results_and_end),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_cancel_by_signal),
		cmocka_unit_test(test_cancel_by_death_of_the_reader),
		cmocka_unit_test(test_read_job),
		cmocka_unit_test(test_fingerprint),
		cmocka_unit_test(test_next_job),
		cmocka_unit_test(test_no_next_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
