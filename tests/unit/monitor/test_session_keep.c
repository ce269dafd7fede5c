/* tests of monitor/session_keep */
#include "monitor/session_keep.h"

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
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/macro.h"
#include "os/fd.h"
#include "os/pty.h"

#define OP "0f6f1c6e-1111-4222-8333-444455556666"

struct fixture {
	struct keep prepared, keep;
	int epoll_fd;
	int write_fds[KEEP_STREAMS]; /* the command's ends */
	int fds[2 * KEEP_STREAMS];   /* what sysctrd sends */
	FILE *files[KEEP_STREAMS];
};

static int setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;

	*f = (struct fixture){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
	keep_init(&f->prepared);
	keep_init(&f->keep);
	for (size_t i = 0; i < KEEP_STREAMS; i++) {
		int ends[2];

		assert_int_equal(fd_pipe(ends), 0);
		f->write_fds[i] = ends[1];
		f->fds[2 * i] = ends[0];
		f->files[i] = tmpfile();
		assert_non_null(f->files[i]);
		f->fds[2 * i + 1] = fd_copy(fileno(f->files[i]), 0);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	keep_done(&f->keep);
	keep_done(&f->prepared);
	(void)fd_close(f->epoll_fd);
	for (size_t i = 0; i < KEEP_STREAMS; i++) {
		(void)fd_close(f->write_fds[i]);
		(void)fclose(f->files[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(f->fds); i++)
		(void)fd_close(f->fds[i]);
	return 0;
}

static void begin(struct fixture *f, bool record)
{
	int pipes[KEEP_STREAMS] = { TAKE_FD(f->fds[0]), TAKE_FD(f->fds[2]) };

	if (record) {
		int all[] = { pipes[0], TAKE_FD(f->fds[1]), pipes[1], TAKE_FD(f->fds[3]) };

		assert_int_equal(keep_prepare(&f->prepared, OP, true, all, ARRAY_LEN(all)), 0);
	} else {
		assert_int_equal(keep_prepare(&f->prepared, OP, false, pipes, KEEP_STREAMS), 0);
	}
	assert_int_equal(keep_begin(&f->keep, &f->prepared, f->epoll_fd, f), 0);
	assert_false(keep_is_set(&f->prepared));
	assert_true(keep_is_set(&f->keep));
}

/* Whether something wants keep_move(), after @wait_ms at the latest. */
static bool is_readable_within(const struct fixture *f, int wait_ms)
{
	struct epoll_event event;

	return epoll_wait(f->epoll_fd, &event, 1, wait_ms) > 0;
}

static bool is_readable(const struct fixture *f)
{
	return is_readable_within(f, 0);
}

/* Write as much as goes in. Returns: bytes, or -errno when that is none. */
static ssize_t fill(int fd)
{
	static const char block[4096];
	ssize_t n, sum = 0;

	assert_int_equal(fd_set_nonblock(fd), 0);
	while ((n = write(fd, block, sizeof(block))) > 0)
		sum += n;
	return sum > 0 ? sum : -errno;
}

static void test_refusals(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *op;
		bool record;
		size_t n;
	} rows[] = {
		{ NULL, false, 2 }, { "", false, 2 }, { "op", false, 2 }, { OP "0", false, 2 },
		{ OP, false, 1 },   { OP, false, 3 }, { OP, false, 4 },	  { OP, true, 0 },
		{ OP, true, 2 },    { OP, true, 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int fds[2 * KEEP_STREAMS];

		memcpy(fds, f->fds, sizeof(fds));
		assert_int_equal(keep_prepare(&f->prepared, rows[i].op, rows[i].record, fds,
					      rows[i].n),
				 -EINVAL);
		assert_memory_equal(fds, f->fds, sizeof(fds));
		assert_false(keep_is_set(&f->prepared));
	}
}

static void test_records(void **state)
{
	struct fixture *f = *state;
	char text[16] = "";

	begin(f, true);
	assert_int_equal(write(f->write_fds[0], "out", 3), 3);
	assert_int_equal(write(f->write_fds[1], "errors", 6), 6);
	assert_true(is_readable(f));
	keep_move(&f->keep);
	assert_false(is_readable(f));
	assert_int_equal(pread(fileno(f->files[0]), text, sizeof(text), 0), 3);
	assert_string_equal(text, "out");
	assert_int_equal(pread(fileno(f->files[1]), text, sizeof(text), 0), 6);
	assert_string_equal(text, "errors");
	assert_true(keep_is_recording(&f->keep));
	for (size_t i = 0; i < KEEP_STREAMS; i++)
		f->write_fds[i] = fd_close(f->write_fds[i]);
	keep_move(&f->keep);
	assert_false(keep_is_recording(&f->keep));
	assert_false(is_readable(f));
}

static void test_records_no_more_than_allowed(void **state)
{
	struct fixture *f = *state;
	off_t size;

	begin(f, true);
	f->keep.streams[0].left = 10000;
	assert_true(fill(f->write_fds[0]) > 10000);
	keep_move(&f->keep);
	size = lseek(fileno(f->files[0]), 0, SEEK_END);
	assert_int_equal(size, 10000);
	assert_int_equal(fill(f->write_fds[0]), -EPIPE);
	assert_true(fill(f->write_fds[1]) > 0);
	assert_true(keep_is_recording(&f->keep));
}

static void test_reads_only_when_alone(void **state)
{
	struct fixture *f = *state;

	begin(f, false);
	assert_true(fill(f->write_fds[0]) > 0);
	assert_false(is_readable(f));
	keep_move(&f->keep);
	assert_int_equal(fill(f->write_fds[0]), -EAGAIN);
	keep_alone(&f->keep, -EBADF);
	keep_alone(&f->keep, -EBADF);
	assert_true(is_readable(f));
	keep_move(&f->keep);
	assert_true(fill(f->write_fds[0]) > 0);
}

static void test_release(void **state)
{
	struct fixture *f = *state;

	begin(f, false);
	keep_alone(&f->keep, -EBADF);
	keep_release(&f->keep, 7);
	keep_release(&f->keep, 1);
	assert_int_equal(fill(f->write_fds[1]), -EPIPE);
	assert_true(fill(f->write_fds[0]) > 0);
	assert_true(keep_is_set(&f->keep));
}

static void test_terminal(void **state)
{
	struct fixture *f = *state;
	_cleanup_(fd_closep) int master_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	_cleanup_(fd_closep) int slave_fd = -EBADF;
	char byte;

	assert_true(master_fd >= 0);
	assert_int_equal(unlockpt(master_fd), 0);
	slave_fd = pty_open_peer(master_fd);
	assert_true(slave_fd >= 0);
	assert_int_equal(keep_prepare(&f->prepared, OP, false, NULL, 0), 0);
	assert_int_equal(keep_begin(&f->keep, &f->prepared, f->epoll_fd, f), 0);
	keep_alone(&f->keep, master_fd);
	assert_int_equal(read(slave_fd, &byte, 1), 0); /* end of file */
	assert_true(fill(slave_fd) > 0);
	/* the kernel hands it on a moment later */
	assert_true(is_readable_within(f, 10000));
	keep_move(&f->keep);
	assert_true(f->keep.streams[0].watched);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_records, setup, teardown),
		cmocka_unit_test_setup_teardown(test_records_no_more_than_allowed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reads_only_when_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_release, setup, teardown),
		cmocka_unit_test_setup_teardown(test_terminal, setup, teardown),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
