/* monitor/release.c - see release.h */
#include "monitor/release.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "monitor/nic_lent.h"
#include "monitor/phase.h"
#include "os/fd.h"
#include "os/mount.h"
#include "os/ns.h"
#include "os/pidfd.h"

enum {
	EMPTY_TIMEOUT_MS = 10000,
	CGROUP_TIMEOUT_MS = 5000,
	NICS_TIMEOUT_MS = 2000
};

static int stop_watching(void *data, struct err *err)
{
	struct mon *mon = data;

	(void)err; /* cannot fail */
	mon_end_life(mon);
	return 0;
}

static int kill_rest(void *data, struct err *err)
{
	struct mon *mon = data;

	if (mon->cgroup.dir_fd < 0 || cgroup_populated(&mon->cgroup) == 0)
		return 0;
	return cgroup_kill(&mon->cgroup, err);
}

static int await_empty(void *data, struct err *err)
{
	struct mon *mon = data;
	int r = 0;

	if (mon->cgroup.dir_fd >= 0)
		r = cgroup_wait_empty(&mon->cgroup, EMPTY_TIMEOUT_MS);
	return r < 0 ? err_set(err, r, "processes of \"%s\" do not end", mon->spec.cgroup) : 0;
}

void release_root(struct mon *mon)
{
	if (mon->root_fd >= 0)
		(void)mount_detach(mon->spec.runtime_dir); /* where setup_root.c keeps it */
	mon->root_fd = fd_close(mon->root_fd);
	mon->volume_fd = fd_close(mon->volume_fd);
	mon->lower_fd = fd_close(mon->lower_fd);
}

static int unmount(void *data, struct err *err)
{
	(void)err; /* cannot fail */
	release_root(data);
	return 0;
}

/* The dying network namespace takes them along a few ms later. */
static int await_nics(void *data, struct err *err)
{
	struct mon *mon = data;
	const struct timespec pause = { .tv_nsec = NS_PER_MS };
	uint64_t end_ns = time_mono_ns() + (uint64_t)NICS_TIMEOUT_MS * NS_PER_MS;

	vec_for_each(nic, &mon->spec.nics) {
		while (nic->host_name && if_nametoindex(nic->host_name) != 0) {
			if (time_mono_ns() > end_ns)
				return err_set(err, -ETIMEDOUT, "\"%s\" is still there",
					       nic->host_name);
			(void)nanosleep(&pause, NULL);
		}
	}
	return 0;
}

static int await_lent(void *data, struct err *err)
{
	return nics_await_back(data, NICS_TIMEOUT_MS, err);
}

static int remove_cgroups(void *data, struct err *err)
{
	struct mon *mon = data;

	if (mon->cgroup.dir_fd < 0)
		return 0;
	cgroup_done(&mon->cgroup);
	return cgroup_remove(&mon->host, mon->spec.cgroup, CGROUP_TIMEOUT_MS, err);
}

/*
 * A group with us in it cannot be removed, and to move ourselves takes 7 ms of a grace period, in
 * which the next start or the deletion waits. A copy born in the root group takes 0.3 ms: it goes on
 * from here, with all our descriptors, while the original ends.
 */
static int hand_over(struct mon *mon)
{
	_cleanup_(fd_closep) int root_fd =
		open(mon->host.unified, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(fd_closep) int old_pidfd = pidfd_of(getpid());
	struct ns_clone args = { .cgroup_fd = root_fd };
	struct pollfd old_end = { .fd = old_pidfd, .events = POLLIN };
	pid_t pid;

	if (root_fd < 0 || old_pidfd < 0)
		return root_fd < 0 ? -errno : old_pidfd;
	pid = ns_clone(&args);
	if (pid > 0)
		_exit(mon->was_started ? EXIT_SUCCESS : EXIT_FAILURE);
	if (pid < 0)
		return pid;
	(void)poll(&old_end, 1, CGROUP_TIMEOUT_MS);
	return 0;
}

/* The root is the one group that takes a process and has controllers for its children. */
static int move_to_root(struct mon *mon)
{
	char procs[CGROUP_PATH_LEN + 16];

	(void)snprintf(procs, sizeof(procs), "%s/cgroup.procs", mon->host.unified);
	return fd_write_file_at(AT_FDCWD, procs, "0");
}

static int leave_cgroup(void *data, struct err *err)
{
	struct mon *mon = data;
	int r;

	if (mon->own_cgroup_fd < 0)
		return 0;
	r = hand_over(mon);
	if (r < 0)
		r = move_to_root(mon);
	if (r < 0)
		return err_set(err, r, "leave our own cgroup");
	mon->own_cgroup_fd = fd_close(mon->own_cgroup_fd);
	return cgroup_remove(&mon->host, mon->own_cgroup, CGROUP_TIMEOUT_MS, err);
}

static int remove_files(void *data, struct err *err)
{
	struct mon *mon = data;
	static const char *const names[] = { "ctl.sock", "status", "lock" };

	(void)err; /* what is not there is as good */
	if (mon->runtime_fd < 0 || mon->lock_fd < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)unlinkat(mon->runtime_fd, names[i], 0);
	(void)rmdir(mon->spec.runtime_dir);
	return 0;
}

static const struct phase life_phases[] = {
	{ "stop-watching", stop_watching, false },
	{ "kill-rest", kill_rest, false },
	{ "await-empty", await_empty, false },
	{ NULL, NULL, false },
};

static const struct phase all_phases[] = {
	{ "unmount", unmount, false },
	{ "await-nics", await_nics, false },
	{ "await-lent", await_lent, false },
	{ "remove-cgroups", remove_cgroups, false },
	{ "leave-cgroup", leave_cgroup, false },
	{ "remove-files", remove_files, false },
	{ NULL, NULL, false },
};

/* Each phase as a table of its own: a failure does not keep the others from running. */
static void run_each(struct mon *mon, const struct phase *phases)
{
	struct phase_run run = {
		.program = "sysctr-monitor",
		.inst = mon->name,
		.title = &mon->title,
	};

	for (; phases->name; phases++) {
		const struct phase one[] = { *phases, { NULL, NULL, false } };
		struct log_keys keys = mon_keys(mon, "release");
		struct err err = { 0 };
		int r = phase_run_all(one, &run, mon, &err);

		if (r < 0)
			log_warn(keys, "%s", err_text(&err, r));
	}
}

void release_life(struct mon *mon)
{
	run_each(mon, life_phases);
}

void release_all(struct mon *mon)
{
	run_each(mon, all_phases);
}
