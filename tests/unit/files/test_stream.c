/* tests/unit/files/test_stream.c - files/stream.h: content of files through pipes and sockets */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macro.h"
#include "files/stream.h"
#include "os/fd.h"

enum {
	LEN = 3 * STREAM_SPLICE_MIN + 5
};

/* A file of @len bytes that are not all alike. */
static int make_file(size_t len)
{
	_cleanup_(buf_done) struct buf bytes = { 0 };
	int fd = memfd_create("test", MFD_CLOEXEC);

	for (size_t i = 0; i < len; i++)
		buf_add_char(&bytes, (char)(i * 7 + i / 251));
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes.data, len), 0);
	return fd;
}

static void read_back(int fd, struct buf *out)
{
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(fd, (size_t)4 * LEN, out), 0);
}

/* The other process: @len bytes of @fd as one frame, an end behind it. Exits with put_file's 0 or 1. */
static pid_t send_file(int out_fd, int in_fd, int fd, size_t len)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct stream_out out = { .fd = out_fd };
		int r;

		(void)close(in_fd);
		r = stream_put_file(&out, fd, 0, len);
		if (r >= 0 && stream_put(&out, FRAME_END, "", 1) < 0)
			r = -EIO;
		if (r >= 0 && stream_flush(&out) < 0)
			r = -EIO;
		buf_done(&out.buf);
		_exit(r < 0 ? 9 : r);
	}
	return pid;
}

static int exit_status(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* One frame of @len bytes from a file that has @have. Returns: what stream_put_file() did. */
static int through(const int ends[2], size_t have, size_t len)
{
	_cleanup_(fd_closep) int from_fd = make_file(have);
	_cleanup_(fd_closep) int to_fd = memfd_create("copy", MFD_CLOEXEC);
	_cleanup_(buf_done) struct buf sent = { 0 };
	_cleanup_(buf_done) struct buf came = { 0 };
	pid_t pid = send_file(ends[1], ends[0], from_fd, len);
	struct stream_in in;
	ssize_t n;

	(void)close(ends[1]);
	stream_in_init(&in, ends[0]);
	assert_int_equal(stream_next(&in), 1);
	assert_int_equal(in.type, FRAME_DATA);
	assert_int_equal(in.left, len);
	while ((n = stream_data_to(&in, to_fd)) > 0)
		;
	assert_int_equal(n, 0);
	assert_int_equal(stream_next(&in), 1);
	assert_int_equal(in.type, FRAME_END);
	assert_int_equal(stream_next(&in), 0);
	stream_in_done(&in);
	(void)close(ends[0]);

	read_back(from_fd, &sent);
	read_back(to_fd, &came);
	assert_int_equal(came.len, len);
	assert_memory_equal(came.data, sent.data, MIN(have, len));
	for (size_t i = have; i < len; i++)
		assert_int_equal(came.data[i], 0);
	return exit_status(pid);
}

static void test_pipe(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(fd_pipe(ends), 0);
	assert_int_equal(through(ends, LEN, LEN), 0);
	assert_int_equal(fd_pipe(ends), 0);
	assert_int_equal(through(ends, LEN, 100), 0);
}

static void test_socket(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(through(ends, LEN, LEN), 0);
}

static void test_file_became_shorter(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(fd_pipe(ends), 0);
	assert_int_equal(through(ends, LEN - STREAM_BUFFER - 3, LEN), 1);
	assert_int_equal(fd_pipe(ends), 0);
	assert_int_equal(through(ends, 0, LEN), 1);
}

static void test_nobody_reads(void **state)
{
	_cleanup_(fd_closep) int fd = make_file(LEN);
	struct stream_out out = { 0 };
	int ends[2];

	(void)state;
	assert_int_equal(fd_pipe(ends), 0);
	(void)close(ends[0]);
	out.fd = ends[1];
	assert_int_equal(stream_put_file(&out, fd, 0, LEN), -EPIPE);
	buf_done(&out.buf);
	(void)close(ends[1]);
}

static void test_stream_breaks_off(void **state)
{
	static const char header[] = { FRAME_DATA, 0, 0, 0, 0, 0, 8, 0, 'x' };
	_cleanup_(fd_closep) int to_fd = memfd_create("copy", MFD_CLOEXEC);
	struct stream_in in;
	int ends[2];

	(void)state;
	assert_int_equal(fd_pipe(ends), 0);
	assert_int_equal(fd_write_all(ends[1], header, sizeof(header)), 0);
	(void)close(ends[1]);
	stream_in_init(&in, ends[0]);
	assert_int_equal(stream_next(&in), 1);
	assert_int_equal(stream_data_to(&in, to_fd), 1);
	assert_int_equal(stream_data_to(&in, to_fd), -ECONNABORTED);
	stream_in_done(&in);
	(void)close(ends[0]);
}

static void test_target_takes_nothing(void **state)
{
	_cleanup_(fd_closep) int from_fd = make_file(LEN);
	_cleanup_(fd_closep) int full_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct stream_in in;
	int ends[2];
	pid_t pid;
	ssize_t n;

	(void)state;
	assert_int_equal(fd_pipe(ends), 0);
	pid = send_file(ends[1], ends[0], from_fd, LEN);
	(void)close(ends[1]);
	stream_in_init(&in, ends[0]);
	assert_int_equal(stream_next(&in), 1);
	while ((n = stream_data_to(&in, full_fd)) > 0)
		;
	assert_int_equal(n, -ENOSPC);
	/* the frame's rest is passed over */
	assert_int_equal(stream_next(&in), 1);
	assert_int_equal(in.type, FRAME_END);
	stream_in_done(&in);
	(void)close(ends[0]);
	assert_int_equal(exit_status(pid), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_file_became_shorter),
		cmocka_unit_test(test_nobody_reads),
		cmocka_unit_test(test_stream_breaks_off),
		cmocka_unit_test(test_target_takes_nothing),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
