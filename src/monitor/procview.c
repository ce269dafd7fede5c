/* monitor/procview.c - see procview.h */
#include "monitor/procview.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "monitor/mon.h"
#include "os/fd.h"
#include "os/mount.h"
#include "os/ns.h"
#include "os/pidfd.h"
#include "os/plug.h"
#include "os/reset.h"

enum {
	PAUSE_MS = 50, /* the first moments are the start's, and of whoever waits for it */
	READY_MS = 5000,
	LOOK_MS = 2,
	AGAIN_S = 10 /* one that ends sooner would do so for ever */
};

/* What LXCFS 5 and 6 show; one that an older one has not stays the kernel's. */
static const char *const files[PROCVIEW_FILES_MAX] = {
	"proc/cpuinfo", "proc/diskstats", "proc/meminfo", "proc/stat",
	"proc/swaps",	"proc/uptime",	  "proc/loadavg", "sys/devices/system/cpu",
};

struct report {
	uint64_t ids[PROCVIEW_FILES_MAX];
	size_t n_ids;
	struct err err; /* of the first file that failed, or of all */
};

/* ---- in the process ---- */

/* A place for its mount that nobody else sees; the root of the container is below, and not needed. */
static int make_place(const struct mon *mon, struct err *err)
{
	_cleanup_(fd_closep) int mount_fd = -EBADF;
	int r = ns_unshare(CLONE_NEWNS);

	if (r == 0)
		r = mount_make_private();
	if (r < 0)
		return err_set(err, r, "new mount namespace");
	mount_fd = mount_new("tmpfs", NULL, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, err);
	if (mount_fd < 0)
		return mount_fd;
	r = mount_attach_at(mount_fd, mon->spec.runtime_dir);
	if (r == 0 && (chdir(mon->spec.runtime_dir) < 0 || mkdir("fs", 0700) < 0))
		r = -errno;
	return r < 0 ? err_set(err, r, "make its directory") : 0;
}

static _Noreturn void exec_lxcfs(const struct mon *mon)
{
	_cleanup_(freep) char *fs = xasprintf("%s/fs", mon->spec.runtime_dir);
	_cleanup_(freep) char *pidfile = xasprintf("%s/pid", mon->spec.runtime_dir);
	char foreground[] = "-f", pid_option[] = "-p";
	char *argv[] = { mon->spec.lxcfs, foreground, pid_option, pidfile, fs, NULL };
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		(void)dup3(null_fd, fd, 0);
	(void)fd_close_from(STDERR_FILENO + 1);
	(void)reset_inherited(NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)execv(mon->spec.lxcfs, argv);
	_exit(127);
}

static int await_mount(pid_t pid, struct err *err)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * NS_PER_MS };

	for (int ms = 0; ms < READY_MS; ms += LOOK_MS) {
		if (mount_is_at("fs") > 0)
			return 0;
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return err_set(err, -ECHILD, "it ended at once");
		(void)nanosleep(&pause, NULL);
	}
	return err_set(err, -ETIMEDOUT, "it mounted nothing");
}

static int bind_file(const struct mon *mon, const char *file, uint64_t *ret_id, struct err *err)
{
	_cleanup_(freep) char *path = xasprintf("fs/%s", file);
	_cleanup_(fd_closep) int mount_fd = mount_clone(AT_FDCWD, path, false);
	struct plug_place place = {
		.userns_fd = mon->life.userns_fd,
		.mntns_fd = mon->life.mntns_fd,
		.target = file,
	};
	int r = MIN(mount_fd, 0);

	if (r == -ENOENT)
		return r;
	if (r == 0)
		r = mount_set_attrs(mount_fd,
				    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					    MOUNT_ATTR_NOEXEC,
				    0);
	if (r < 0)
		return err_set(err, r, "copy the mount of %s", file);
	return plug_mount(&place, mount_fd, ret_id, err);
}

static void bind_files(const struct mon *mon, struct report *report)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct err err = { 0 };
		int r = bind_file(mon, files[i], &report->ids[report->n_ids], &err);

		if (r == 0)
			report->n_ids++;
		else if (r != -ENOENT && report->err.code == 0)
			report->err = err;
	}
}

/* Until LXCFS ends, or the monitor says SIGTERM; both signals are blocked since the monitor began. */
static void await_end(pid_t pid)
{
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	while (waitpid(pid, NULL, WNOHANG) == 0)
		if (sigwaitinfo(&set, &info) == SIGTERM)
			(void)kill(pid, SIGKILL);
}

static _Noreturn void process_main(const struct mon *mon, int report_fd)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * NS_PER_MS };
	int keep[] = { report_fd, mon->life.userns_fd, mon->life.mntns_fd };
	struct report report = { 0 };
	pid_t pid = -1;
	int r;

	/* else it would hold the pipes of sessions open that were there when it began */
	(void)fd_close_all_but(STDERR_FILENO + 1, keep, ARRAY_LEN(keep));
	(void)prctl(PR_SET_NAME, "sysctr-procview");
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	title_set(&mon->title, "sysctr-procview", mon->name, "");
	(void)nanosleep(&pause, NULL);
	r = make_place(mon, &report.err);
	if (r == 0) {
		pid = fork();
		if (pid == 0)
			exec_lxcfs(mon);
		r = pid < 0 ? err_set(&report.err, -errno, "start a process")
			    : await_mount(pid, &report.err);
	}
	if (r == 0)
		bind_files(mon, &report);
	if (fd_write_all(report_fd, &report, sizeof(report)) < 0 || r < 0)
		_exit(1);
	(void)fd_close(report_fd);
	await_end(pid);
	_exit(0);
}

/* ---- in the monitor ---- */

static void close_report(struct mon *mon)
{
	struct procview *view = &mon->procview;

	loop_remove(&mon->loop, &view->source);
	view->report_fd = fd_close(view->report_fd);
}

static void on_report(struct source *source, uint32_t events)
{
	struct mon *mon = container_of(source, struct mon, procview.source);
	struct procview *view = &mon->procview;
	struct log_keys keys = mon_keys(mon, "procview");
	struct report report;

	(void)events; /* readable, or at its end */
	if (read(view->report_fd, &report, sizeof(report)) == (ssize_t)sizeof(report)) {
		view->n_ids = MIN(report.n_ids, ARRAY_LEN(view->ids));
		for (size_t i = 0; i < view->n_ids; i++)
			view->ids[i] = report.ids[i];
		report.err.msg[sizeof(report.err.msg) - 1] = '\0';
		if (report.err.code < 0)
			log_warn(keys, "lxcfs: %s", report.err.msg);
		else
			log_debug(keys, "files=%zu", view->n_ids);
	}
	close_report(mon);
}

static int start_process(struct mon *mon, struct err *err)
{
	struct procview *view = &mon->procview;
	struct ns_clone args = { .cgroup_fd = -EBADF };
	int ends[2], r = fd_pipe(ends);

	if (r < 0)
		return err_set(err, r, "make a pipe");
	view->pid = ns_clone(&args);
	if (view->pid == 0)
		process_main(mon, ends[1]);
	(void)fd_close(ends[1]);
	view->started_ns = time_mono_ns();
	view->report_fd = ends[0];
	if (view->pid < 0) {
		r = err_set(err, view->pid, "start a process");
		view->pid = 0;
		view->report_fd = fd_close(view->report_fd);
		return r;
	}
	view->pidfd = args.pidfd;
	r = loop_add(&mon->loop, &view->source, view->report_fd, EPOLLIN, on_report);
	return r < 0 ? err_set(err, r, "wait for it") : 0;
}

void procview_init(struct procview *view)
{
	*view = (struct procview){ .pidfd = -EBADF, .report_fd = -EBADF };
	source_init(&view->source);
}

void procview_start(struct mon *mon)
{
	struct log_keys keys = mon_keys(mon, "procview");
	struct err err = { 0 };

	if (!str_empty(mon->spec.lxcfs) && start_process(mon, &err) < 0)
		log_warn(keys, "lxcfs: %s", err.msg);
}

void procview_stop(struct mon *mon)
{
	struct procview *view = &mon->procview;
	bool settled = view->report_fd < 0;
	int status;

	close_report(mon);
	if (view->pid > 0) {
		(void)pidfd_signal(view->pidfd, settled ? SIGTERM : SIGKILL);
		(void)pidfd_reap(view->pidfd, true, &status);
	}
	(void)fd_close(view->pidfd);
	procview_init(view);
}

bool procview_reaped(struct mon *mon, pid_t pid)
{
	struct procview *view = &mon->procview;
	struct log_keys keys = mon_keys(mon, "procview");
	struct plug_place place = {
		.userns_fd = mon->life.userns_fd,
		.mntns_fd = mon->life.mntns_fd,
	};
	bool again = time_mono_ns() - view->started_ns > AGAIN_S * (uint64_t)NS_PER_S;

	if (view->pid != pid || pid <= 0)
		return false;
	if (view->report_fd >= 0)
		on_report(&view->source, 0);
	view->pid = 0;
	log_warn(keys, "lxcfs ended; files=%zu%s", view->n_ids, again ? "; once more" : "");
	for (size_t i = 0; i < view->n_ids; i++) {
		place.target = files[i]; /* for messages */
		(void)plug_out(&place, view->ids[i], false, NULL);
	}
	procview_stop(mon);
	if (again)
		procview_start(mon);
	return true;
}
