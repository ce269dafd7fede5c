/*
 * monitor/main.c - sysctr-monitor: keeps one container
 *
 * Process: one per running container, started by sysctrd, outlives it. Descriptors: 2 log, 3 spec
 * (sealed memfd), 4 first connection. It starts itself once more, right inside its own cgroup:
 * writing a pid to cgroup.procs would cost 7 ms.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "monitor/mon.h"
#include "monitor/phase.h"
#include "monitor/supervise.h"
#include "os/fd.h"
#include "os/mount.h"
#include "os/ns.h"

enum {
	SPEC_FD = 3,
	CONN_FD = 4,
	FIRST_FREE_FD = 5,
	SPEC_BYTES_MAX = 1024 * 1024
};

static int require(const char *value, const char *what, struct err *err)
{
	return str_empty(value) ? err_kind(err, ERR_INVALID, "spec without %s", what) : 0;
}

static int check_spec(const struct inst_spec *spec, struct err *err)
{
	int r = require(spec->name, "name", err);

	if (r == 0)
		r = require(spec->cgroup, "cgroup", err);
	if (r == 0)
		r = require(spec->runtime_dir, "runtime_dir", err);
	if (r == 0)
		r = require(spec->root_path, "root_path", err);
	if (r == 0 && spec->root_kind == ROOT_OVERLAY)
		r = require(spec->root_lower, "root_lower", err);
	if (r == 0 && spec->root_kind >= ROOT_KIND_MAX)
		r = err_kind(err, ERR_INVALID, "unknown kind of root %u", spec->root_kind);
	if (r == 0 && !spec->privileged && (spec->id_base == 0 || spec->id_count == 0))
		r = err_kind(err, ERR_INVALID, "unprivileged without an id range");
	return r;
}

static int read_spec(void *data, struct err *err)
{
	struct mon *mon = data;
	struct buf bytes = { 0 };
	int r = fd_memfd_read(SPEC_FD, SPEC_BYTES_MAX, &bytes);

	if (r < 0)
		err_set(err, r, "descriptor %d", SPEC_FD);
	else
		r = wire_decode(&inst_spec_schema, bytes.data, bytes.len, &mon->spec, err);
	buf_done(&bytes);
	(void)fd_close(SPEC_FD);
	if (r == 0)
		r = check_spec(&mon->spec, err);
	if (r == 0)
		mon->name = xstrdup(mon->spec.name);
	return r;
}

/* "tag/web1" to "tag/.monitor/web1". */
static void own_cgroup_path(const char *cgroup, char out[CGROUP_PATH_LEN])
{
	const char *slash = strrchr(cgroup, '/');

	if (slash)
		(void)snprintf(out, CGROUP_PATH_LEN, "%.*s/.monitor%s", (int)(slash - cgroup),
			       cgroup, slash);
	else
		(void)snprintf(out, CGROUP_PATH_LEN, ".monitor/%s", cgroup);
}

/* The parent ends here; whoever started us sees a child that ended well. */
static int enter_cgroup(void *data, struct err *err)
{
	struct mon *mon = data;
	struct ns_clone args = { .pidfd = -EBADF };
	pid_t pid;
	int r;

	r = cgroup_host_detect(&mon->host, err);
	if (r < 0)
		return r;
	own_cgroup_path(mon->spec.cgroup, mon->own_cgroup);
	r = cgroup_create_plain(&mon->host, mon->own_cgroup, &mon->own_cgroup_fd, err);
	if (r == -EBUSY)
		return err_kind(err, ERR_CONFLICT, "a monitor of \"%s\" is running", mon->name);
	if (r < 0)
		return r;
	args.cgroup_fd = mon->own_cgroup_fd;
	pid = ns_clone(&args);
	if (pid < 0)
		return err_set(err, pid, "clone into \"%s\"", mon->own_cgroup);
	if (pid > 0)
		_exit(EXIT_SUCCESS);
	(void)setsid(); /* a new process leads nothing yet */
	return 0;
}

/* No mount of ours reaches the host; the host's unmounts reach us, so that we pin nothing. */
static int own_mounts(void *data, struct err *err)
{
	struct mon *mon = data;
	int r;

	mon->host_mntns_fd = ns_open(getpid(), "mnt");
	if (mon->host_mntns_fd < 0)
		return err_set(err, mon->host_mntns_fd, "open our mount namespace");
	r = ns_unshare(CLONE_NEWNS);
	if (r == 0)
		r = mount_make_slave();
	return r < 0 ? err_set(err, r, "new mount namespace") : 0;
}

static const struct phase early_phases[] = {
	{ "read-spec", read_spec, false },
	{ "enter-cgroup", enter_cgroup, false },
	{ "own-mounts", own_mounts, false },
	{ NULL, NULL, false },
};

static void set_log_level(const char *word)
{
	enum log_level level;

	if (word && log_parse_level(word, &level) == 0)
		log_set_level(level);
}

/* Keep nothing of whoever starts us but what main's comment names. */
static int prepare_fds(void)
{
	_cleanup_(fd_closep) int null_fd = -EBADF;
	int r = fd_close_from(FIRST_FREE_FD);

	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0 || dup3(null_fd, STDIN_FILENO, O_CLOEXEC) < 0 ||
	    dup3(null_fd, STDOUT_FILENO, O_CLOEXEC) < 0 || chdir("/") < 0)
		return -errno;
	for (int fd = STDERR_FILENO; fd < FIRST_FREE_FD && r == 0; fd++)
		r = fd_set_cloexec(fd, true);
	return r;
}

#ifdef WITH_SANITIZERS
/* Everything lives until exit, and LeakSanitizer's tracer cannot attach to who is non-dumpable. */
int __lsan_is_turned_off(void);
__attribute__((visibility("default"))) int __lsan_is_turned_off(void)
{
	return 1;
}
#endif

int main(int argc, char **argv)
{
	struct mon *mon = xcalloc(1, sizeof(*mon));
	struct phase_run run = {
		.program = "sysctr-monitor",
		.inst = argc > 1 ? argv[1] : NULL,
		.title = &mon->title,
	};
	_cleanup_(freep) char *inst = xstrdup(run.inst ? run.inst : "?");
	struct err err = { 0 };
	int r;

	run.inst = inst;
	set_log_level(getenv("SYSCTR_LOG_LEVEL"));
	title_init(&mon->title, argc, argv);
	r = prepare_fds();
	if (r < 0) {
		log_error(LOG_NONE, "descriptors 2, 3, 4 and /dev/null: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	mon_init(mon);
	r = phase_run_all(early_phases, &run, mon, &mon->exit_err);
	/* Also after a failure: the one who waits is told through the same socket. */
	if (mon_open(mon, &err) < 0) {
		log_error(LOG_NONE, "%s", err.msg);
		return EXIT_FAILURE;
	}
	mon->state = r < 0 ? MON_STOPPED : MON_STARTING;
	(void)ctl_add(&mon->ctl, CONN_FD);
	if (r == 0)
		return supervise_run(mon);
	log_error(LOG_NONE, "%s", mon->exit_err.msg);
	return EXIT_FAILURE;
}
