/* tests of os/cgroup_plan */
#include "os/cgroup_plan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../golden.h"
#include "base/buf.h"
#include "base/mem.h"

static const char unified_mounts[] =
	"22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n"
	"30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
	"90 22 0:26 /system.slice /var/lib/x rw - cgroup2 cgroup2 rw\n";

static const char hybrid_mounts[] =
	"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
	"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
	"34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"
	"35 31 0:32 / /sys/fs/cgroup/me\\040mory rw,relatime - cgroup cgroup rw,memory\n"
	"36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices\n"
	"39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
	"40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n"
	"44 31 0:39 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio\n"
	"42 31 0:37 /docker/1 /some/where rw,relatime - cgroup cgroup rw,name=systemd\n"
	"43 31 0:36 / /again/pids rw,relatime - cgroup cgroup rw,pids\n"
	"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

static const struct cgroup_limits no_limits = {
	.cpu_weight = 100,
	.cpu_quota_us = CGROUP_NO_LIMIT,
	.cpu_period_us = 100000,
	.memory_bytes = CGROUP_NO_LIMIT,
	.swap_bytes = CGROUP_NO_LIMIT,
	.pids = CGROUP_NO_LIMIT,
	.descendants = CGROUP_NO_LIMIT,
};

static const struct cgroup_limits all_limits = {
	.cpus = "0-1,3",
	.cpu_weight = 50,
	.cpu_quota_us = 25000,
	.cpu_period_us = 50000,
	.memory_bytes = 512 << 20,
	.swap_bytes = 128 << 20,
	.pids = 500,
	.descendants = 10000,
};

static struct cgroup_host host_of(const char *mounts, const char *controllers)
{
	struct cgroup_host host;

	assert_int_equal(cgroup_host_parse(mounts, &host, NULL), 0);
	cgroup_host_set_controllers(&host, controllers);
	return host;
}

static void test_unified_host(void **state)
{
	struct cgroup_host host = host_of(unified_mounts, "cpuset cpu io memory hugetlb pids\n");

	(void)state;
	assert_string_equal(host.unified, "/sys/fs/cgroup");
	assert_int_equal(host.n_v1, 0);
	assert_true(host.v2_has[CGROUP_CPU] && host.v2_has[CGROUP_PIDS] && host.v2_has[CGROUP_IO]);
	assert_int_equal(host.v1_of[CGROUP_MEMORY], -1);
}

static void test_hybrid_host(void **state)
{
	struct cgroup_host host = host_of(hybrid_mounts, "");

	(void)state;
	assert_string_equal(host.unified, "/sys/fs/cgroup/unified");
	/* a bind of a part and a second mount of the same hierarchy do not count as controllers */
	assert_int_equal(host.v1_of[CGROUP_CPU], 0);
	assert_int_equal(host.v1_of[CGROUP_CPUACCT], 0);
	assert_int_equal(host.v1_of[CGROUP_CPUSET], 1);
	assert_string_equal(host.v1_mounts[host.v1_of[CGROUP_MEMORY]], "/sys/fs/cgroup/me mory");
	assert_string_equal(host.v1_mounts[host.v1_of[CGROUP_PIDS]], "/sys/fs/cgroup/pids");
	assert_string_equal(host.v1_mounts[5], "/sys/fs/cgroup/systemd");
	assert_false(host.v2_has[CGROUP_MEMORY]);
}

static void test_hosts_that_cannot_be(void **state)
{
	static const char *const texts[] = {
		"",
		"garbage",
		" - ",
		"1 2 3 / /x rw - cgroup2",
		"1 2 3 /sub /x rw - cgroup2 cgroup2 rw\n",
		"1 2 3 / /x rw - cgroup cgroup rw,memory\n",
	};
	struct cgroup_host host;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err err = { 0 };

		assert_true(cgroup_host_parse(texts[i], &host, &err) < 0);
		assert_int_equal(err.kind, ERR_UNSUPPORTED);
	}
}

static void test_many_hierarchies(void **state)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	struct cgroup_host host;

	(void)state;
	buf_add_str(&text, unified_mounts);
	for (int i = 0; i < 100; i++)
		buf_printf(&text, "50 1 0:99 / /cg/%d rw - cgroup cgroup rw,name=x%d\n", i, i);
	assert_int_equal(cgroup_host_parse(buf_str(&text), &host, NULL), 0);
	assert_int_equal(host.n_v1, CGROUP_V1_MAX);
}

static void writes_to_text(const struct cgroup_host *host, const struct cgroup_plan *plan,
			   const char *title, struct buf *out)
{
	buf_printf(out, "# %s\n", title);
	for (size_t i = 0; i < plan->len; i++) {
		const struct cgroup_write *write = &plan->writes[i];

		buf_printf(out, "%s/%s%s = \"%s\"\n",
			   write->hierarchy < 0 ? host->unified : host->v1_mounts[write->hierarchy],
			   write->file, write->optional ? " (optional)" : "",
			   strcmp(write->text, "\n") == 0 ? "\\n" : write->text);
	}
}

static void plan_to_text(const struct cgroup_host *host, const struct cgroup_limits *limits,
			 const char *title, struct buf *out)
{
	struct cgroup_plan plan;

	assert_int_equal(cgroup_plan_limits(host, limits, &plan, NULL), 0);
	writes_to_text(host, &plan, title, out);
}

static void io_to_text(const struct cgroup_host *host, struct buf *out)
{
	const struct cgroup_io io = {
		.major = 259,
		.minor = 3,
		.read_bytes = 1 << 20,
		.write_bytes = CGROUP_NO_LIMIT,
		.read_ops = CGROUP_NO_LIMIT,
		.write_ops = 70,
	};
	struct cgroup_plan plan;

	assert_int_equal(cgroup_plan_io(host, &io, &plan, NULL), 0);
	writes_to_text(host, &plan, "a device", out);
}

static void check_plans(const struct cgroup_host *host, const char *golden)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	struct cgroup_limits limits = all_limits;

	plan_to_text(host, &no_limits, "no limits", &text);
	plan_to_text(host, &limits, "all limits", &text);
	limits.swap_bytes = 0;
	plan_to_text(host, &limits, "no swap", &text);
	limits.memory_bytes = CGROUP_NO_LIMIT;
	plan_to_text(host, &limits, "no swap, all memory", &text);
	limits.memory_bytes = UINT64_MAX - 2;
	limits.swap_bytes = 4096;
	plan_to_text(host, &limits, "a sum that would overflow", &text);
	io_to_text(host, &text);
	assert_golden(golden, buf_str(&text));
}

static void test_plan_unified(void **state)
{
	struct cgroup_host host = host_of(unified_mounts, "cpuset cpu io memory pids");

	(void)state;
	check_plans(&host, "cgroup/unified.txt");
}

static void test_plan_hybrid(void **state)
{
	struct cgroup_host host = host_of(hybrid_mounts, "");

	(void)state;
	check_plans(&host, "cgroup/hybrid.txt");
}

/* memory moved to cgroup2 (cgroup_no_v1=memory), the rest still v1 */
static void test_plan_mixed(void **state)
{
	struct cgroup_host host = host_of(hybrid_mounts, "memory io");

	(void)state;
	host.v1_of[CGROUP_MEMORY] = host.v1_of[CGROUP_IO] = -1;
	check_plans(&host, "cgroup/mixed.txt");
}

static void test_missing_controller(void **state)
{
	struct cgroup_host host = host_of(unified_mounts, "cpu");
	struct cgroup_limits limits = no_limits;
	struct cgroup_plan plan;
	struct err err = { 0 };

	(void)state;
	limits.pids = 16384; /* a default: no reason to refuse */
	assert_int_equal(cgroup_plan_limits(&host, &limits, &plan, &err), 0);
	limits.memory_bytes = 1 << 20;
	assert_true(cgroup_plan_limits(&host, &limits, &plan, &err) < 0);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	assert_non_null(strstr(err.msg, "memory"));
	assert_true(cgroup_plan_io(&host, &(struct cgroup_io){ 0 }, &plan, &err) < 0);
	assert_non_null(strstr(err.msg, "no io controller"));
}

static void test_bad_limits(void **state)
{
	struct cgroup_host host = host_of(unified_mounts, "cpu cpuset");
	_cleanup_(freep) char *long_list = xcalloc(1, CGROUP_TEXT_LEN + 1);
	struct cgroup_limits cases[] = { no_limits, no_limits, no_limits, no_limits,
					 no_limits, no_limits, no_limits };
	struct cgroup_plan plan;

	(void)state;
	memset(long_list, '1', CGROUP_TEXT_LEN);
	cases[0].cpu_weight = 0;
	cases[1].cpu_weight = 10001;
	cases[2].cpu_period_us = 999;
	cases[3].cpu_quota_us = 0;
	cases[4].cpus = "";
	cases[5].cpus = "0\n1";
	cases[6].cpus = long_list;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(cgroup_plan_limits(&host, &cases[i], &plan, NULL), -EINVAL);
}

static void test_weights(void **state)
{
	(void)state;
	assert_int_equal(cgroup_shares_from_weight(100), 1024);
	assert_int_equal(cgroup_shares_from_weight(50), 512);
	assert_int_equal(cgroup_shares_from_weight(1), 10);
	assert_int_equal(cgroup_shares_from_weight(10000), 102400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unified_host),
		cmocka_unit_test(test_hybrid_host),
		cmocka_unit_test(test_hosts_that_cannot_be),
		cmocka_unit_test(test_many_hierarchies),
		cmocka_unit_test(test_plan_unified),
		cmocka_unit_test(test_plan_hybrid),
		cmocka_unit_test(test_plan_mixed),
		cmocka_unit_test(test_missing_controller),
		cmocka_unit_test(test_bad_limits),
		cmocka_unit_test(test_weights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
