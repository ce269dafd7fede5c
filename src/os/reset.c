/* os/reset.c - see reset.h */
#include "os/reset.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/fd.h"

enum {
	MIB = 1024 * 1024
};

/* What the first process of a machine gets; the hard NOFILE is systemd's. */
static const struct {
	int resource;
	const char *name;
	struct rlimit limit;
} default_limits[] = {
	{ RLIMIT_AS, "AS", { RLIM_INFINITY, RLIM_INFINITY } },
	{ RLIMIT_CORE, "CORE", { 0, RLIM_INFINITY } },
	{ RLIMIT_CPU, "CPU", { RLIM_INFINITY, RLIM_INFINITY } },
	{ RLIMIT_DATA, "DATA", { RLIM_INFINITY, RLIM_INFINITY } },
	{ RLIMIT_FSIZE, "FSIZE", { RLIM_INFINITY, RLIM_INFINITY } },
	{ RLIMIT_LOCKS, "LOCKS", { RLIM_INFINITY, RLIM_INFINITY } },
	{ RLIMIT_MEMLOCK, "MEMLOCK", { 8 * MIB, 8 * MIB } },
	{ RLIMIT_MSGQUEUE, "MSGQUEUE", { 819200, 819200 } },
	{ RLIMIT_NICE, "NICE", { 0, 0 } },
	{ RLIMIT_NOFILE, "NOFILE", { 1024, 524288 } },
	{ RLIMIT_NPROC, "NPROC", { RLIM_INFINITY, RLIM_INFINITY } },
	{ RLIMIT_RSS, "RSS", { RLIM_INFINITY, RLIM_INFINITY } },
	{ RLIMIT_RTPRIO, "RTPRIO", { 0, 0 } },
	{ RLIMIT_RTTIME, "RTTIME", { RLIM_INFINITY, RLIM_INFINITY } },
	{ RLIMIT_SIGPENDING, "SIGPENDING", { 65536, 65536 } },
	{ RLIMIT_STACK, "STACK", { 8 * MIB, RLIM_INFINITY } },
};

/* A host may cap NOFILE below our default (fs.nr_open); then the cap is the default. */
static int set_limit(int resource, struct rlimit limit)
{
	struct rlimit now;

	if (setrlimit((__rlimit_resource_t)resource, &limit) == 0)
		return 0;
	if (errno != EPERM || getrlimit((__rlimit_resource_t)resource, &now) < 0)
		return -errno;
	limit.rlim_max = now.rlim_max;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	return setrlimit((__rlimit_resource_t)resource, &limit) < 0 ? -errno : 0;
}

int reset_privileged(struct err *err)
{
	int r = fd_write_file_at(AT_FDCWD, "/proc/self/oom_score_adj", "0");

	if (r < 0)
		return err_set(err, r, "reset oom_score_adj");
	if (setpriority(PRIO_PROCESS, 0, 0) < 0)
		return err_set(err, -errno, "reset nice");
	for (size_t i = 0; i < ARRAY_LEN(default_limits); i++) {
		r = set_limit(default_limits[i].resource, default_limits[i].limit);
		if (r < 0)
			return err_set(err, r, "reset RLIMIT_%s", default_limits[i].name);
	}
	return 0;
}

static void reset_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	/* Some numbers cannot be set (SIGKILL, libc's own): they are default already. */
	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &action, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int reset_affinity(void)
{
	enum {
		CPUS = 8192
	};
	unsigned long mask[CPUS / (8 * sizeof(unsigned long))];

	/* The kernel cuts this down to what the cpuset allows. */
	memset(mask, 0xff, sizeof(mask));
	return sched_setaffinity(0, sizeof(mask), (cpu_set_t *)mask) < 0 ? -errno : 0;
}

int reset_inherited(struct err *err)
{
	int r;

	umask(022);
	r = reset_affinity();
	if (r < 0)
		return err_set(err, r, "reset affinity");
	if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
		return err_set(err, -errno, "reset parent-death signal");
	/* A kernel without keyrings has nothing to reset. */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		return err_set(err, -errno, "new session keyring");
	reset_signals();
	return 0;
}
