/* tests of os/sock: datagrams with descriptors, addresses through a directory */
#include "os/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/fd.h"

static void test_fds(void **state)
{
	const struct iovec iov = { .iov_base = (void *)"hello", .iov_len = 5 };
	int pair[2], fds[2], memory_fd = fd_memfd_new("x", "abc", 3);
	const int three[] = { memory_fd, memory_fd, memory_fd };
	size_t n_fds = 9;
	char bytes[16];

	(void)state;
	assert_int_equal(sock_pair(pair), 0);
	assert_int_equal(sock_send(pair[0], &iov, 1, three, 3), 0);
	/* One more came than there is room for: it is closed, not leaked. */
	assert_int_equal(sock_recv(pair[1], bytes, sizeof(bytes), fds, 2, &n_fds), 5);
	assert_int_equal(n_fds, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
		(void)fd_close(fds[i]);
	}
	assert_int_equal(sock_send(pair[0], &iov, 1, NULL, 0), 0);
	assert_int_equal(sock_recv(pair[1], bytes, 4, fds, 2, &n_fds), -EMSGSIZE);
	(void)fd_close(pair[0]);
	assert_int_equal(sock_recv(pair[1], bytes, sizeof(bytes), fds, 2, &n_fds), 0);
	assert_int_equal(sock_send(pair[1], &iov, 1, NULL, 0), -EPIPE);
	(void)fd_close(pair[1]);
	(void)fd_close(memory_fd);
}

/* A path longer than sun_path is no obstacle. */
static void test_long_directory(void **state)
{
	char dir[200] = "/tmp/sysctr-test-XXXXXX", deep[400];
	int dir_fd, listen_fd, client_fd, server_fd;
	struct sock_peer peer;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(deep, sizeof(deep), "%s/%0150d", dir, 0);
	assert_int_equal(mkdir(deep, 0700), 0);
	dir_fd = open(deep, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(sock_connect_at(dir_fd, "s", SOCK_SEQPACKET), -ENOENT);
	listen_fd = sock_listen_at(dir_fd, "s", SOCK_SEQPACKET, 0600);
	assert_true(listen_fd >= 0);
	assert_int_equal(fstatat(dir_fd, "s", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(sock_accept(listen_fd), -EAGAIN);
	client_fd = sock_connect_at(dir_fd, "s", SOCK_SEQPACKET);
	assert_true(client_fd >= 0);
	server_fd = sock_accept(listen_fd);
	assert_true(server_fd >= 0);
	assert_int_equal(sock_get_peer(server_fd, &peer), 0);
	assert_int_equal(peer.pid, getpid());
	(void)fd_close(client_fd);
	(void)fd_close(server_fd);
	(void)fd_close(listen_fd);
	assert_int_equal(sock_connect_at(dir_fd, "s", SOCK_SEQPACKET), -ECONNREFUSED);
	assert_int_equal(unlinkat(dir_fd, "s", 0), 0);
	(void)fd_close(dir_fd);
	assert_int_equal(rmdir(deep), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fds),
		cmocka_unit_test(test_long_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
