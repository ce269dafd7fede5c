/* monitor/setup_cgroup.c - phases: the container's groups, what it may use */
#include "monitor/mon.h"
#include "monitor/setup.h"
#include "os/bpfdev.h"

enum {
	LEFTOVER_TIMEOUT_MS = 2000
};

/* @out borrows from @limits. */
static void limits_for_cgroup(const struct limits *limits, struct cgroup_limits *out)
{
	*out = (struct cgroup_limits){
		.cpus = limits->cpus,
		.cpu_weight = limits->cpu_weight,
		.cpu_quota_us = limits->cpu_quota_us,
		.cpu_period_us = limits->cpu_period_us,
		.memory_bytes = limits->memory_bytes,
		.memory_soft_bytes = limits->memory_soft_bytes,
		.swap_bytes = limits->swap_bytes,
		.pids = limits->pids,
		.descendants = LIMITS_DESCENDANTS_MAX,
	};
}

static bool has_device(const struct limits *limits, const struct cgroup_io *io)
{
	vec_for_each(other, &limits->io)
		if (other->major == io->major && other->minor == io->minor)
			return true;
	return false;
}

static int limit_device(struct mon *mon, const struct limits_io *limit, struct err *err)
{
	struct cgroup_io io = {
		.major = limit->major,
		.minor = limit->minor,
		.read_bytes = limit->read_bytes,
		.write_bytes = limit->write_bytes,
		.read_ops = limit->read_ops,
		.write_ops = limit->write_ops,
	};
	int r = cgroup_apply_io(&mon->cgroup, &io, err);

	if (r == 0)
		*vec_push(&mon->limited.list) = io;
	return r;
}

/* Devices that have no limit any more lose what they had; one that is gone has none. */
static int apply_io(struct mon *mon, const struct limits *limits, struct err *err)
{
	int r = 0;

	vec_for_each(io, &mon->limited.list) {
		io->read_bytes = io->write_bytes = io->read_ops = io->write_ops = CGROUP_NO_LIMIT;
		if (!has_device(limits, io))
			(void)cgroup_apply_io(&mon->cgroup, io, NULL);
	}
	mon->limited.list.len = 0;
	vec_for_each(limit, &limits->io) {
		if (r == 0)
			r = limit_device(mon, limit, err);
	}
	return r;
}

/*
 * Groups of an earlier life are made anew: its guest may have turned controllers on in the payload
 * group, and then no process may enter that one.
 */
int setup_make_cgroup(void *data, struct err *err)
{
	struct mon *mon = data;
	struct cgroup_limits limits;
	uid_t owner[2];
	int r;

	if (mon->cgroup.dir_fd >= 0) {
		cgroup_done(&mon->cgroup);
		r = cgroup_remove(&mon->host, mon->spec.cgroup, LEFTOVER_TIMEOUT_MS, err);
		if (r < 0)
			return r;
	}
	limits_for_cgroup(&mon->spec.limits, &limits);
	mon_root_ids(mon, owner);
	mon->limited.list.len = 0;
	r = cgroup_create(&mon->host, mon->spec.cgroup, &limits, owner, &mon->cgroup, err);
	return r < 0 ? r : apply_io(mon, &mon->spec.limits, err);
}

int setup_apply_device_rules(struct mon *mon, struct err *err)
{
	struct bpfdev_rule rules[BPFDEV_RULES_MAX];
	size_t n = 0;

	for (; n < bpfdev_n_default_rules; n++)
		rules[n] = bpfdev_default_rules[n];
	rules[n++] = bpfdev_rule_tun;
	rules[n++] = bpfdev_rule_fuse;
	vec_for_each(plugged, &mon->plugged.list) {
		if (!plugged->rule.type)
			continue;
		if (n == BPFDEV_RULES_MAX)
			return err_kind(err, ERR_INVALID, "too many devices: at most %d",
					BPFDEV_RULES_MAX);
		rules[n++] = plugged->rule;
	}
	return bpfdev_attach(mon->cgroup.dir_fd, rules, n, err);
}

int setup_set_limits(void *data, struct err *err)
{
	return setup_apply_device_rules(data, err);
}

int setup_apply_limits(struct mon *mon, const struct limits *limits, struct err *err)
{
	struct cgroup_limits plain;
	int r;

	limits_for_cgroup(limits, &plain);
	r = cgroup_apply_limits(&mon->cgroup, &plain, err);
	return r < 0 ? r : apply_io(mon, limits, err);
}
