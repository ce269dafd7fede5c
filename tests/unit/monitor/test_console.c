/* tests of monitor/console with a pty of the build host; unprivileged */
#include "monitor/console.h"

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
#include "os/pty.h"

struct fixture {
	struct loop loop;
	struct console console;
	int slave_fd;
	char dir[32];
	char log[64];
};

static int setup(void **state)
{
	struct fixture *fix = calloc(1, sizeof(*fix));
	int master_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	assert_true(master_fd >= 0);
	assert_int_equal(unlockpt(master_fd), 0);
	(void)snprintf(fix->dir, sizeof(fix->dir), "/tmp/sysctr-test-XXXXXX");
	assert_non_null(mkdtemp(fix->dir));
	(void)snprintf(fix->log, sizeof(fix->log), "%s/console.log", fix->dir);
	assert_int_equal(loop_init(&fix->loop), 0);
	assert_int_equal(console_init(&fix->console, &fix->loop), 0);
	assert_int_equal(conlog_open(&fix->console.log, fix->log, 64, NULL), 0);
	fix->slave_fd = pty_open_peer(master_fd);
	assert_true(fix->slave_fd >= 0);
	assert_int_equal(pty_set_raw(fix->slave_fd), 0);
	assert_int_equal(console_set_master(&fix->console, master_fd), 0);
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;
	char old[80];

	(void)snprintf(old, sizeof(old), "%s.1", fix->log);
	console_done(&fix->console);
	loop_done(&fix->loop);
	(void)fd_close(fix->slave_fd);
	(void)unlink(old);
	assert_int_equal(unlink(fix->log), 0);
	assert_int_equal(rmdir(fix->dir), 0);
	free(fix);
	return 0;
}

static void say(struct fixture *fix, const char *text)
{
	assert_int_equal(fd_write_all(fix->slave_fd, text, strlen(text)), 0);
	assert_int_equal(loop_run_once(&fix->loop), 0);
}

static void assert_hears(int fd, const char *text)
{
	char bytes[256];
	ssize_t n = recv(fd, bytes, sizeof(bytes) - 1, MSG_DONTWAIT);

	bytes[n > 0 ? n : 0] = '\0';
	assert_string_equal(bytes, text);
}

static void test_replay_and_follow(void **state)
{
	struct fixture *fix = *state;
	bool writer;
	int fd;

	say(fix, "one\ntwo\nthree\n");
	fd = console_attach(&fix->console, 2, false, &writer);
	assert_true(fd >= 0);
	assert_true(writer);
	assert_hears(fd, "two\nthree\n");
	say(fix, "four\n");
	assert_hears(fd, "four\n");
	(void)fd_close(fd);
	say(fix, "five\n"); /* nobody listens: no harm */
}

/* C2, and force. */
static void test_one_writer(void **state)
{
	struct fixture *fix = *state;
	bool first, second, third;
	int fds[3];
	char bytes[16] = "";

	fds[0] = console_attach(&fix->console, 0, false, &first);
	fds[1] = console_attach(&fix->console, 0, false, &second);
	assert_true(first);
	assert_false(second);
	assert_hears(fds[0], "");
	assert_hears(fds[1],
		     "\r\n[read-only: somebody else types on this console; attach with force "
		     "to take it over]\r\n");
	assert_int_equal(fd_write_all(fds[1], "no", 2), 0);
	assert_int_equal(loop_run_once(&fix->loop), 0);
	assert_int_equal(fd_write_all(fds[0], "yes", 3), 0);
	assert_int_equal(loop_run_once(&fix->loop), 0);
	assert_int_equal(read(fix->slave_fd, bytes, sizeof(bytes)), 3);
	assert_memory_equal(bytes, "yes", 3);
	fds[2] = console_attach(&fix->console, 0, true, &third);
	assert_true(third);
	assert_hears(fds[0], "\r\n[somebody else has taken over this console: it is read-only here "
			     "now]\r\n");
	assert_hears(fds[1], "");
	assert_hears(fds[2], "");
	assert_int_equal(fd_write_all(fds[2], "force", 5), 0);
	assert_int_equal(loop_run_once(&fix->loop), 0);
	assert_int_equal(read(fix->slave_fd, bytes, sizeof(bytes)), 5);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		(void)fd_close(fds[i]);
}

static void test_too_many(void **state)
{
	struct fixture *fix = *state;
	int fds[CONSOLE_WATCHERS_MAX];
	bool writer;

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = console_attach(&fix->console, 0, false, &writer);
		assert_true(fds[i] >= 0);
	}
	assert_int_equal(console_attach(&fix->console, 0, true, &writer), -EMFILE);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		(void)fd_close(fds[i]);
}

static void test_log_is_bounded(void **state)
{
	struct fixture *fix = *state;
	struct stat st;
	char old[80];
	struct buf text = { 0 };
	int fd;

	for (int i = 0; i < 20; i++)
		say(fix, "ten bytes\n");
	(void)snprintf(old, sizeof(old), "%s.1", fix->log);
	assert_int_equal(stat(fix->log, &st), 0);
	assert_in_range(st.st_size, 1, 64);
	assert_int_equal(stat(old, &st), 0);
	assert_in_range(st.st_size, 1, 64);
	fd = console_snapshot(&fix->console);
	assert_int_equal(fd_read_all(fd, 4096, &text), 0);
	assert_int_equal(text.len, 200);
	(void)fd_close(fd);
	buf_done(&text);
	console_clear(&fix->console);
	assert_int_equal(stat(fix->log, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(stat(old, &st), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_replay_and_follow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_writer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log_is_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
