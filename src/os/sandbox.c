/* os/sandbox.c - see sandbox.h; the filters are in sandbox_filter.c */
#include "os/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "os/caps.h"
#include "os/fd.h"
#include "os/idmap.h"
#include "os/mount.h"
#include "os/ns.h"
#include "os/path.h"
#include "os/pidfd.h"
#include "os/sandbox_filter.h"
#include "os/sock.h"

enum {
	BINDS_MAX = SOCK_FDS_MAX,
	SETUP_FAILED = 255, /* exit status of a child that has sent an err */
	KEEP_MAX = 32
};

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

/* What a parser needs to give files their owners, modes and capabilities; nothing else. */
#define PARSER_CAPS                                                             \
	(CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) | \
	 CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_SETFCAP))
#define ALL_CAPS (CAP_BIT(CAP_LAST_CAP + 1) - 1)

/* One side of the start: what the child needs beside the plan. */
struct start {
	const struct sandbox_plan *plan;
	sandbox_fn *fn;
	void *data;
	int parent_fd; /* SEQPACKET: mounts and "go" down, "ready" or an err up */
	int child_fd;
	int mounts[BINDS_MAX];
};

static int set_id(int fd, const struct sandbox_bind *bind, int userns_fd, struct err *err)
{
	int r = mount_idmap(fd, userns_fd);
	if (r == 0)
		return 0;
	char fs[32];
	if (r == -EINVAL || r == -EOPNOTSUPP || r == -ENOSYS)
		return err_kind(err, ERR_UNSUPPORTED,
				"\"%s\": its file system (%s) has no idmapped mounts on this "
				"kernel",
				bind->src, mount_fs_name(fd, fs));
	return err_set(err, r, "idmap \"%s\"", bind->src);
}

/* Make the detached mount of @bind. Returns: descriptor or -errno. */
static int open_bind(const struct sandbox_bind *bind, int userns_fd, struct err *err)
{
	_cleanup_(fd_closep) int mount_fd = -EBADF;
	int attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

	if (bind->src_fd >= 0)
		mount_fd = mount_clone(bind->src_fd, "", bind->recursive);
	else
		mount_fd = mount_clone(AT_FDCWD, bind->src, bind->recursive);
	if (mount_fd < 0)
		return err_set(err, mount_fd, "open mount of \"%s\"", bind->src);
	if (bind->idmap) {
		int r = set_id(mount_fd, bind, userns_fd, err);
		if (r < 0)
			return r;
	} else {
		attrs = MOUNT_ATTR_NOSUID;
	}
	struct mount_attr attr = { .attr_set = attrs | (bind->ro ? MOUNT_ATTR_RDONLY : 0) };
	unsigned int flags = AT_EMPTY_PATH | (bind->recursive ? AT_RECURSIVE : 0);
	if (mount_setattr(mount_fd, "", flags, &attr, sizeof(attr)) < 0)
		return err_set(err, -errno, "set attributes of the mount of \"%s\"", bind->src);
	return TAKE_FD(mount_fd);
}

/* Parent: give the child its ids and its mounts. */
static int equip_child(struct start *start, pid_t pid, struct err *err)
{
	const struct sandbox_plan *plan = start->plan;
	_cleanup_(fd_closep) int userns_fd = -EBADF;

	int r = idmap_write(pid, plan->id_base, plan->id_count);
	if (r < 0)
		return err_set(err, r, "map host ids %u-%u", plan->id_base,
			       plan->id_base + plan->id_count - 1);
	userns_fd = ns_open(pid, "user");
	if (userns_fd < 0)
		return err_set(err, userns_fd, "open the sandbox's user namespace");
	for (size_t i = 0; i < plan->n_binds; i++) {
		start->mounts[i] = open_bind(&plan->binds[i], userns_fd, err);
		if (start->mounts[i] < 0)
			return start->mounts[i];
	}
	struct iovec go = { .iov_base = (char[]){ 'g' }, .iov_len = 1 };
	r = sock_send(start->parent_fd, &go, 1, start->mounts, plan->n_binds);
	if (r < 0)
		return err_set(err, r, "hand over the mounts");
	return 0;
}

static void close_mounts(struct start *start)
{
	for (size_t i = 0; i < BINDS_MAX; i++)
		start->mounts[i] = fd_close(start->mounts[i]);
}

/* Child from here on, until run_child(). */
static int take_mounts(struct start *start, struct err *err)
{
	char go;
	size_t n = 0;

	ssize_t len = sock_recv(start->child_fd, &go, 1, start->mounts, BINDS_MAX, &n);
	if (len <= 0 || n != start->plan->n_binds)
		return err_set(err, -EPIPE, "wait for the parent");
	return 0;
}

/* A directory (or file, when @like_fd is none) for a mount; the host's own trees have it already. */
static int open_target(int root_fd, const char *dst, int like_fd)
{
	struct stat st = { .st_mode = S_IFDIR };

	while (*dst == '/')
		dst++;
	if (like_fd >= 0 && fstat(like_fd, &st) < 0)
		return -errno;
	int fd = path_openat2(root_fd, dst, O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT);
	if (fd >= 0)
		return fd;
	return S_ISDIR(st.st_mode) ? path_make_dir(root_fd, dst, 0755)
				   : path_make_file(root_fd, dst, 0644);
}

static int attach(int root_fd, int mount_fd, const char *dst, struct err *err)
{
	_cleanup_(fd_closep) int target_fd = open_target(root_fd, dst, mount_fd);

	if (target_fd < 0)
		return err_set(err, target_fd, "make \"%s\"", dst);
	int r = mount_attach(mount_fd, target_fd);
	if (r < 0)
		return err_set(err, r, "mount on \"%s\"", dst);
	return 0;
}

static int attach_new(int root_fd, const char *fstype, const char *dst, struct err *err)
{
	const struct mount_opt mode = { "mode", "1777" };
	bool is_tmpfs = streq(fstype, "tmpfs");
	_cleanup_(fd_closep) int fd = mount_new(fstype, &mode, is_tmpfs ? 1 : 0,
						MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, err);

	if (fd < 0)
		return err_wrap(err, "mount on \"%s\"", dst);
	return attach(root_fd, fd, dst, err);
}

/* The mount that becomes "/". Returns: borrowed from start->mounts or made new; -errno. */
static int make_root(struct start *start, struct err *err)
{
	for (size_t i = 0; i < start->plan->n_binds; i++)
		if (streq(start->plan->binds[i].dst, "/"))
			return start->mounts[i];
	const struct mount_opt mode = { "mode", "0755" };
	return mount_new("tmpfs", &mode, 1, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, err);
}

static int build_root(struct start *start, struct err *err)
{
	const struct sandbox_plan *plan = start->plan;
	int r = mount_make_private();

	if (r < 0)
		return err_set(err, r, "make mounts private");
	int root_fd = make_root(start, err);
	if (root_fd < 0)
		return root_fd;
	r = mount_attach_at(root_fd, "/");
	if (r < 0)
		return err_set(err, r, "attach the root");
	for (size_t i = 0; i < plan->n_binds; i++) {
		if (start->mounts[i] == root_fd)
			continue;
		r = attach(root_fd, start->mounts[i], plan->binds[i].dst, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < plan->n_tmpfs; i++) {
		r = attach_new(root_fd, "tmpfs", plan->tmpfs[i], err);
		if (r < 0)
			return r;
	}
	if (plan->proc) {
		r = attach_new(root_fd, "proc", "/proc", err);
		if (r < 0)
			return r;
	}
	r = mount_pivot(root_fd);
	if (r < 0)
		return err_set(err, r, "pivot_root");
	(void)close(root_fd);
	close_mounts(start);
	return 0;
}

static int set_limits(const struct sandbox_plan *plan)
{
	struct rlimit no_core = { 0, 0 };
	struct rlimit memory = { plan->memory_bytes, plan->memory_bytes };
	struct rlimit file = { plan->file_bytes, plan->file_bytes };

	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return -errno;
	if (plan->file_bytes > 0 && setrlimit(RLIMIT_FSIZE, &file) < 0)
		return -errno;
#ifndef WITH_SANITIZERS
	if (plan->memory_bytes > 0 && setrlimit(RLIMIT_AS, &memory) < 0)
		return -errno;
#else
	(void)memory;
#endif
	return 0;
}

/* Close everything but 0-2 and the plan's descriptors. */
static int close_others(const struct sandbox_plan *plan)
{
	int keep[KEEP_MAX];

	if (plan->n_keep_fds > KEEP_MAX)
		return -EINVAL;
	if (plan->n_keep_fds > 0)
		memcpy(keep, plan->keep_fds, plan->n_keep_fds * sizeof(int));
	return fd_close_all_but(STDERR_FILENO + 1, keep, plan->n_keep_fds);
}

static void reset_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGXFSZ, SIG_IGN); /* EFBIG says it better */
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Enter what the clone flags and the parent have prepared. */
static int setup_child(struct start *start, struct err *err)
{
	const struct sandbox_plan *plan = start->plan;

	start->parent_fd = fd_close(start->parent_fd);
	int r = take_mounts(start, err);
	if (r < 0)
		return r;
	r = caps_become_root();
	if (r < 0)
		return err_set(err, r, "become root of the sandbox");
	/* after the change of ids, which clears it; a parent that died before is seen by the socket */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_set(err, -errno, "set the parent-death signal");
	r = build_root(start, err);
	if (r < 0)
		return r;
	(void)ns_set_hostname(plan->name);
	(void)prctl(PR_SET_NAME, plan->name);
	(void)setsid();
	(void)umask(022);
	if (plan->filter == SANDBOX_FILTER_PARSER) {
		r = caps_drop(ALL_CAPS & ~PARSER_CAPS);
		if (r < 0)
			return err_set(err, r, "drop capabilities");
	}
	r = set_limits(plan);
	if (r < 0)
		return err_set(err, r, "set resource limits");
	return 0;
}

/* Pid 1 of the sandbox waits for everything, so that no zombies pile up under a build. */
_Noreturn static void reap_until(pid_t body)
{
	for (;;) {
		int status;
		pid_t pid = wait(&status);
		if (pid < 0 && errno == ECHILD)
			_exit(SETUP_FAILED);
		if (pid != body)
			continue;
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
}

_Noreturn static void run_body(struct start *start)
{
	const struct sandbox_plan *plan = start->plan;

	if (close_others(plan) < 0 || sandbox_filter_install(plan->filter) < 0)
		_exit(SETUP_FAILED);
	_exit(start->fn(start->data) & 0xff);
}

_Noreturn static void run_child(struct start *start)
{
	struct err err = { 0 };

	reset_signals();
	if (setup_child(start, &err) < 0) {
		struct iovec iov = { .iov_base = &err, .iov_len = sizeof(err) };
		(void)sock_send(start->child_fd, &iov, 1, NULL, 0);
		_exit(SETUP_FAILED);
	}
	pid_t body = fork();
	if (body == 0)
		run_body(start);
	if (body < 0)
		_exit(SETUP_FAILED);
	struct iovec ready = { .iov_base = (char[]){ 'r' }, .iov_len = 1 };
	(void)sock_send(start->child_fd, &ready, 1, NULL, 0);
	(void)fd_close_from(3);
	reap_until(body);
}

/* Parent: the child's word that the body runs. */
static int await_ready(struct start *start, struct err *err)
{
	struct err theirs = { 0 };
	size_t n = 0;

	start->child_fd = fd_close(start->child_fd);
	ssize_t len = sock_recv(start->parent_fd, &theirs, sizeof(theirs), NULL, 0, &n);
	if (len == 1)
		return 0;
	if (len == sizeof(theirs)) {
		theirs.msg[sizeof(theirs.msg) - 1] = '\0';
		if (err)
			*err = theirs;
		return theirs.code < 0 ? theirs.code : -EIO;
	}
	return err_set(err, len < 0 ? (int)len : -ECHILD, "set up the sandbox");
}

static int check_plan(const struct sandbox_plan *plan, struct err *err)
{
	if (plan->id_base == 0 || plan->id_count == 0)
		return err_kind(err, ERR_INTERNAL, "sandbox without an id range");
	if (plan->n_binds > BINDS_MAX)
		return err_kind(err, ERR_INTERNAL, "sandbox with more than %d mounts", BINDS_MAX);
	return 0;
}

int sandbox_start(const struct sandbox_plan *plan, sandbox_fn *fn, void *data,
		  struct sandbox *ret_sandbox, struct err *err)
{
	struct ns_clone clone = {
		.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
			 CLONE_NEWCGROUP | (plan->keep_net ? 0 : CLONE_NEWNET),
		.cgroup_fd = -1,
		.pidfd = -EBADF,
	};
	struct start start = { .plan = plan, .fn = fn, .data = data };
	int socks[2];

	int r = check_plan(plan, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < BINDS_MAX; i++)
		start.mounts[i] = -EBADF;
	r = sock_pair(socks);
	if (r < 0)
		return err_set(err, r, "make a socket pair");
	start.parent_fd = socks[0];
	start.child_fd = socks[1];
	(void)caps_set_nondumpable();
	pid_t pid = ns_clone(&clone);
	if (pid == 0)
		run_child(&start);
	if (pid < 0) {
		r = err_set(err, (int)pid, "start the sandbox \"%s\"", plan->name);
	} else {
		*ret_sandbox = (struct sandbox){ .pid = pid, .pidfd = clone.pidfd };
		r = equip_child(&start, pid, err);
		if (r == 0)
			r = await_ready(&start, err);
		if (r < 0)
			sandbox_kill(ret_sandbox);
	}
	close_mounts(&start);
	(void)fd_close(start.parent_fd);
	(void)fd_close(start.child_fd);
	return r;
}

int sandbox_wait(struct sandbox *sandbox, struct err *err)
{
	int status;

	int r = pidfd_reap(sandbox->pidfd, true, &status);
	if (r < 0)
		return err_set(err, r, "wait for the sandbox");
	sandbox->pidfd = fd_close(sandbox->pidfd);
	sandbox->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void sandbox_kill(struct sandbox *sandbox)
{
	if (sandbox->pid <= 0)
		return;
	(void)pidfd_signal(sandbox->pidfd, SIGKILL);
	(void)sandbox_wait(sandbox, NULL);
}

void sandbox_done(struct sandbox *sandbox)
{
	sandbox_kill(sandbox);
}
