/* tests/unit/monitor/test_sysinfo.c - what sysinfo(2) says of a container, from numbers alone */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/sysinfo.h>

#include <cmocka.h>

#include "monitor/intercept.h"

enum {
	MIB = 1 << 20
};

static const struct sysinfo host = {
	.uptime = 1000000,
	.loads = { 1, 2, 3 },
	.totalram = 8000UL * MIB,
	.freeram = 1000UL * MIB,
	.sharedram = 10UL * MIB,
	.bufferram = 20UL * MIB,
	.totalswap = 2000UL * MIB,
	.freeswap = 1500UL * MIB,
	.procs = 300,
	.mem_unit = 1,
};

static struct sysinfo narrow(uint64_t memory, uint64_t swap, const struct cgroup_usage *usage)
{
	struct limits limits = { .memory_bytes = memory, .swap_bytes = swap };
	struct sysinfo info = host;

	sysinfo_narrow(&info, &limits, usage, 7);
	return info;
}

static void without_limits_memory_is_the_hosts(void **state)
{
	struct cgroup_usage usage = { .memory_bytes = 100UL * MIB, .processes = 5 };
	struct sysinfo info = narrow(LIMIT_NONE, LIMIT_NONE, &usage);

	(void)state;
	assert_int_equal(info.totalram, host.totalram);
	assert_int_equal(info.freeram, host.freeram);
	assert_int_equal(info.bufferram, host.bufferram);
	assert_int_equal(info.totalswap, host.totalswap);
	assert_int_equal(info.freeswap, host.freeswap);
	assert_int_equal(info.procs, 5);
	assert_int_equal(info.uptime, 7);
	assert_int_equal(info.loads[2], 3);
}

static void limits_cut_it_down(void **state)
{
	struct cgroup_usage usage = { .memory_bytes = 60UL * MIB, .swap_bytes = 5UL * MIB };
	struct sysinfo info = narrow(100UL * MIB, 30UL * MIB, &usage);

	(void)state;
	assert_int_equal(info.totalram, 100UL * MIB);
	assert_int_equal(info.freeram, 40UL * MIB);
	assert_int_equal(info.sharedram, 0);
	assert_int_equal(info.bufferram, 0);
	assert_int_equal(info.totalswap, 30UL * MIB);
	assert_int_equal(info.freeswap, 25UL * MIB);
}

static void nothing_is_below_zero_or_more_than_the_host_has(void **state)
{
	struct cgroup_usage usage = { .memory_bytes = 101UL * MIB,
				      .swap_bytes = 1,
				      .processes = 100000 };
	struct sysinfo info = narrow(100UL * MIB, 0, &usage);

	(void)state;
	assert_int_equal(info.freeram, 0);
	assert_int_equal(info.totalswap, 0);
	assert_int_equal(info.freeswap, 0);
	assert_int_equal(info.procs, USHRT_MAX);
	usage.memory_bytes = 0;
	info = narrow(7000UL * MIB, 0, &usage);
	assert_int_equal(info.totalram, 7000UL * MIB);
	assert_int_equal(info.freeram, host.freeram);
	info = narrow(9000UL * MIB, 3000UL * MIB, &usage);
	assert_int_equal(info.totalram, host.totalram);
	assert_int_equal(info.totalswap, host.totalswap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_limits_memory_is_the_hosts),
		cmocka_unit_test(limits_cut_it_down),
		cmocka_unit_test(nothing_is_below_zero_or_more_than_the_host_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
