/* exec/enter.c - see enter.h */
#include "exec/enter.h"

#include <sched.h>
#include <unistd.h>

#include "base/macro.h"
#include "os/caps.h"
#include "os/cgroup.h"
#include "os/fd.h"
#include "os/ns.h"
#include "os/proclimit.h"
#include "os/reset.h"

enum {
	NAMESPACES = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
};

/* The container's own: like init's, for what it may not raise itself. */
static int set_limits(const struct exec_params *params, struct err *err)
{
	int r = proclimit_set_oom(0, params->oom_score_adj);

	if (r < 0)
		return err_set(err, r, "limits.memory.oom_priority");
	for (uint32_t i = 0; i < params->n_rlimits && i < EXEC_RLIMITS_MAX; i++) {
		const struct exec_rlimit *limit = &params->rlimits[i];

		r = proclimit_set(0, limit->resource, limit->soft, limit->hard);
		if (r < 0)
			return err_set(err, r, "set limit %u of the kernel", limit->resource);
	}
	return 0;
}

int enter_clone(const struct exec_params *params, struct err *err)
{
	uint64_t flags = NAMESPACES | (params->joins_userns ? CLONE_NEWUSER : 0);
	struct ns_clone args = { .flags = CLONE_PARENT, .cgroup_fd = EXEC_FD_CGROUP };
	pid_t pid;
	int r = reset_privileged(err);

	if (r == 0)
		r = set_limits(params, err);
	if (r < 0)
		return r;
	r = ns_join(EXEC_FD_INIT, flags);
	if (r < 0)
		return err_set(err, r, "join the container's namespaces");
	/* a change of credentials may have made us dumpable (sysctl fs.suid_dumpable) */
	r = caps_set_nondumpable();
	if (r < 0)
		return err_set(err, r, "become non-dumpable");
	/* still in the host's cgroup namespace: from within the container's, a host with
	 * nsdelegate refuses to clone out of a group that is not below its root */
	pid = ns_clone(&args);
	if (pid < 0)
		return err_set(err, pid, "clone into the session's cgroup");
	return pid == 0 ? 0 : 1;
}

int enter_finish(const struct exec_params *params, struct err *err)
{
	int tasks[EXEC_FD_MAX - EXEC_FD_TASKS];
	int r;

	for (uint32_t i = 0; i < params->n_tasks; i++)
		tasks[i] = EXEC_FD_TASKS + (int)i;
	r = cgroup_join_tasks(tasks, params->n_tasks);
	if (r < 0)
		return err_set(err, r, "join the container's v1 cgroups");
	r = ns_join(EXEC_FD_INIT, CLONE_NEWCGROUP);
	if (r < 0)
		return err_set(err, r, "join the container's cgroup namespace");
	for (int fd = EXEC_FD_SPEC; fd < EXEC_FD_REPORT; fd++)
		(void)fd_close(fd);
	r = fd_close_from(EXEC_FD_REPORT + 1);
	if (r < 0)
		return err_set(err, r, "close the host's descriptors");
	r = caps_become_root();
	if (r < 0)
		return err_set(err, r, "become the container's root");
	r = caps_set_nondumpable();
	return r < 0 ? err_set(err, r, "become non-dumpable") : 0;
}
