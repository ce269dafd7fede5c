/* tests of aio/loop, aio/timer, aio/poll and aio/signal */
#include "aio/loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "aio/poll.h"
#include "aio/signal.h"
#include "aio/timer.h"
#include "base/buf.h"
#include "base/time.h"
#include "os/fd.h"

/* Notes the order of calls: each adds its letter. */
struct note {
	struct buf *log;
	struct aio_loop *loop;
	struct aio_timer timer;
	char letter;
};

static void on_note(void *data)
{
	struct note *note = data;

	buf_add_char(note->log, note->letter);
}

static void test_timers_run_in_order(void **state)
{
	struct aio_loop *loop = aio_loop_new();
	struct buf log = { 0 };
	struct note notes[50] = { 0 };
	static const unsigned int delays[] = { 9, 3, 7, 1, 5, 5, 8, 2 };

	(void)state;
	aio_loop_advance(loop, 0);
	for (size_t i = 0; i < ARRAY_LEN(delays); i++) {
		notes[i].log = &log;
		notes[i].letter = (char)('a' + i);
		aio_timer_start(loop, &notes[i].timer, delays[i], on_note, &notes[i]);
	}
	aio_timer_stop(&notes[2].timer);
	aio_timer_stop(&notes[2].timer);
	aio_loop_advance(loop, 5);
	assert_string_equal(buf_str(&log), "dhbef");
	assert_true(aio_timer_armed(&notes[0].timer));
	assert_false(aio_timer_armed(&notes[1].timer));
	aio_loop_advance(loop, 100);
	assert_string_equal(buf_str(&log), "dhbefga");
	buf_done(&log);
	(void)aio_loop_free(loop);
}

/* Random starts and stops against the simplest possible model. */
static void test_heap_stays_sorted(void **state)
{
	struct aio_loop *loop = aio_loop_new();
	struct note notes[50] = { 0 };
	struct buf log = { 0 };
	uint32_t seed = 12345;
	size_t armed = 0;

	(void)state;
	aio_loop_advance(loop, 0);
	uint64_t start_ns = aio_now(loop);

	for (int i = 0; i < 5000; i++) {
		seed = seed * 1664525 + 1013904223;
		struct note *note = &notes[(seed >> 8) % ARRAY_LEN(notes)];

		note->log = &log;
		note->letter = 'x';
		if (seed & (1U << 30))
			aio_timer_stop(&note->timer);
		else
			aio_timer_start(loop, &note->timer, (seed >> 4) % 1000, on_note, note);
	}
	for (size_t i = 0; i < ARRAY_LEN(notes); i++)
		armed += aio_timer_armed(&notes[i].timer);
	for (int i = 0; i <= 1000; i += 100) {
		aio_loop_advance(loop, 100);
		for (size_t k = 0; k < ARRAY_LEN(notes); k++)
			if (aio_timer_armed(&notes[k].timer))
				assert_true(notes[k].timer.due_ns > aio_now(loop));
	}
	assert_int_equal(log.len, armed);
	assert_int_equal(aio_now(loop) - start_ns, 1100);
	buf_done(&log);
	(void)aio_loop_free(loop);
}

static void on_note_again(void *data)
{
	struct note *note = data;

	on_note(note);
	if (note->log->len < 3)
		aio_timer_start(note->loop, &note->timer, 0, on_note_again, note);
}

static void test_real_time(void **state)
{
	struct aio_loop *loop = aio_loop_new();
	struct buf log = { 0 };
	struct note again = { .log = &log, .loop = loop, .letter = 'z' };
	struct note late = { .log = &log, .loop = loop, .letter = 'l' };
	uint64_t start_ns = aio_now(loop);

	(void)state;
	aio_timer_start(loop, &late.timer, 20 * NS_PER_MS, on_note, &late);
	aio_timer_start(loop, &again.timer, 0, on_note_again, &again);
	aio_loop_run(loop);
	assert_string_equal(buf_str(&log), "zzzl");
	assert_true(aio_now(loop) - start_ns >= 20 * NS_PER_MS);
	buf_done(&log);
	(void)aio_loop_free(loop);
}

static void on_note_defer(void *data)
{
	struct note *note = data;

	on_note(note);
	note->letter++;
	aio_defer(note->loop, on_note, note);
}

static void test_defer(void **state)
{
	struct aio_loop *loop = aio_loop_new();
	struct buf log = { 0 };
	struct note a = { .log = &log, .loop = loop, .letter = 'a' };
	struct note b = { .log = &log, .loop = loop, .letter = 'x' };

	(void)state;
	aio_defer(loop, on_note_defer, &a);
	aio_defer(loop, on_note, &b);
	assert_int_equal(log.len, 0);
	(void)aio_loop_turn(loop, 0);
	assert_string_equal(buf_str(&log), "ax");
	aio_loop_run(loop);
	assert_string_equal(buf_str(&log), "axb");
	/* What never ran is dropped with the loop. */
	aio_defer(loop, on_note, &a);
	(void)aio_loop_free(loop);
	assert_int_equal(log.len, 3);
	buf_done(&log);
}

struct reader {
	struct aio_poll *poll;
	int fd;
	unsigned int ready;
};

static void on_readable(void *data, unsigned int ready)
{
	struct reader *reader = data;

	reader->ready = ready;
	reader->poll = aio_poll_free(reader->poll);
}

static void test_poll(void **state)
{
	struct aio_loop *loop = aio_loop_new();
	struct reader reader = { 0 };
	int fds[2];

	(void)state;
	assert_int_equal(fd_pipe(fds), 0);
	reader.poll = aio_poll_new(loop, fds[0], on_readable, &reader);
	assert_int_equal(write(fds[1], "x", 1), 1);
	aio_poll_set(reader.poll, AIO_READ);
	aio_poll_set(reader.poll, 0);
	(void)aio_loop_turn(loop, 0);
	assert_int_equal(reader.ready, 0);
	aio_poll_set(reader.poll, AIO_READ);
	aio_loop_run(loop);
	assert_int_equal(reader.ready, AIO_READ);
	/* A pipe without readers is in error: all that was wanted is reported. */
	(void)close(fds[0]);
	reader.poll = aio_poll_new(loop, fds[1], on_readable, &reader);
	aio_poll_set(reader.poll, AIO_WRITE);
	aio_loop_run(loop);
	assert_int_equal(reader.ready, AIO_WRITE);
	(void)close(fds[1]);
	(void)aio_loop_free(loop);
}

static void on_sig(void *data, int signum)
{
	*(int *)data = signum;
}

static void test_signal(void **state)
{
	struct aio_loop *loop = aio_loop_new();
	int seen = 0;
	struct aio_signal *watch = aio_signal_new(loop, SIGUSR1, on_sig, &seen);

	(void)state;
	(void)raise(SIGUSR1);
	(void)aio_loop_turn(loop, 1);
	assert_int_equal(seen, SIGUSR1);
	watch = aio_signal_free(watch);
	assert_null(watch);
	aio_loop_run(loop);
	(void)aio_loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timers_run_in_order),
		cmocka_unit_test(test_heap_stays_sorted),
		cmocka_unit_test(test_real_time),
		cmocka_unit_test(test_defer),
		cmocka_unit_test(test_poll),
		cmocka_unit_test(test_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
