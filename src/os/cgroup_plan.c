/* os/cgroup_plan.c - see cgroup_plan.h */
#include "os/cgroup_plan.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"

enum {
	MOUNTINFO_MAX = 4 * 1024 * 1024,
	FIELDS_MAX = 16, /* of a mountinfo line; more are optional ones nobody needs */
	CPU_PERIOD_MIN_US = 1000,
	CPU_PERIOD_MAX_US = 1000000,
	CPU_QUOTA_MIN_US = 1000,
	CPU_WEIGHT_MAX = 10000,
	CPU_SHARES_DEFAULT = 1024, /* what weight 100 is */
	CPU_SHARES_MIN = 2,
};

static const struct {
	const char *v2;
	const char *v1;
} ctrl_names[] = {
	[CGROUP_CPU] = { "cpu", "cpu" },	  [CGROUP_CPUACCT] = { "cpu", "cpuacct" },
	[CGROUP_CPUSET] = { "cpuset", "cpuset" }, [CGROUP_MEMORY] = { "memory", "memory" },
	[CGROUP_PIDS] = { "pids", "pids" },	  [CGROUP_IO] = { "io", "blkio" },
};
static_assert(ARRAY_LEN(ctrl_names) == CGROUP_CTRL_MAX, "one name per controller");

const char *cgroup_ctrl_name(enum cgroup_ctrl ctrl)
{
	return ctrl < CGROUP_CTRL_MAX ? ctrl_names[ctrl].v2 : "unknown";
}

static bool is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' &&
	       s[2] <= '7';
}

/* Undo \040 and its like, in place. */
static void unescape(char *s)
{
	char *out = s;

	while (*s) {
		if (s[0] == '\\' && is_octal(s + 1)) {
			*out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

/* Whether the comma-separated @list has @word. */
static bool list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *s = list; *s;) {
		size_t n = strcspn(s, ",");

		if (n == len && memcmp(s, word, len) == 0)
			return true;
		s += n + (s[n] == ',');
	}
	return false;
}

struct mount_line {
	char *root;
	char *point;
	char *fstype;
	char *options; /* of the super block */
};

/* Split a mountinfo line, which is changed. Returns: false for one that is cut off. */
static bool parse_line(char *line, struct mount_line *ret_line)
{
	char *rest = strstr(line, " - ");
	char *save = NULL;
	char *source;

	if (!rest)
		return false;
	*rest = '\0';
	rest += 3;
	(void)strtok_r(line, " ", &save); /* mount id, parent id, device */
	(void)strtok_r(NULL, " ", &save);
	(void)strtok_r(NULL, " ", &save);
	ret_line->root = strtok_r(NULL, " ", &save);
	ret_line->point = strtok_r(NULL, " ", &save);
	ret_line->fstype = strtok_r(rest, " ", &save);
	source = strtok_r(NULL, " ", &save);
	ret_line->options = strtok_r(NULL, " ", &save);
	if (!ret_line->point || !ret_line->fstype || !source)
		return false;
	if (!ret_line->options)
		ret_line->options = source;
	unescape(ret_line->point);
	return true;
}

static void add_v1(struct cgroup_host *host, const struct mount_line *line)
{
	bool is_new = false;

	if (host->n_v1 == CGROUP_V1_MAX || strlen(line->point) >= CGROUP_PATH_LEN)
		return;
	for (int i = 0; i < CGROUP_CTRL_MAX; i++) {
		if (host->v1_of[i] < 0 && list_has(line->options, ctrl_names[i].v1)) {
			host->v1_of[i] = (int)host->n_v1;
			is_new = true;
		}
	}
	/* a hierarchy without a controller of ours (name=systemd, devices) is joined as well:
	 * else a container that mounts it reads the names of its neighbours */
	for (size_t i = 0; !is_new && i < host->n_v1; i++)
		if (streq(host->v1_mounts[i], line->point))
			return;
	(void)snprintf(host->v1_mounts[host->n_v1++], CGROUP_PATH_LEN, "%s", line->point);
}

static void parse_mount(struct cgroup_host *host, char *text)
{
	struct mount_line line;

	/* a bind of a part of the tree (root is not "/") is somebody's container */
	if (!parse_line(text, &line) || !streq(line.root, "/"))
		return;
	if (streq(line.fstype, "cgroup"))
		add_v1(host, &line);
	else if (streq(line.fstype, "cgroup2") && str_empty(host->unified) &&
		 strlen(line.point) < CGROUP_PATH_LEN)
		(void)snprintf(host->unified, CGROUP_PATH_LEN, "%s", line.point);
}

int cgroup_host_parse(const char *mountinfo, struct cgroup_host *ret_host, struct err *err)
{
	_cleanup_(freep) char *copy = xstrdup(mountinfo);
	struct cgroup_host host = { 0 };
	char *save = NULL;

	for (int i = 0; i < CGROUP_CTRL_MAX; i++)
		host.v1_of[i] = -1;
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		parse_mount(&host, line);
	if (str_empty(host.unified))
		return err_kind(err, ERR_UNSUPPORTED,
				"no cgroup2 file system is mounted: mount one on "
				"/sys/fs/cgroup/unified, or boot with the unified hierarchy");
	*ret_host = host;
	return 0;
}

void cgroup_host_set_controllers(struct cgroup_host *host, const char *controllers)
{
	char copy[256];
	char *save = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", controllers);
	for (char *word = strtok_r(copy, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
		for (int i = 0; i < CGROUP_CTRL_MAX; i++)
			if (streq(word, ctrl_names[i].v2))
				host->v2_has[i] = true;
}

int cgroup_host_detect(struct cgroup_host *ret_host, struct err *err)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	_cleanup_(fd_closep) int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	char controllers[256];
	char path[CGROUP_PATH_LEN + 32];
	int r;

	if (fd < 0)
		return err_set(err, -errno, "open /proc/self/mountinfo");
	r = fd_read_all(fd, MOUNTINFO_MAX, &text);
	if (r < 0)
		return err_set(err, r, "read /proc/self/mountinfo");
	r = cgroup_host_parse(buf_str(&text), ret_host, err);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/cgroup.controllers", ret_host->unified);
	r = (int)fd_read_file_at(AT_FDCWD, path, controllers, sizeof(controllers));
	if (r < 0)
		return err_set(err, r, "read \"%s\"", path);
	cgroup_host_set_controllers(ret_host, controllers);
	return 0;
}

uint64_t cgroup_shares_from_weight(uint32_t weight)
{
	uint64_t shares = (uint64_t)weight * CPU_SHARES_DEFAULT / 100;

	return MAX(shares, (uint64_t)CPU_SHARES_MIN);
}

_printf_(4, 5) static void plan_add(struct cgroup_plan *plan, int hierarchy, const char *file,
				    const char *fmt, ...)
{
	struct cgroup_write *write = &plan->writes[plan->len++];
	va_list ap;

	assert(plan->len <= CGROUP_WRITES_MAX);
	write->hierarchy = hierarchy;
	write->optional = false;
	(void)snprintf(write->file, sizeof(write->file), "%s", file);
	va_start(ap, fmt);
	(void)vsnprintf(write->text, sizeof(write->text), fmt, ap);
	va_end(ap);
}

static void plan_add_limit(struct cgroup_plan *plan, int hierarchy, const char *file,
			   uint64_t value)
{
	if (value != CGROUP_NO_LIMIT)
		plan_add(plan, hierarchy, file, "%" PRIu64, value);
	else
		plan_add(plan, hierarchy, file, "%s", hierarchy < 0 ? "max" : "-1");
}

static void plan_optional(struct cgroup_plan *plan)
{
	plan->writes[plan->len - 1].optional = true;
}

static void plan_cpuset(struct cgroup_plan *plan, int v1, const struct cgroup_limits *limits)
{
	if (v1 < 0) {
		plan_add(plan, v1, "cpuset.cpus", "%s", limits->cpus ? limits->cpus : "\n");
		return;
	}
	/* a new v1 cpuset has neither and takes no task until both are set */
	plan_add(plan, v1, "cpuset.cpus", "%s", limits->cpus ? limits->cpus : "");
	plan_add(plan, v1, "cpuset.mems", "%s", "");
}

static void plan_cpu(struct cgroup_plan *plan, int v1, const struct cgroup_limits *limits)
{
	if (v1 >= 0) {
		plan_add(plan, v1, "cpu.shares", "%" PRIu64,
			 cgroup_shares_from_weight(limits->cpu_weight));
		/* no quota first: the old one with the new period could be out of range */
		plan_add(plan, v1, "cpu.cfs_quota_us", "-1");
		plan_add(plan, v1, "cpu.cfs_period_us", "%" PRIu64, limits->cpu_period_us);
		if (limits->cpu_quota_us != CGROUP_NO_LIMIT)
			plan_add_limit(plan, v1, "cpu.cfs_quota_us", limits->cpu_quota_us);
		return;
	}
	plan_add(plan, v1, "cpu.weight", "%" PRIu32, limits->cpu_weight);
	if (limits->cpu_quota_us == CGROUP_NO_LIMIT)
		plan_add(plan, v1, "cpu.max", "max %" PRIu64, limits->cpu_period_us);
	else
		plan_add(plan, v1, "cpu.max", "%" PRIu64 " %" PRIu64, limits->cpu_quota_us,
			 limits->cpu_period_us);
}

/* v1 counts memory and swap together, and wants the sum never below memory alone. */
static void plan_memory_v1(struct cgroup_plan *plan, int v1, const struct cgroup_limits *limits)
{
	bool no_sum = limits->memory_bytes == CGROUP_NO_LIMIT ||
		      limits->swap_bytes > CGROUP_NO_LIMIT - 1 - limits->memory_bytes;
	bool no_swap = limits->memory_bytes == CGROUP_NO_LIMIT && limits->swap_bytes == 0;

	plan_add(plan, v1, "memory.memsw.limit_in_bytes", "-1");
	plan_optional(plan);
	plan_add_limit(plan, v1, "memory.limit_in_bytes", limits->memory_bytes);
	if (!no_sum) {
		plan_add_limit(plan, v1, "memory.memsw.limit_in_bytes",
			       limits->memory_bytes + limits->swap_bytes);
		plan_optional(plan);
	}
	/* without a limit on memory there is none on swap in v1: not swapping comes nearest */
	plan_add(plan, v1, "memory.swappiness", "%s", no_swap ? "0" : "");
	plan_optional(plan);
}

static uint64_t soft_limit(const struct cgroup_limits *limits)
{
	return limits->memory_soft_bytes > 0 ? limits->memory_soft_bytes : CGROUP_NO_LIMIT;
}

static void plan_memory(struct cgroup_plan *plan, int v1, const struct cgroup_limits *limits)
{
	if (v1 >= 0) {
		plan_memory_v1(plan, v1, limits);
		plan_add_limit(plan, v1, "memory.soft_limit_in_bytes", soft_limit(limits));
		plan_optional(plan); /* kernels with PREEMPT_RT have none */
		return;
	}
	plan_add_limit(plan, v1, "memory.high", soft_limit(limits));
	plan_add_limit(plan, v1, "memory.max", limits->memory_bytes);
	plan_add_limit(plan, v1, "memory.swap.max", limits->swap_bytes);
	plan_optional(plan);
}

static void plan_pids(struct cgroup_plan *plan, int v1, const struct cgroup_limits *limits)
{
	if (limits->pids == CGROUP_NO_LIMIT)
		plan_add(plan, v1, "pids.max", "max");
	else
		plan_add(plan, v1, "pids.max", "%" PRIu64, limits->pids);
}

static bool wants_cpuset(const struct cgroup_limits *limits)
{
	return limits->cpus;
}

static bool wants_cpu(const struct cgroup_limits *limits)
{
	return limits->cpu_quota_us != CGROUP_NO_LIMIT || limits->cpu_weight != 100;
}

static bool wants_memory(const struct cgroup_limits *limits)
{
	return limits->memory_bytes != CGROUP_NO_LIMIT || soft_limit(limits) != CGROUP_NO_LIMIT;
}

/* The limit on processes has a default, so a host without the controller is not refused. */
static bool wants_pids(const struct cgroup_limits *limits)
{
	(void)limits;
	return false;
}

static const struct {
	enum cgroup_ctrl ctrl;
	void (*plan)(struct cgroup_plan *plan, int v1, const struct cgroup_limits *limits);
	bool (*wanted)(const struct cgroup_limits *limits);
} planners[] = {
	{ CGROUP_CPUSET, plan_cpuset, wants_cpuset },
	{ CGROUP_CPU, plan_cpu, wants_cpu },
	{ CGROUP_MEMORY, plan_memory, wants_memory },
	{ CGROUP_PIDS, plan_pids, wants_pids },
};

static int check_limits(const struct cgroup_limits *limits, struct err *err)
{
	if (limits->cpu_weight < 1 || limits->cpu_weight > CPU_WEIGHT_MAX)
		return err_kind(err, ERR_INVALID, "cpu weight %" PRIu32 ": must be 1 to %d",
				limits->cpu_weight, CPU_WEIGHT_MAX);
	if (limits->cpu_period_us < CPU_PERIOD_MIN_US || limits->cpu_period_us > CPU_PERIOD_MAX_US)
		return err_kind(err, ERR_INVALID, "cpu period %" PRIu64 "us: must be 1ms to 1s",
				limits->cpu_period_us);
	if (limits->cpu_quota_us < CPU_QUOTA_MIN_US)
		return err_kind(err, ERR_INVALID, "cpu quota %" PRIu64 "us: must be at least 1ms",
				limits->cpu_quota_us);
	if (limits->cpus && (str_empty(limits->cpus) || strlen(limits->cpus) >= CGROUP_TEXT_LEN ||
			     !str_only(limits->cpus, "0123456789,-")))
		return err_kind(err, ERR_INVALID, "\"%.64s\" is not a list of cpus", limits->cpus);
	return 0;
}

int cgroup_plan_limits(const struct cgroup_host *host, const struct cgroup_limits *limits,
		       struct cgroup_plan *ret_plan, struct err *err)
{
	int r = check_limits(limits, err);

	if (r < 0)
		return r;
	ret_plan->len = 0;
	for (size_t i = 0; i < ARRAY_LEN(planners); i++) {
		enum cgroup_ctrl ctrl = planners[i].ctrl;
		bool wanted = planners[i].wanted(limits);
		size_t first = ret_plan->len;

		if (host->v1_of[ctrl] >= 0 || host->v2_has[ctrl])
			planners[i].plan(ret_plan, host->v1_of[ctrl], limits);
		else if (wanted)
			return err_kind(err, ERR_UNSUPPORTED, "this host has no %s controller",
					cgroup_ctrl_name(ctrl));
		/* cgroup2 may refuse to hand a controller down (inside a container, beside
		 * real-time tasks): nobody misses it who wants no limit */
		for (; !wanted && host->v1_of[ctrl] < 0 && first < ret_plan->len; first++)
			ret_plan->writes[first].optional = true;
	}
	if (limits->descendants != CGROUP_NO_LIMIT)
		plan_add(ret_plan, -1, "payload/cgroup.max.descendants", "%" PRIu64,
			 limits->descendants);
	return 0;
}

/* cgroup-v1/blkio-controller.rst: 0 takes the rule away. */
static void plan_io_v1(struct cgroup_plan *plan, int v1, const struct cgroup_io *io)
{
	const struct {
		const char *file;
		uint64_t value;
	} rules[] = {
		{ "blkio.throttle.read_bps_device", io->read_bytes },
		{ "blkio.throttle.write_bps_device", io->write_bytes },
		{ "blkio.throttle.read_iops_device", io->read_ops },
		{ "blkio.throttle.write_iops_device", io->write_ops },
	};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		plan_add(plan, v1, rules[i].file, "%" PRIu32 ":%" PRIu32 " %" PRIu64, io->major,
			 io->minor, rules[i].value == CGROUP_NO_LIMIT ? 0 : rules[i].value);
}

/* cgroup-v2.rst, io.max */
static void plan_io_v2(struct cgroup_plan *plan, const struct cgroup_io *io)
{
	const struct {
		const char *name;
		uint64_t value;
	} rules[] = {
		{ "rbps", io->read_bytes },
		{ "wbps", io->write_bytes },
		{ "riops", io->read_ops },
		{ "wiops", io->write_ops },
	};
	_cleanup_(buf_done) struct buf text = { 0 };

	buf_printf(&text, "%" PRIu32 ":%" PRIu32, io->major, io->minor);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (rules[i].value == CGROUP_NO_LIMIT)
			buf_printf(&text, " %s=max", rules[i].name);
		else
			buf_printf(&text, " %s=%" PRIu64, rules[i].name, rules[i].value);
	}
	plan_add(plan, -1, "io.max", "%s", buf_str(&text));
}

int cgroup_plan_io(const struct cgroup_host *host, const struct cgroup_io *io,
		   struct cgroup_plan *ret_plan, struct err *err)
{
	int v1 = host->v1_of[CGROUP_IO];

	ret_plan->len = 0;
	if (v1 < 0 && !host->v2_has[CGROUP_IO])
		return err_kind(err, ERR_UNSUPPORTED, "this host has no %s controller",
				cgroup_ctrl_name(CGROUP_IO));
	if (v1 >= 0)
		plan_io_v1(ret_plan, v1, io);
	else
		plan_io_v2(ret_plan, io);
	return 0;
}
