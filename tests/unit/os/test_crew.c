/* tests/unit/os/test_crew.c - os/crew.h: work that is shared, fails, hangs, and whoever dies at it */
#include "os/crew.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/macro.h"
#include "os/fd.h"

enum {
	MESSAGES = 1000,
	SECOND_MS = 1000
};

/* Shared by all processes. */
struct board {
	int done[MESSAGES]; /* how often each message was worked on */
	pid_t pid;	    /* who works on "hang" */
};

static int setup(void **state)
{
	*state = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(*state != MAP_FAILED);
	return 0;
}

static int teardown(void **state)
{
	return munmap(*state, sizeof(struct board));
}

static int work(void *data, const char *bytes, size_t len, const int *fds, size_t n_fds,
		char *ret_what)
{
	struct board *board = data;
	int i = 0;

	(void)len;
	(void)snprintf(ret_what, PATH_MAX, "what it was: %s", bytes);
	if (strcmp(bytes, "fail") == 0)
		return -EFBIG;
	if (strcmp(bytes, "die") == 0)
		(void)raise(SIGKILL);
	if (strcmp(bytes, "hang") == 0) {
		board->pid = getpid();
		for (;;)
			(void)pause();
	}
	/* the descriptor of a pipe: who has it may write to it */
	if (n_fds != 1 || write(fds[0], "x", 1) != 1 || sscanf(bytes, "%d", &i) != 1)
		return -EBADMSG;
	(void)__atomic_add_fetch(&board->done[i], 1, __ATOMIC_SEQ_CST);
	return 0;
}

static int hand(struct crew *crew, const char *text, int fd, int timeout_ms, char *what)
{
	return crew_hand(crew, text, strlen(text) + 1, &fd, fd < 0 ? 0 : 1, timeout_ms, what);
}

static void assert_nobody(void)
{
	assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

static void test_shares(void **state)
{
	struct board *board = *state;
	char what[PATH_MAX] = "", text[16], byte;
	struct crew crew;
	int pipe_fds[2], r;

	assert_int_equal(fd_pipe(pipe_fds), 0);
	assert_int_equal(crew_start(&crew, CREW_MAX, work, board), 0);
	for (int i = 0; i < MESSAGES; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		while ((r = hand(&crew, text, pipe_fds[1], SECOND_MS, what)) == -EAGAIN)
			;
		assert_int_equal(r, 0);
		assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	}
	while ((r = crew_finish(&crew, SECOND_MS, what)) == -EAGAIN)
		;
	assert_int_equal(r, 0);
	for (int i = 0; i < MESSAGES; i++)
		assert_int_equal(board->done[i], 1);
	assert_nobody();
	crew_abort(&crew); /* for one that is not there */
	(void)fd_close(pipe_fds[0]);
	(void)fd_close(pipe_fds[1]);
}

/* The answer to @text, after which none of them is there. */
static int outcome(struct board *board, const char *text, char *what)
{
	struct crew crew;
	int r;

	assert_int_equal(crew_start(&crew, 2, work, board), 0);
	assert_int_equal(hand(&crew, text, -1, SECOND_MS, what), 0);
	while ((r = crew_finish(&crew, SECOND_MS, what)) == -EAGAIN)
		;
	assert_nobody();
	return r;
}

static void test_fails(void **state)
{
	char what[PATH_MAX] = "";

	assert_int_equal(outcome(*state, "fail", what), -EFBIG);
	assert_string_equal(what, "what it was: fail");
	assert_int_equal(outcome(*state, "die", what), -EIO);
	assert_int_equal(outcome(*state, "no descriptor", what), -EBADMSG);
}

/* While there is more to come. */
static void test_fails_early(void **state)
{
	char what[PATH_MAX] = "";
	struct crew crew;
	int r;

	assert_int_equal(crew_start(&crew, 2, work, *state), 0);
	assert_int_equal(hand(&crew, "hang", -1, SECOND_MS, what), 0);
	assert_int_equal(hand(&crew, "fail", -1, SECOND_MS, what), 0);
	do
		r = hand(&crew, "hang", -1, 10, what);
	while (r == 0 || r == -EAGAIN);
	assert_int_equal(r, -EFBIG);
	assert_string_equal(what, "what it was: fail");
	assert_nobody();
}

static void test_busy(void **state)
{
	char what[PATH_MAX] = "";
	struct crew crew;

	assert_int_equal(crew_start(&crew, 2, work, *state), 0);
	while (hand(&crew, "hang", -1, 10, what) == 0)
		;
	assert_int_equal(hand(&crew, "hang", -1, 10, what), -EAGAIN);
	assert_int_equal(crew_finish(&crew, 10, what), -EAGAIN);
	crew_abort(&crew);
	assert_nobody();
}

/* C1 */
static void test_killed(void **state)
{
	struct board *board = *state;
	pid_t finder;

	board->pid = 0;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	finder = fork();
	if (finder == 0) {
		char what[PATH_MAX];
		struct crew crew;

		if (crew_start(&crew, 1, work, board) == 0 &&
		    hand(&crew, "hang", -1, SECOND_MS, what) == 0)
			(void)pause();
		_exit(1);
	}
	while (__atomic_load_n(&board->pid, __ATOMIC_SEQ_CST) == 0)
		(void)usleep(1000);
	assert_int_equal(kill(finder, SIGKILL), 0);
	assert_int_equal(waitpid(finder, NULL, 0), finder);
	assert_int_equal(waitpid(board->pid, NULL, 0), board->pid);
	assert_nobody();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shares, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fails_early, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
