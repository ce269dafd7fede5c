/* tests of spec/limits, and of its way through the wire */
#include "spec/limits.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "spec/instance.h"

static void set_pairs(struct strmap *config, const char *pairs)
{
	_cleanup_(strv_freep) char **list = strv_split(pairs, " ");

	for (char **pair = list; pair && *pair; pair++) {
		char *value = strchr(*pair, '=');

		*value = '\0';
		strmap_set(config, *pair, value + 1);
	}
}

static void test_resolving(void **state)
{
	enum {
		MIB = 1 << 20
	};
	static const struct {
		const char *config;
		struct limits limits; /* zero numbers are not looked at */
		uint32_t count;
	} cases[] = {
		{ "",
		  { .cpu_weight = 100,
		    .cpu_quota_us = LIMIT_NONE,
		    .cpu_period_us = 100000,
		    .memory_bytes = LIMIT_NONE,
		    .memory_soft_bytes = LIMIT_NONE,
		    .swap_bytes = LIMIT_NONE,
		    .pids = 16384 },
		  0 },
		{ "limits.cpu=2", { 0 }, 2 },
		{ "limits.cpu=0-1,3", { .cpus = (char *)"0-1,3" }, 0 },
		{ "limits.cpu.allowance=50%", { .cpu_weight = 50, .cpu_quota_us = LIMIT_NONE }, 0 },
		{ "limits.cpu.allowance=25ms/200ms",
		  { .cpu_weight = 100, .cpu_quota_us = 25000, .cpu_period_us = 200000 },
		  0 },
		{ "limits.cpu.priority=0", { .cpu_weight = 9 }, 0 },
		{ "limits.cpu.priority=0 limits.cpu.allowance=1%", { .cpu_weight = 1 }, 0 },
		{ "limits.memory=512MiB", { .memory_bytes = 512ULL * MIB }, 0 },
		{ "limits.memory=50%", { .memory_bytes = 500000000 }, 0 },
		{ "limits.memory=64MiB limits.memory.enforce=soft",
		  { .memory_bytes = LIMIT_NONE, .memory_soft_bytes = 64ULL * MIB },
		  0 },
		{ "limits.memory.swap=true", { .swap_bytes = LIMIT_NONE }, 0 },
		{ "limits.memory.swap=10MiB", { .swap_bytes = 10ULL * MIB }, 0 },
		{ "limits.processes=500", { .pids = 500 }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strmap config = { 0 };
		struct limits got;
		const struct limits *want = &cases[i].limits;
		uint32_t count;

		set_pairs(&config, cases[i].config);
		assert_int_equal(limits_from_config(&config, 1000000000, &got, &count, NULL), 0);
		assert_int_equal(count, cases[i].count);
		assert_true(streq(got.cpus, want->cpus));
		assert_true(!want->cpu_weight || got.cpu_weight == want->cpu_weight);
		assert_true(!want->cpu_quota_us || got.cpu_quota_us == want->cpu_quota_us);
		assert_true(!want->cpu_period_us || got.cpu_period_us == want->cpu_period_us);
		assert_true(!want->memory_bytes || got.memory_bytes == want->memory_bytes);
		assert_true(!want->memory_soft_bytes ||
			    got.memory_soft_bytes == want->memory_soft_bytes);
		assert_true(!want->swap_bytes || got.swap_bytes == want->swap_bytes);
		assert_true(!want->pids || got.pids == want->pids);
		wire_free(&limits_schema, &got);
		strmap_done(&config);
	}
}

static void test_no_swap(void **state)
{
	struct strmap config = { 0 };
	struct limits limits;
	uint32_t count;

	(void)state;
	set_pairs(&config, "limits.memory.swap=false");
	assert_int_equal(limits_from_config(&config, 1, &limits, &count, NULL), 0);
	assert_int_equal(limits.swap_bytes, 0);
	strmap_done(&config);
}

static void test_errors(void **state)
{
	struct strmap config = { 0 };
	struct limits limits = { .pids = 1 };
	struct err err = { 0 };
	uint32_t count;

	(void)state;
	set_pairs(&config, "limits.cpu=2 limits.memory=much user.x=y");
	assert_int_equal(limits_from_config(&config, 1, &limits, &count, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "limits.memory=\"much\""));
	assert_int_equal(limits.pids, 1);
	strmap_done(&config);
}

static void test_spec_through_the_wire(void **state)
{
	struct inst_spec in = { .name = xstrdup("web1"), .root_kind = ROOT_OVERLAY }, out = { 0 };
	struct buf bytes = { 0 };

	(void)state;
	in.limits.cpus = xstrdup("0-1");
	in.limits.memory_bytes = LIMIT_NONE;
	vec_push(&in.nics)->name = xstrdup("eth0");
	strmap_set(&in.environment, "PATH", "/bin");
	strv_push(&in.init.argv, "/sbin/init");
	wire_encode(&inst_spec_schema, &in, &bytes);
	assert_int_equal(wire_decode(&inst_spec_schema, bytes.data, bytes.len, &out, NULL), 0);
	assert_string_equal(out.name, "web1");
	assert_int_equal(out.root_kind, ROOT_OVERLAY);
	assert_string_equal(out.limits.cpus, "0-1");
	assert_true(out.limits.memory_bytes == LIMIT_NONE);
	assert_string_equal(out.nics.items[0].name, "eth0");
	assert_string_equal(out.init.argv[0], "/sbin/init");
	wire_free(&inst_spec_schema, &in);
	wire_free(&inst_spec_schema, &out);
	buf_done(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolving),
		cmocka_unit_test(test_no_swap),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_spec_through_the_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
