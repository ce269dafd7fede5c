/* tests of monitor/supervise: the state table */
#include "monitor/supervise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../golden.h"

/* The whole matrix as text: a changed cell shows in the diff. */
static void test_matrix(void **state)
{
	struct buf text = { 0 };

	(void)state;
	for (unsigned int s = 0; s < MON_STATE_MAX; s++) {
		for (unsigned int e = 0; e < SUP_EVENT_MAX; e++) {
			struct sup_move move = supervise_move(s, e);

			if (move.action == SUP_REFUSE)
				continue;
			buf_printf(&text, "%s + %s: %s -> %s\n", mon_state_name(s),
				   sup_event_name(e), sup_action_name(move.action),
				   mon_state_name(move.next));
		}
	}
	assert_golden("monitor/states.txt", buf_str(&text));
	buf_done(&text);
}

static void test_refused_stays(void **state)
{
	(void)state;
	for (unsigned int s = 0; s < MON_STATE_MAX; s++)
		for (unsigned int e = 0; e < SUP_EVENT_MAX; e++)
			if (supervise_move(s, e).action == SUP_REFUSE)
				assert_int_equal(supervise_move(s, e).next, s);
}

/* From wherever init may die, the way leads to STOPPED and from there to RELEASED only. */
static void test_death_releases(void **state)
{
	static const enum mon_state living[] = { MON_RUNNING, MON_FROZEN, MON_STOPPING };
	struct sup_move move;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(living); i++) {
		move = supervise_move(living[i], SUP_DIED);
		assert_int_equal(move.action, SUP_RELEASE);
		assert_int_equal(move.next, MON_STOPPED);
		assert_int_equal(supervise_move(living[i], SUP_REBOOTED).next, MON_REBOOTING);
	}
	for (unsigned int e = 0; e < SUP_EVENT_MAX; e++) {
		move = supervise_move(MON_STOPPED, e);
		assert_true(move.next == MON_STOPPED || move.next == MON_RELEASED);
		assert_int_equal(supervise_move(MON_RELEASED, e).next, MON_RELEASED);
	}
}

/* No request may leave a caller without an outcome: asking to kill is always allowed. */
static void test_kill_always(void **state)
{
	(void)state;
	for (unsigned int s = 0; s < MON_STATE_MAX; s++)
		assert_int_not_equal(supervise_move(s, SUP_KILL_ASKED).action, SUP_REFUSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_refused_stays),
		cmocka_unit_test(test_death_releases),
		cmocka_unit_test(test_kill_always),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
