/*
 * monitor/start.c - see start.h
 *
 *   take-name → open-log → reset → sessions                                      once
 *   make-cgroup → clone → map-ids → make-root → attach-nics → set-limits
 *                                       → release → await-exec → announce        per life
 *
 * The child's own table is in child.c; the two meet in sync.h's messages.
 */
#include "monitor/start.h"

#include <signal.h>

#include "monitor/phase.h"
#include "monitor/setup.h"
#include "os/pidfd.h"

static const struct phase prepare_phases[] = {
	{ "take-name", setup_take_name, false },
	{ "open-log", setup_open_log, false },
	{ "reset", setup_reset, false },
	{ "sessions", setup_sessions, false },
	{ NULL, NULL, false },
};

static const struct phase life_phases[] = {
	{ "modules", setup_modules, false },
	{ "make-cgroup", setup_make_cgroup, false },
	{ "clone", setup_clone, false },
	{ "process-limits", setup_process_limits, false },
	{ "map-ids", setup_map_ids, false },
	{ "make-root", setup_make_root, false },
	{ "attach-nics", setup_attach_nics, false },
	{ "set-limits", setup_set_limits, false },
	{ "await-root", setup_await_root, true },
	{ "bind-nested", setup_bind_nested, false },
	{ "attach-devices", setup_attach_devices, false },
	{ "release", setup_release, false },
	{ "await-exec", setup_await_exec, true },
	{ "announce", setup_announce, false },
	{ NULL, NULL, false },
};

const struct phase *start_prepare_phases(void)
{
	return prepare_phases;
}

const struct phase *start_life_phases(void)
{
	return life_phases;
}

static int run_phases(const struct phase *phases, struct mon *mon, struct err *err)
{
	struct phase_run run = {
		.program = "sysctr-monitor",
		.inst = mon->name,
		.title = &mon->title,
	};

	return phase_run_all(phases, &run, mon, err);
}

int start_prepare(struct mon *mon, struct err *err)
{
	return run_phases(prepare_phases, mon, err);
}

int start_life(struct mon *mon, struct err *err)
{
	int r = run_phases(life_phases, mon, err);
	int status;

	if (r == 0)
		return 0;
	if (mon->life.init_pidfd >= 0) {
		(void)pidfd_signal(mon->life.init_pidfd, SIGKILL);
		(void)pidfd_reap(mon->life.init_pidfd, true, &status);
	}
	mon_end_life(mon);
	return r;
}
