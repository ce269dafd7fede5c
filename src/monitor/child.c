/*
 * monitor/child.c - see child.h
 *
 * Nothing here returns to the monitor's code; a failure is told through the socket and ends the
 * process. All descriptors are close-on-exec: init keeps 0, 1 and 2 only.
 */
#include "monitor/child.h"

#include <errno.h>
#include <unistd.h>

#include "monitor/child_phases.h"
#include "monitor/mon.h"
#include "monitor/sync.h"

enum {
	EXIT_SETUP_FAILED = 1
};

static const struct phase phases[] = {
	{ "await-ids", child_await_ids, false },
	{ "become-root", child_become_root, false },
	{ "private-mounts", child_private_mounts, false },
	{ "join-v1-cgroups", child_join_v1_cgroups, false },
	{ "unshare-cgroup", child_unshare_cgroup, false },
	{ "take-root", child_take_root, false },
	{ "mount-proc-sys-dev", child_mount_system, false },
	{ "make-console", child_make_console, false },
	{ "bind-notify", child_bind_notify, false },
	{ "pivot", child_pivot, false },
	{ "hostname", child_set_hostname, false },
	{ "seed", child_write_seed, false },
	{ "await-go", child_await_go, false },
	{ "sysctls", child_set_sysctls, false },
	{ "masks", child_mask, false },
	{ "share-mounts", child_share_mounts, false },
	{ "console-stdio", child_take_console, false },
	{ "reset", child_reset, false },
	{ "caps", child_drop_caps, false },
	{ "seccomp", child_install_seccomp, false },
	{ "exec", child_exec, false },
	{ NULL, NULL, false },
};

const struct phase *child_phases(void)
{
	return phases;
}

_Noreturn void child_main(const struct mon *mon, int sync_fd)
{
	struct child child = {
		.mon = mon,
		.sync_fd = sync_fd,
		.root_fd = -EBADF,
		.console_fd = -EBADF,
	};
	struct phase_run run = {
		.program = "sysctr-init",
		.inst = mon->name,
		.title = &mon->title,
	};
	struct err err = { 0 };

	/* The last phase comes back only when it failed. */
	(void)phase_run_all(phases, &run, &child, &err);
	(void)sync_send(sync_fd, SYNC_FAILED, -EBADF, &err);
	_exit(EXIT_SETUP_FAILED);
}
