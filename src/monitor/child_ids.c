/* monitor/child_ids.c - phases of the child: who it is, and its groups */
#include <sched.h>

#include "monitor/child_phases.h"
#include "monitor/mon.h"
#include "monitor/sync.h"
#include "os/caps.h"
#include "os/ns.h"

int child_await_ids(void *data, struct err *err)
{
	struct child *child = data;
	int r = sync_expect(child->sync_fd, SYNC_IDS, NULL);

	return r < 0 ? err_set(err, r, "wait for the monitor") : 0;
}

int child_become_root(void *data, struct err *err)
{
	int r;

	(void)data; /* concerns this process only */
	r = caps_keep_over_setuid(false);
	if (r == 0)
		r = caps_become_root();
	return r < 0 ? err_set(err, r, "become uid 0") : 0;
}

int child_join_v1_cgroups(void *data, struct err *err)
{
	struct child *child = data;
	int r = cgroup_join_v1(&child->mon->cgroup);

	return r < 0 ? err_set(err, r, "join the v1 groups of \"%s\"", child->mon->spec.cgroup) : 0;
}

int child_unshare_cgroup(void *data, struct err *err)
{
	int r = ns_unshare(CLONE_NEWCGROUP);

	(void)data; /* the payload group we are in becomes the root */
	return r < 0 ? err_set(err, r, "new cgroup namespace") : 0;
}
