/* monitor/mountplan.c - see mountplan.h */
#include "monitor/mountplan.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mount.h>

#define ATTRS_KERNEL (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/*
 * What every container gets. Nothing is mounted over /proc: container root could unmount it, and
 * it would keep nested user namespaces from mounting a procfs of their own; ownership refuses what
 * must be refused. /sys is writable as LXC's is: the guest owns its network devices' files, and a
 * nested container may mount its own.
 */
static const struct mount_step common_steps[] = {
	{ .action = MOUNT_NEW, .what = "proc", .target = "proc", .attrs = ATTRS_KERNEL },
	{ .action = MOUNT_NEW, .what = "sysfs", .target = "sys", .attrs = ATTRS_KERNEL },
	{ .action = MOUNT_NEW,
	  .what = "cgroup2",
	  .target = "sys/fs/cgroup",
	  .attrs = ATTRS_KERNEL },
	{ .action = MOUNT_NEW,
	  .what = "tmpfs",
	  .target = "dev",
	  .opts = { { "mode", "755" }, { "size", "1m" }, { "nr_inodes", "1024" } },
	  .attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC },
	{ .action = MOUNT_DIR, .target = "dev/pts", .mode = 0755 },
	{ .action = MOUNT_NEW,
	  .what = "devpts",
	  .target = "dev/pts",
	  .opts = { { "gid", "5" }, { "mode", "620" }, { "ptmxmode", "666" } },
	  .attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC },
	{ .action = MOUNT_NEW,
	  .what = "tmpfs",
	  .target = "dev/shm",
	  .opts = { { "mode", "1777" } },
	  .attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV },
	{ .action = MOUNT_NEW, .what = "mqueue", .target = "dev/mqueue", .attrs = ATTRS_KERNEL },
	{ .action = MOUNT_NODE, .what = "null", .target = "dev/null", .major = 1, .minor = 3 },
	{ .action = MOUNT_NODE, .what = "zero", .target = "dev/zero", .major = 1, .minor = 5 },
	{ .action = MOUNT_NODE, .what = "full", .target = "dev/full", .major = 1, .minor = 7 },
	{ .action = MOUNT_NODE, .what = "random", .target = "dev/random", .major = 1, .minor = 8 },
	{ .action = MOUNT_NODE,
	  .what = "urandom",
	  .target = "dev/urandom",
	  .major = 1,
	  .minor = 9 },
	{ .action = MOUNT_NODE, .what = "tty", .target = "dev/tty", .major = 5, .minor = 0 },
	{ .action = MOUNT_NODE,
	  .what = "fuse",
	  .target = "dev/fuse",
	  .major = 10,
	  .minor = 229,
	  .optional = true },
	{ .action = MOUNT_NODE,
	  .what = "net/tun",
	  .target = "dev/net/tun",
	  .major = 10,
	  .minor = 200,
	  .optional = true },
	{ .action = MOUNT_LINK, .what = "pts/ptmx", .target = "dev/ptmx" },
	{ .action = MOUNT_LINK, .what = "/proc/self/fd", .target = "dev/fd" },
	{ .action = MOUNT_LINK, .what = "/proc/self/fd/0", .target = "dev/stdin" },
	{ .action = MOUNT_LINK, .what = "/proc/self/fd/1", .target = "dev/stdout" },
	{ .action = MOUNT_LINK, .what = "/proc/self/fd/2", .target = "dev/stderr" },
	/* Every init mounts this unless it is there; it is, so that the notify socket stays seen. */
	{ .action = MOUNT_NEW,
	  .what = "tmpfs",
	  .target = "run",
	  .opts = { { "mode", "755" }, { "size", "20%" }, { "nr_inodes", "800k" } },
	  .attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV },
	{ .action = MOUNT_DIR, .target = "run/host", .mode = 0755 },
};

/*
 * Without a user namespace ownership refuses nothing, so these do. A privileged container's root
 * can undo them with effort: that is what "privileged" warns of.
 */
static const struct mount_step privileged_steps[] = {
	{ .action = MOUNT_MASK, .target = "proc/kcore" },
	{ .action = MOUNT_MASK, .target = "proc/keys" },
	{ .action = MOUNT_MASK, .target = "proc/timer_list" },
	{ .action = MOUNT_MASK, .target = "proc/sched_debug" },
	{ .action = MOUNT_MASK, .target = "proc/acpi" },
	{ .action = MOUNT_MASK, .target = "proc/scsi" },
	{ .action = MOUNT_MASK, .target = "sys/firmware" },
	{ .action = MOUNT_MASK, .target = "sys/kernel/debug" },
	{ .action = MOUNT_MASK, .target = "sys/kernel/security" },
	{ .action = MOUNT_READONLY, .target = "proc/sysrq-trigger" },
	{ .action = MOUNT_READONLY, .target = "proc/bus" },
	{ .action = MOUNT_READONLY, .target = "proc/fs" },
	{ .action = MOUNT_READONLY, .target = "proc/irq" },
	{ .action = MOUNT_READONLY, .target = "proc/sys" },
	{ .action = MOUNT_READONLY, .target = "sys" },
};

static void add_steps(struct mount_plan *plan, const struct mount_step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*vec_push(&plan->steps) = steps[i];
}

void mount_plan_make(struct mount_plan *ret_plan)
{
	*ret_plan = (struct mount_plan){ 0 };
	add_steps(ret_plan, common_steps, ARRAY_LEN(common_steps));
}

void mount_plan_make_masks(const struct inst_spec *spec, struct mount_plan *ret_plan)
{
	*ret_plan = (struct mount_plan){ 0 };
	if (spec->privileged)
		add_steps(ret_plan, privileged_steps, ARRAY_LEN(privileged_steps));
}

void mount_plan_done(struct mount_plan *plan)
{
	free(plan->steps.items);
	*plan = (struct mount_plan){ 0 };
}

static const char *const action_names[] = {
	[MOUNT_NEW] = "new",   [MOUNT_NODE] = "node", [MOUNT_DIR] = "dir",
	[MOUNT_LINK] = "link", [MOUNT_MASK] = "mask", [MOUNT_READONLY] = "readonly",
};
static_assert(ARRAY_LEN(action_names) == MOUNT_ACTION_MAX, "one name per action");

static void format_attrs(uint64_t attrs, struct buf *out)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} names[] = {
		{ MOUNT_ATTR_RDONLY, "ro" },
		{ MOUNT_ATTR_NOSUID, "nosuid" },
		{ MOUNT_ATTR_NODEV, "nodev" },
		{ MOUNT_ATTR_NOEXEC, "noexec" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (attrs & names[i].bit)
			buf_printf(out, " %s", names[i].name);
}

void mount_plan_format(const struct mount_plan *plan, struct buf *out)
{
	vec_for_each(step, &plan->steps) {
		buf_printf(out, "%s /%s", action_names[step->action], step->target);
		if (step->what)
			buf_printf(out, " %s", step->what);
		for (size_t i = 0; i < MOUNT_OPTS_MAX && step->opts[i].key; i++)
			buf_printf(out, " %s=%s", step->opts[i].key, step->opts[i].value);
		format_attrs(step->attrs, out);
		if (step->action == MOUNT_NODE)
			buf_printf(out, " %u:%u%s", step->major, step->minor,
				   step->optional ? " optional" : "");
		if (step->mode)
			buf_printf(out, " mode=%o", step->mode);
		buf_add_char(out, '\n');
	}
}
