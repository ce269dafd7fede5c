/* tests of monitor/sync: what monitor and child say between clone and exec */
#include "monitor/sync.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/fd.h"
#include "os/sock.h"

static void test_order(void **state)
{
	struct sync_msg msg;
	int pair[2], fd = -EBADF, memory_fd = fd_memfd_new("x", "y", 1);

	(void)state;
	assert_int_equal(sock_pair(pair), 0);
	assert_int_equal(sync_recv(pair[0], 0, &msg, &fd), -ETIMEDOUT);
	assert_int_equal(sync_send(pair[1], SYNC_CONSOLE, memory_fd, NULL), 0);
	assert_int_equal(sync_recv(pair[0], 1000, &msg, &fd), 1);
	assert_int_equal(msg.kind, SYNC_CONSOLE);
	assert_true(fd >= 0);
	(void)fd_close(fd);
	assert_int_equal(sync_send(pair[0], SYNC_GO, -EBADF, NULL), 0);
	assert_int_equal(sync_expect(pair[1], SYNC_GO, NULL), 0);
	assert_int_equal(sync_send(pair[0], SYNC_IDS, -EBADF, NULL), 0);
	assert_int_equal(sync_expect(pair[1], SYNC_ROOT, &fd), -EBADMSG);
	(void)fd_close(pair[0]);
	assert_int_equal(sync_expect(pair[1], SYNC_GO, NULL), -ECONNABORTED);
	(void)fd_close(pair[1]);
	(void)fd_close(memory_fd);
}

/* The child fails while a message to it lies unread: its last words must not be lost. */
static void test_last_words(void **state)
{
	struct err err = { 0 };
	struct sync_msg msg;
	int pair[2], fd;

	(void)state;
	err_set(&err, -ENOENT, "exec: \"/sbin/init\"");
	assert_int_equal(sock_pair(pair), 0);
	assert_int_equal(sync_send(pair[0], SYNC_GO, -EBADF, NULL), 0);
	assert_int_equal(sync_send(pair[1], SYNC_FAILED, -EBADF, &err), 0);
	(void)fd_close(pair[1]);
	assert_int_equal(sync_recv(pair[0], 1000, &msg, &fd), 1);
	assert_int_equal(msg.kind, SYNC_FAILED);
	assert_int_equal(msg.err.code, -ENOENT);
	assert_string_equal(msg.err.msg, err.msg);
	assert_int_equal(sync_recv(pair[0], 1000, &msg, &fd), 0);
	assert_int_equal(sync_send(pair[0], SYNC_GO, -EBADF, NULL), -EPIPE);
	(void)fd_close(pair[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_last_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
