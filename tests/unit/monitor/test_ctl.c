/* tests of monitor/ctl: connections against garbage, floods and full sockets; unprivileged */
#include "monitor/ctl.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/fd.h"
#include "os/sock.h"

struct fixture {
	struct loop loop;
	struct ctl ctl;
	int client_fd;
	unsigned int requests;
	uint32_t last_type;
};

static void on_request(void *data, const struct ctl_request *request)
{
	struct fixture *fix = data;

	fix->requests++;
	fix->last_type = request->type;
	ctl_answer(request->conn, request->serial, MSG_OK, NULL, NULL, 0);
}

static void on_event(void *data, struct ctl_conn *conn, enum msg_type type)
{
	struct msg msg = { .state = MON_RUNNING };

	(void)data;
	if (type == MSG_STATE)
		(void)ctl_send_event(conn, type, &msg);
}

static int setup(void **state)
{
	struct fixture *fix = calloc(1, sizeof(*fix));
	int pair[2];

	assert_int_equal(loop_init(&fix->loop), 0);
	assert_int_equal(ctl_init(&fix->ctl, &fix->loop), 0);
	fix->ctl.request = on_request;
	fix->ctl.event = on_event;
	fix->ctl.data = fix;
	assert_int_equal(sock_pair(pair), 0);
	assert_int_equal(ctl_add(&fix->ctl, pair[0]), 0);
	fix->client_fd = pair[1];
	assert_int_equal(fd_set_nonblock(fix->client_fd), 0);
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	(void)fd_close(fix->client_fd);
	ctl_done(&fix->ctl);
	loop_done(&fix->loop);
	free(fix);
	return 0;
}

static void send_bytes(struct fixture *fix, const void *bytes, size_t len)
{
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = len };

	assert_int_equal(sock_send(fix->client_fd, &iov, 1, NULL, 0), 0);
	assert_int_equal(loop_run_once(&fix->loop), 0);
}

/* Returns: type of the next message, MSG_NONE when there is none, -1 at the end. */
static int next_type(struct fixture *fix, uint32_t *ret_serial)
{
	char bytes[4096];
	uint32_t type;
	struct msg msg;
	ssize_t n = sock_recv(fix->client_fd, bytes, sizeof(bytes), NULL, 0, NULL);

	if (n == -EAGAIN)
		return MSG_NONE;
	if (n <= 0)
		return -1;
	assert_int_equal(msg_decode(bytes, (size_t)n, &type, ret_serial, &msg, NULL), 0);
	wire_free(&msg_schema, &msg);
	return (int)type;
}

static void test_state_unasked(void **state)
{
	struct fixture *fix = *state;
	uint32_t serial;

	assert_int_equal(next_type(fix, &serial), MSG_STATE);
	assert_int_equal(serial, 0);
	assert_int_equal(next_type(fix, &serial), MSG_NONE);
}

static void test_answer_has_serial(void **state)
{
	struct fixture *fix = *state;
	struct buf out = { 0 };
	uint32_t serial;

	msg_encode(MSG_STATS, 77, NULL, &out);
	send_bytes(fix, out.data, out.len);
	buf_done(&out);
	assert_int_equal(fix->requests, 1);
	assert_int_equal(fix->last_type, MSG_STATS);
	assert_int_equal(next_type(fix, &serial), MSG_STATE);
	assert_int_equal(next_type(fix, &serial), MSG_OK);
	assert_int_equal(serial, 77);
}

/* K2: the connection goes, the program stays. */
static void test_garbage(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "x", 1 },
		{ "\1\0\0\0\1\0\0\0\1\0\0\0\xff\xff\xff\xff", 16 },
		{ "\1\0\0\0\1\0\0\0\1\0\0\0", 12 },
		{ "\1\0\0\0\1\0\0\0\1\0\0\0\3\0\0\0abc", 19 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture *fix;
		void *fresh;
		uint32_t serial;

		assert_int_equal(setup(&fresh), 0);
		fix = fresh;
		send_bytes(fix, cases[i].bytes, cases[i].len);
		assert_int_equal(fix->requests, 0);
		assert_int_equal(next_type(fix, &serial), MSG_STATE);
		assert_int_equal(next_type(fix, &serial), -1);
		assert_false(ctl_has_conns(&fix->ctl));
		assert_int_equal(teardown(&fresh), 0);
	}
	(void)state;
}

/* K1: one who never reads loses events, gets them when it reads again, and blocks nobody. */
static void test_full_socket(void **state)
{
	struct fixture *fix = *state;
	struct pollfd pfd = { .fd = fix->client_fd, .events = POLLIN };
	uint32_t serial;
	int told = 0;

	for (int i = 0; i < 100000 && !fix->ctl.conns[0].pending; i++)
		ctl_announce(&fix->ctl, MSG_STATE);
	assert_true(fix->ctl.conns[0].pending & 1 << MSG_STATE);
	ctl_announce(&fix->ctl, MSG_STATE);
	while (poll(&pfd, 1, 0) > 0 && next_type(fix, &serial) == MSG_STATE)
		told++;
	assert_true(told > 0);
	assert_int_equal(loop_run_once(&fix->loop), 0);
	assert_int_equal(next_type(fix, &serial), MSG_STATE);
	assert_int_equal(fix->ctl.conns[0].pending, 0);
}

static void test_too_many(void **state)
{
	struct fixture *fix = *state;
	int pair[2], clients[CTL_CONNS_MAX];

	for (int i = 1; i < CTL_CONNS_MAX; i++) {
		assert_int_equal(sock_pair(pair), 0);
		assert_int_equal(ctl_add(&fix->ctl, pair[0]), 0);
		clients[i] = pair[1];
	}
	assert_int_equal(sock_pair(pair), 0);
	assert_int_equal(ctl_add(&fix->ctl, pair[0]), -EMFILE);
	(void)fd_close(pair[1]);
	for (int i = 1; i < CTL_CONNS_MAX; i++)
		(void)fd_close(clients[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_state_unasked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answer_has_serial, setup, teardown),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test_setup_teardown(test_full_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
