/* os/cgroup.c - see cgroup.h */
#include "os/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "base/time.h"
#include "os/cgroup_tree.h"
#include "os/fd.h"
#include "os/path.h"

enum {
	FULL_PATH_LEN = 2 * CGROUP_PATH_LEN + 64,
	UNIFIED = -1, /* the hierarchy that is cgroup2 */
	RETRY_FIRST_MS = 1,
	RETRY_MAX_MS = 16,
	NS_PER_US = 1000,
};

/* What the container's root has to own besides the directory to use its delegated group. */
static const char *const delegated_files[] = {
	"cgroup.procs",
	"cgroup.threads",
	"cgroup.subtree_control",
};

void cgroup_init(struct cgroup *cg)
{
	*cg = (struct cgroup){ .dir_fd = -EBADF, .payload_fd = -EBADF, .events_fd = -EBADF };
	for (size_t i = 0; i < CGROUP_V1_MAX; i++)
		cg->tasks_fds[i] = -EBADF;
}

void cgroup_done(struct cgroup *cg)
{
	(void)fd_close(cg->dir_fd);
	(void)fd_close(cg->payload_fd);
	(void)fd_close(cg->events_fd);
	for (size_t i = 0; i < CGROUP_V1_MAX; i++)
		(void)fd_close(cg->tasks_fds[i]);
	cgroup_init(cg);
}

static const char *hierarchy_mount(const struct cgroup_host *host, int hierarchy)
{
	return hierarchy == UNIFIED ? host->unified : host->v1_mounts[hierarchy];
}

/* "<mount>/<path>/<file>" into @out; "" for @path or @file leaves it out. */
static const char *full_path(char out[FULL_PATH_LEN], const struct cgroup_host *host, int hierarchy,
			     const char *path, const char *file)
{
	(void)snprintf(out, FULL_PATH_LEN, "%s%s%s%s%s", hierarchy_mount(host, hierarchy),
		       *path ? "/" : "", path, *file ? "/" : "", file);
	return out;
}

/* Returns: directory descriptor or -errno. */
static int open_group(const struct cgroup_host *host, int hierarchy, const char *path)
{
	char full[FULL_PATH_LEN];
	int fd = open(full_path(full, host, hierarchy, path, ""),
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Give @file the value of @source in the parent. */
static int inherit_from(int dir_fd, const char *file, const char *source)
{
	char parent_file[64];
	char text[CGROUP_TEXT_LEN];
	ssize_t n;

	(void)snprintf(parent_file, sizeof(parent_file), "../%s", source);
	n = fd_read_file_at(dir_fd, parent_file, text, sizeof(text));
	return n < 0 ? (int)n : fd_write_file_at(dir_fd, file, text);
}

static int inherit_file(int dir_fd, const char *file)
{
	return inherit_from(dir_fd, file, file);
}

static int inherit_if_empty(int dir_fd, const char *file)
{
	char text[CGROUP_TEXT_LEN];
	ssize_t n = fd_read_file_at(dir_fd, file, text, sizeof(text));

	if (n < 0)
		return (int)n;
	return n > 0 ? 0 : inherit_file(dir_fd, file);
}

/*
 * Let the groups below @dir_fd have the controllers that we limit. One that cannot be handed down is
 * missed when a limit of it is written, and then named.
 */
static int enable_controllers(const struct cgroup_host *host, int dir_fd)
{
	for (int i = 0; i < CGROUP_CTRL_MAX; i++) {
		char text[32];
		int r;

		if (!host->v2_has[i] || i == CGROUP_CPUACCT)
			continue;
		(void)snprintf(text, sizeof(text), "+%s", cgroup_ctrl_name((enum cgroup_ctrl)i));
		r = fd_write_file_at(dir_fd, "cgroup.subtree_control", text);
		if (r < 0 && r != -EINVAL && r != -ENOENT && r != -EBUSY && r != -EOPNOTSUPP)
			return r;
	}
	return 0;
}

/* What a new directory on the way to a container's group needs. */
static int prepare_parent(const struct cgroup_host *host, int hierarchy, int dir_fd)
{
	int r;

	if (hierarchy == UNIFIED)
		return enable_controllers(host, dir_fd);
	if (hierarchy != host->v1_of[CGROUP_CPUSET])
		return 0;
	r = inherit_if_empty(dir_fd, "cpuset.cpus");
	return r < 0 ? r : inherit_if_empty(dir_fd, "cpuset.mems");
}

/*
 * Make @path and its parents in one hierarchy; the parents are prepared to have groups below.
 * Returns: descriptor of the last directory, or -errno; -EEXIST when that one was there.
 */
static int make_groups(const struct cgroup_host *host, int hierarchy, const char *path)
{
	_cleanup_(fd_closep) int dir_fd = open_group(host, hierarchy, "");
	char name[CGROUP_NAME_LEN];

	if (dir_fd < 0)
		return dir_fd;
	for (const char *rest = path; *rest;) {
		size_t len = strcspn(rest, "/");
		int r = hierarchy == UNIFIED ? enable_controllers(host, dir_fd) : 0;
		int next;

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, rest);
		rest += len + (rest[len] == '/');
		if (r < 0)
			return r;
		if (mkdirat(dir_fd, name, 0755) < 0 && (errno != EEXIST || !*rest))
			return -errno;
		next = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		(void)fd_close(dir_fd);
		dir_fd = next;
		r = *rest && hierarchy != UNIFIED ? prepare_parent(host, hierarchy, dir_fd) : 0;
		if (r < 0)
			return r;
	}
	return TAKE_FD(dir_fd);
}

/* As make_groups(), but an empty group that is left over is made anew. */
static int make_fresh(const struct cgroup_host *host, int hierarchy, const char *path,
		      struct err *err)
{
	char full[FULL_PATH_LEN];
	int fd = make_groups(host, hierarchy, path);

	if (fd == -EEXIST) {
		_cleanup_(fd_closep) int root_fd = open_group(host, hierarchy, "");
		int r = root_fd < 0 ? root_fd : cgroup_tree_remove(root_fd, path);

		if (r == -EBUSY)
			return err_set(err, r, "cgroup \"%s\" is left over and still has processes",
				       full_path(full, host, hierarchy, path, ""));
		fd = r < 0 ? r : make_groups(host, hierarchy, path);
	}
	if (fd < 0)
		return err_set(err, fd, "make cgroup \"%s\"",
			       full_path(full, host, hierarchy, path, ""));
	return fd;
}

static int make_owned(int parent_fd, const char *name, const uid_t owner[2])
{
	_cleanup_(fd_closep) int fd = -EBADF;

	if (mkdirat(parent_fd, name, 0755) < 0)
		return -errno;
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(delegated_files); i++)
		if (fchownat(fd, delegated_files[i], owner[0], owner[1], AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
	if (fchown(fd, owner[0], owner[1]) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int make_unified(struct cgroup *cg, const uid_t owner[2], struct err *err)
{
	int r;

	cg->dir_fd = make_fresh(cg->host, UNIFIED, cg->path, err);
	if (cg->dir_fd < 0)
		return cg->dir_fd;
	r = enable_controllers(cg->host, cg->dir_fd);
	if (r < 0)
		return err_set(err, r, "turn on controllers in cgroup \"%s\"", cg->path);
	cg->payload_fd = make_owned(cg->dir_fd, "payload", owner);
	if (cg->payload_fd < 0)
		return err_set(err, cg->payload_fd, "make cgroup \"%s/payload\"", cg->path);
	cg->events_fd = openat(cg->dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (cg->events_fd < 0)
		return err_set(err, -errno, "open \"%s/cgroup.events\"", cg->path);
	return 0;
}

static int make_v1(struct cgroup *cg, int hierarchy, struct err *err)
{
	_cleanup_(fd_closep) int dir_fd = make_fresh(cg->host, hierarchy, cg->path, err);
	int tasks_fd;
	int r;

	if (dir_fd < 0)
		return dir_fd;
	r = prepare_parent(cg->host, hierarchy, dir_fd);
	if (r < 0)
		return err_set(err, r, "set cpus and mems of cgroup \"%s\"", cg->path);
	tasks_fd = openat(dir_fd, "tasks", O_WRONLY | O_CLOEXEC);
	if (tasks_fd < 0)
		return err_set(err, -errno, "open \"%s/%s/tasks\"", cg->host->v1_mounts[hierarchy],
			       cg->path);
	cg->tasks_fds[cg->n_tasks_fds++] = tasks_fd;
	return 0;
}

static int make_all(struct cgroup *cg, const struct cgroup_limits *limits, const uid_t owner[2],
		    struct err *err)
{
	int r = make_unified(cg, owner, err);

	for (size_t i = 0; r == 0 && i < cg->host->n_v1; i++)
		r = make_v1(cg, (int)i, err);
	return r < 0 ? r : cgroup_apply_limits(cg, limits, err);
}

int cgroup_create(const struct cgroup_host *host, const char *path,
		  const struct cgroup_limits *limits, const uid_t owner[2], struct cgroup *ret_cg,
		  struct err *err)
{
	struct cgroup cg;
	int r;

	cgroup_init(&cg);
	if (!path_is_plain(path) || strlen(path) >= sizeof(cg.path))
		return err_set(err, -EINVAL, "make cgroup \"%.64s\"", path);
	cg.host = host;
	(void)snprintf(cg.path, sizeof(cg.path), "%s", path);
	r = make_all(&cg, limits, owner, err);
	if (r < 0) {
		bool was_busy = r == -EBUSY && cg.n_tasks_fds == 0;

		cgroup_done(&cg);
		if (!was_busy)
			(void)cgroup_remove(host, path, 0, NULL); /* what there is of it */
		return r;
	}
	*ret_cg = cg;
	return 0;
}

int cgroup_create_plain(const struct cgroup_host *host, const char *path, int *ret_dir_fd,
			struct err *err)
{
	int fd;

	if (!path_is_plain(path) || strlen(path) >= CGROUP_PATH_LEN)
		return err_set(err, -EINVAL, "make cgroup \"%.64s\"", path);
	fd = make_fresh(host, UNIFIED, path, err);
	if (fd < 0)
		return fd;
	*ret_dir_fd = fd;
	return 0;
}

int cgroup_join_tasks(const int *tasks_fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (write(tasks_fds[i], "0", 1) < 0)
			return -errno;
	return 0;
}

int cgroup_join_v1(const struct cgroup *cg)
{
	return cgroup_join_tasks(cg->tasks_fds, cg->n_tasks_fds);
}

static int apply_write(const struct cgroup *cg, const struct cgroup_write *write, struct err *err)
{
	char full[FULL_PATH_LEN];
	_cleanup_(fd_closep) int dir_fd = open_group(cg->host, write->hierarchy, cg->path);
	int r = dir_fd;

	if (dir_fd >= 0 && str_empty(write->text))
		r = inherit_file(dir_fd, write->file);
	else if (dir_fd >= 0)
		r = fd_write_file_at(dir_fd, write->file, write->text);
	/* Linux 6.1 does not empty the list of a group with processes: all that the parent has. */
	if (r == -ENOSPC && streq(write->file, "cpuset.cpus") && streq(write->text, "\n"))
		r = inherit_from(dir_fd, write->file, "cpuset.cpus.effective");
	if (r >= 0 || (write->optional && (r == -ENOENT || r == -EOPNOTSUPP)))
		return 0;
	full_path(full, cg->host, write->hierarchy, cg->path, write->file);
	if (r == -EBUSY && strstr(write->file, "memory"))
		return err_set(err, r, "write \"%s\" to \"%s\": more is in use", write->text, full);
	return err_set(err, r, "write \"%.64s\" to \"%s\"", write->text, full);
}

static int apply_plan(const struct cgroup *cg, const struct cgroup_plan *plan, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->len; i++)
		r = apply_write(cg, &plan->writes[i], err);
	return r;
}

int cgroup_apply_limits(const struct cgroup *cg, const struct cgroup_limits *limits,
			struct err *err)
{
	struct cgroup_plan plan;
	int r = cgroup_plan_limits(cg->host, limits, &plan, err);

	return r < 0 ? r : apply_plan(cg, &plan, err);
}

int cgroup_apply_io(const struct cgroup *cg, const struct cgroup_io *io, struct err *err)
{
	struct cgroup_plan plan;
	int r = cgroup_plan_io(cg->host, io, &plan, err);

	return r < 0 ? r : apply_plan(cg, &plan, err);
}

/* The value of @key in cgroup.events. Returns: 0, 1 or -errno. */
static int read_event(int events_fd, const char *key)
{
	char text[256];
	ssize_t n = pread(events_fd, text, sizeof(text) - 1, 0);
	const char *at;

	if (n < 0)
		return -errno;
	text[n] = '\0';
	at = strstr(text, key);
	if (!at || at[strlen(key)] != ' ')
		return -EBADMSG;
	return at[strlen(key) + 1] == '1';
}

static int wait_event(int events_fd, const char *key, int wanted, uint32_t timeout_ms)
{
	uint64_t end_ns = time_mono_ns() + (uint64_t)timeout_ms * NS_PER_MS;

	for (;;) {
		struct pollfd poll_fd = { .fd = events_fd, .events = POLLPRI };
		int value = read_event(events_fd, key);
		uint64_t now_ns = time_mono_ns();

		if (value < 0 || value == wanted)
			return value < 0 ? value : 0;
		if (now_ns >= end_ns)
			return -ETIMEDOUT;
		if (poll(&poll_fd, 1, (int)((end_ns - now_ns) / NS_PER_MS) + 1) < 0 &&
		    errno != EINTR)
			return -errno;
	}
}

int cgroup_freeze(const struct cgroup *cg, bool freeze, uint32_t timeout_ms, struct err *err)
{
	int r = fd_write_file_at(cg->dir_fd, "cgroup.freeze", freeze ? "1" : "0");

	if (r == 0)
		r = wait_event(cg->events_fd, "frozen", freeze, timeout_ms);
	if (r < 0)
		return err_set(err, r, "%s cgroup \"%s\"", freeze ? "freeze" : "thaw", cg->path);
	return 0;
}

int cgroup_kill_dir(int dir_fd)
{
	int r = fd_write_file_at(dir_fd, "cgroup.kill", "1");

	return r == -ENOENT ? cgroup_tree_kill(dir_fd) : r;
}

int cgroup_kill(const struct cgroup *cg, struct err *err)
{
	int r = cgroup_kill_dir(cg->dir_fd);

	return r < 0 ? err_set(err, r, "kill cgroup \"%s\"", cg->path) : 0;
}

int cgroup_leaf_populated(int events_fd)
{
	return read_event(events_fd, "populated");
}

int cgroup_populated(const struct cgroup *cg)
{
	return read_event(cg->events_fd, "populated");
}

int cgroup_wait_empty(const struct cgroup *cg, uint32_t timeout_ms)
{
	return wait_event(cg->events_fd, "populated", 0, timeout_ms);
}

/* The number in @file, 0 when there is none. */
static uint64_t read_number(const struct cgroup *cg, int hierarchy, const char *file)
{
	char full[FULL_PATH_LEN];
	char text[64];

	if (fd_read_file_at(AT_FDCWD, full_path(full, cg->host, hierarchy, cg->path, file), text,
			    sizeof(text)) < 0)
		return 0;
	return strtoull(text, NULL, 10); /* the kernel's number */
}

static uint64_t read_cpu_v2(const struct cgroup *cg)
{
	char text[1024];
	const char *at;

	if (fd_read_file_at(cg->dir_fd, "cpu.stat", text, sizeof(text)) < 0)
		return 0;
	at = strstr(text, "usage_usec ");
	return at ? strtoull(at + strlen("usage_usec "), NULL, 10) * NS_PER_US : 0;
}

static void read_memory(const struct cgroup *cg, int v1, struct cgroup_usage *usage)
{
	uint64_t sum;

	if (v1 < 0) {
		usage->memory_bytes = read_number(cg, v1, "memory.current");
		usage->memory_peak_bytes = read_number(cg, v1, "memory.peak");
		usage->swap_bytes = read_number(cg, v1, "memory.swap.current");
		return;
	}
	usage->memory_bytes = read_number(cg, v1, "memory.usage_in_bytes");
	usage->memory_peak_bytes = read_number(cg, v1, "memory.max_usage_in_bytes");
	sum = read_number(cg, v1, "memory.memsw.usage_in_bytes");
	usage->swap_bytes = sum > usage->memory_bytes ? sum - usage->memory_bytes : 0;
}

void cgroup_read_usage(const struct cgroup *cg, struct cgroup_usage *ret_usage)
{
	const int *v1_of = cg->host->v1_of;

	*ret_usage = (struct cgroup_usage){ 0 };
	read_memory(cg, v1_of[CGROUP_MEMORY], ret_usage);
	/* the kernel keeps its high-water mark without a lock, so that it may lag behind */
	ret_usage->memory_peak_bytes = MAX(ret_usage->memory_peak_bytes, ret_usage->memory_bytes);
	if (v1_of[CGROUP_CPUACCT] >= 0)
		ret_usage->cpu_usage_ns = read_number(cg, v1_of[CGROUP_CPUACCT], "cpuacct.usage");
	else
		ret_usage->cpu_usage_ns = read_cpu_v2(cg);
	ret_usage->processes = read_number(cg, v1_of[CGROUP_PIDS], "pids.current");
}

int cgroup_leaf_create(int parent_fd, const char *name, const uid_t owner[2], int *ret_dir_fd)
{
	int fd = make_owned(parent_fd, name, owner);

	if (fd < 0)
		return fd;
	*ret_dir_fd = fd;
	return 0;
}

int cgroup_leaf_remove(int parent_fd, const char *name)
{
	return cgroup_tree_remove(parent_fd, name);
}

static void sleep_ms(uint32_t ms)
{
	struct timespec duration = { .tv_nsec = (long)ms * NS_PER_MS };

	(void)nanosleep(&duration, NULL); /* shorter is fine: the caller tries again */
}

static int remove_everywhere(const struct cgroup_host *host, const char *path)
{
	int result = 0;

	for (int hierarchy = UNIFIED; hierarchy < (int)host->n_v1; hierarchy++) {
		_cleanup_(fd_closep) int root_fd = open_group(host, hierarchy, "");
		int r = root_fd < 0 ? root_fd : cgroup_tree_remove(root_fd, path);

		if (r < 0 && result == 0)
			result = r;
	}
	return result;
}

int cgroup_remove(const struct cgroup_host *host, const char *path, uint32_t timeout_ms,
		  struct err *err)
{
	uint64_t end_ns = time_mono_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	uint32_t pause_ms = RETRY_FIRST_MS;
	int r;

	if (!path_is_plain(path))
		return err_set(err, -EINVAL, "remove cgroup \"%.64s\"", path);
	while ((r = remove_everywhere(host, path)) == -EBUSY && time_mono_ns() < end_ns) {
		sleep_ms(pause_ms);
		pause_ms = MIN(pause_ms * 2, (uint32_t)RETRY_MAX_MS);
	}
	return r < 0 ? err_set(err, r, "remove cgroup \"%s\"", path) : 0;
}

struct visible {
	int (*fn)(void *data, const char *name);
	void *data;
};

static int visit_visible(void *data, const char *name)
{
	const struct visible *visible = data;

	return name[0] == '.' ? 0 : visible->fn(visible->data, name);
}

int cgroup_for_each_child(const struct cgroup_host *host, const char *path,
			  int (*fn)(void *data, const char *name), void *data)
{
	struct visible visible = { .fn = fn, .data = data };
	int r = 0;

	for (int hierarchy = UNIFIED; r == 0 && hierarchy < (int)host->n_v1; hierarchy++) {
		_cleanup_(fd_closep) int dir_fd = open_group(host, hierarchy, path);

		if (dir_fd >= 0)
			r = cgroup_tree_for_each(dir_fd, visit_visible, &visible);
		else if (dir_fd != -ENOENT)
			r = dir_fd;
	}
	return r;
}
