/* tests of aio/seqpkt */
#include "aio/seqpkt.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/macro.h"
#include "os/fd.h"
#include "os/sock.h"

enum {
	MAX_BYTES = 1024
};

struct end {
	struct seqpkt *conn;
	size_t messages;
	size_t last_len;
	int fd;
	int closed;
	int code;
	bool free_on_message;
};

static void on_message(void *data, const void *bytes, size_t len, int *fds, size_t n_fds)
{
	struct end *end = data;

	(void)bytes;
	end->messages++;
	end->last_len = len;
	if (n_fds > 0) {
		(void)fd_close(end->fd);
		end->fd = TAKE_FD(fds[0]);
	}
	if (end->free_on_message)
		end->conn = seqpkt_free(end->conn);
}

static void on_closed(void *data, int code)
{
	struct end *end = data;

	end->closed++;
	end->code = code;
	end->conn = seqpkt_free(end->conn);
}

static const struct seqpkt_handler handler = { on_message, on_closed };

struct pair {
	struct aio_loop *loop;
	struct end ends[2];
};

static void pair_init(struct pair *pair)
{
	int fds[2];

	*pair = (struct pair){ .loop = aio_loop_new(), .ends = { { .fd = -1 }, { .fd = -1 } } };
	assert_int_equal(seqpkt_pair(fds), 0);
	assert_int_equal(fd_set_nonblock(fds[1]), 0);
	for (int i = 0; i < 2; i++)
		pair->ends[i].conn =
			seqpkt_new(pair->loop, fds[i], MAX_BYTES, &handler, &pair->ends[i]);
}

static void pair_done(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		pair->ends[i].conn = seqpkt_free(pair->ends[i].conn);
		(void)fd_close(pair->ends[i].fd);
	}
	(void)aio_loop_free(pair->loop);
}

static void test_descriptors_travel(void **state)
{
	struct pair pair;
	struct stat before, after;
	int fds[2];

	(void)state;
	pair_init(&pair);
	assert_int_equal(fd_pipe(fds), 0);
	assert_int_equal(seqpkt_send(pair.ends[0].conn, "hello", 5, fds, 2), 0);
	while (pair.ends[1].messages == 0)
		(void)aio_loop_turn(pair.loop, 1);
	assert_int_equal(pair.ends[1].last_len, 5);
	assert_int_equal(fstat(fds[0], &before), 0);
	assert_int_equal(fstat(pair.ends[1].fd, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	(void)close(fds[0]);
	(void)close(fds[1]);
	pair_done(&pair);
}

static void test_queue_is_bounded_and_drains(void **state)
{
	struct pair pair;
	char bytes[MAX_BYTES] = "x";
	size_t sent = 0;
	int fds[2];
	int rc;

	(void)state;
	pair_init(&pair);
	assert_int_equal(fd_pipe(fds), 0);
	while ((rc = seqpkt_send(pair.ends[0].conn, bytes, sizeof(bytes), fds, 1)) == 0)
		sent++;
	assert_int_equal(rc, -ENOBUFS);
	assert_true(sent > SEQPKT_QUEUE_MAX);
	(void)close(fds[0]);
	(void)close(fds[1]);
	while (pair.ends[1].messages < sent)
		(void)aio_loop_turn(pair.loop, 1);
	assert_int_equal(seqpkt_send(pair.ends[0].conn, bytes, 1, NULL, 0), 0);
	while (pair.ends[1].messages < sent + 1)
		(void)aio_loop_turn(pair.loop, 1);
	assert_int_equal(pair.ends[1].last_len, 1);
	pair_done(&pair);
}

static void test_ends(void **state)
{
	struct pair pair;
	char bytes[MAX_BYTES + 1] = "x";

	(void)state;
	/* What was sent before the end arrives before it. */
	pair_init(&pair);
	assert_int_equal(seqpkt_send(pair.ends[0].conn, bytes, 3, NULL, 0), 0);
	pair.ends[0].conn = seqpkt_free(pair.ends[0].conn);
	aio_loop_run(pair.loop);
	assert_int_equal(pair.ends[1].messages, 1);
	assert_int_equal(pair.ends[1].closed, 1);
	assert_int_equal(pair.ends[1].code, 0);
	pair_done(&pair);

	pair_init(&pair);
	assert_int_equal(seqpkt_send(pair.ends[0].conn, bytes, sizeof(bytes), NULL, 0), 0);
	aio_loop_run(pair.loop);
	assert_int_equal(pair.ends[1].code, -EMSGSIZE);
	assert_int_equal(pair.ends[0].closed, 1);
	pair_done(&pair);

	/* Freed from inside its own callback, with more messages waiting. */
	pair_init(&pair);
	pair.ends[1].free_on_message = true;
	for (int i = 0; i < 3; i++)
		assert_int_equal(seqpkt_send(pair.ends[0].conn, bytes, 3, NULL, 0), 0);
	aio_loop_run(pair.loop);
	assert_int_equal(pair.ends[1].messages, 1);
	assert_int_equal(pair.ends[1].closed, 0);
	assert_int_equal(pair.ends[0].closed, 1);
	pair_done(&pair);
}

static void test_long_path(void **state)
{
	char dir[] = "/tmp/test_seqpkt.XXXXXX";
	char path[512];
	char deep[200];
	int fd = -1;

	(void)state;
	assert_non_null(mkdtemp(dir));
	memset(deep, 'd', sizeof(deep));
	deep[sizeof(deep) - 1] = '\0';
	(void)snprintf(path, sizeof(path), "%s/%s", dir, deep);
	assert_int_equal(mkdir(path, 0700), 0);
	int dir_fd = open(path, O_PATH | O_CLOEXEC);
	int listen_fd = sock_listen_at(dir_fd, "ctl.sock", SOCK_SEQPACKET, 0600);

	assert_true(listen_fd >= 0);
	(void)snprintf(path, sizeof(path), "%s/%s/ctl.sock", dir, deep);
	assert_int_equal(seqpkt_connect(path, &fd), 0);
	(void)close(fd);
	(void)close(listen_fd);
	assert_int_equal(seqpkt_connect(path, &fd), -ECONNREFUSED);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(seqpkt_connect(path, &fd), -ENOENT);
	(void)close(dir_fd);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, deep);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors_travel),
		cmocka_unit_test(test_queue_is_bounded_and_drains),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_long_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
