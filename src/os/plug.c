/* os/plug.c - see plug.h */
#include "os/plug.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "os/caps.h"
#include "os/fd.h"
#include "os/mount.h"
#include "os/ns.h"
#include "os/path.h"
#include "os/pidfd.h"

enum {
	TRIES_MAX = 256, /* mounts of the guest on top of ours, renames of what is above it */
	MOUNTINFO_BYTES_MAX = 8 * 1024 * 1024
};

#define ITEM "m" /* what is to be plugged, in scratch */

/* What the process is to do; it has a copy of everything. */
struct job {
	const struct plug_place *place;
	int mount_fd;
	const struct plug_source *source; /* NULL: mount_fd */
	const struct plug_node *node;	  /* NULL: mount_fd */
	uint64_t id;			  /* to be taken out */
	bool unlink;
	int (*run)(const struct job *job, uint64_t *ret_id, struct err *err);
};

struct report {
	int result;
	uint64_t id;
	struct err err;
};

/* ---- in the process ---- */

static int open_source(const struct plug_source *source, struct err *err)
{
	int r = ns_join(source->mntns_fd, CLONE_NEWNS);
	int fd;

	if (r < 0)
		return err_set(err, r, "join the host's mount namespace");
	fd = path_openat2(AT_FDCWD, source->path, O_PATH | O_CLOEXEC, 0,
			  RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	if (fd == -ELOOP)
		return err_kind(
			err, ERR_INVALID,
			"source \"%s\": there is a symbolic link in that path; name the place "
			"it leads to",
			source->path);
	if (fd == -ENOENT) {
		(void)err_kind(err, ERR_INVALID, "source \"%s\" does not exist", source->path);
		return -ENOENT;
	}
	return fd < 0 ? err_set(err, fd, "source \"%s\"", source->path) : fd;
}

static int copy_source(const struct job *job, struct err *err)
{
	const struct plug_source *source = job->source;
	_cleanup_(fd_closep) int source_fd = open_source(source, err);
	_cleanup_(fd_closep) int mount_fd = -EBADF;
	char fs_name[32];
	int r;

	if (source_fd < 0)
		return source_fd;
	mount_fd = source->follow ? mount_copy(source_fd, "", source->recursive)
				  : mount_clone(source_fd, "", source->recursive);
	if (mount_fd < 0)
		return err_set(err, mount_fd, "copy the mount of \"%s\"", source->path);
	/* A privileged guest is in the host's user namespace: nothing else would hold it back. */
	r = source->follow ? mount_set_propagation(mount_fd, source->recursive, MS_SLAVE) : 0;
	if (r < 0)
		return err_set(err, r, "propagation of \"%s\"", source->path);
	r = mount_prepare(mount_fd, source->recursive, source->attrs,
			  source->shift ? job->place->userns_fd : -EBADF);
	if (r == -EINVAL && source->shift)
		return err_kind(
			err, ERR_UNSUPPORTED,
			"shift: the file system of \"%s\" (%s) cannot be mounted with other ids",
			source->path, mount_fs_name(source_fd, fs_name));
	if (r < 0)
		return err_set(err, r, "mount attributes of \"%s\"", source->path);
	return TAKE_FD(mount_fd);
}

/* A file system that only this process has; it becomes the current directory. */
static int make_scratch(struct err *err)
{
	static const struct mount_opt opts[] = { { "mode", "755" }, { "size", "64k" } };
	_cleanup_(fd_closep) int fd = -EBADF;
	int r = ns_unshare(CLONE_NEWNS);

	if (r == 0)
		r = mount_make_private();
	if (r < 0)
		return err_set(err, r, "new mount namespace");
	fd = mount_new("tmpfs", opts, ARRAY_LEN(opts), 0, err);
	if (fd < 0)
		return fd;
	r = mount_attach_at(fd, "/");
	if (r == 0 && fchdir(fd) < 0)
		r = -errno;
	return r < 0 ? err_set(err, r, "enter scratch") : 0;
}

static int put_mount(int mount_fd, struct err *err)
{
	_cleanup_(fd_closep) int scratch_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(fd_closep) int target_fd = -EBADF;
	struct stat st;
	int r;

	if (scratch_fd < 0 || fstat(mount_fd, &st) < 0)
		return err_set(err, -errno, "stat the source");
	target_fd = S_ISDIR(st.st_mode) ? path_make_dir(scratch_fd, ITEM, 0755)
					: path_make_file(scratch_fd, ITEM, 0644);
	r = target_fd < 0 ? target_fd : mount_attach(mount_fd, target_fd);
	return r < 0 ? err_set(err, r, "attach the source") : 0;
}

static int put_node(const struct plug_node *node, struct err *err)
{
	mode_t permissions = node->mode & 07777;

	if (mknodat(AT_FDCWD, ITEM, node->mode, makedev(node->major, node->minor)) < 0 ||
	    fchownat(AT_FDCWD, ITEM, node->uid, node->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(AT_FDCWD, ITEM, permissions, 0) < 0)
		return err_set(err, -errno, "make device node %u:%u", node->major, node->minor);
	return 0;
}

/* From here on nothing of the host can be touched (G1), and the scratch mounts are locked (G2). */
static int become_container(const struct plug_place *place, bool copy_mounts, struct err *err)
{
	int r = 0;

	if (place->userns_fd < 0)
		return 0;
	r = ns_join(place->userns_fd, CLONE_NEWUSER);
	if (r == 0)
		r = caps_keep_over_setuid(false);
	if (r == 0)
		r = caps_become_root();
	if (r == 0 && copy_mounts)
		r = ns_unshare(CLONE_NEWNS);
	return r < 0 ? err_set(err, r, "join the container's user namespace") : 0;
}

static int target_failed(struct err *err, int code, const char *target)
{
	if (code == -ELOOP)
		return err_kind(err, ERR_INVALID, "/%s: there is a symbolic link in that path",
				target);
	if (code == -ENOTDIR)
		return err_kind(err, ERR_INVALID, "/%s: something that is no directory is there",
				target);
	return err_set(err, code, "/%s", target);
}

static int open_target(const char *target, bool is_dir, struct err *err)
{
	_cleanup_(fd_closep) int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int fd;

	if (root_fd < 0)
		return err_set(err, -errno, "open the container's root");
	fd = is_dir ? path_make_dir(root_fd, target, 0755) : path_make_file(root_fd, target, 0644);
	if (fd < 0)
		return target_failed(err, fd, target);
	if (!is_dir && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		(void)fd_close(fd);
		return err_kind(err, ERR_INVALID, "/%s: a directory is there, the source is none",
				target);
	}
	return fd;
}

static int mount_id(int fd, uint64_t *ret_id)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
		return -errno;
	*ret_id = stx.stx_mnt_id;
	return 0;
}

static int run_in(const struct job *job, uint64_t *ret_id, struct err *err)
{
	_cleanup_(fd_closep) int source_fd = job->source ? copy_source(job, err) : -EBADF;
	_cleanup_(fd_closep) int item_fd = -EBADF;
	_cleanup_(fd_closep) int target_fd = -EBADF;
	struct stat st;
	int r;

	if (job->source && source_fd < 0)
		return source_fd;
	r = make_scratch(err);
	if (r == 0)
		r = job->node ? put_node(job->node, err)
			      : put_mount(job->source ? source_fd : job->mount_fd, err);
	if (r == 0)
		r = become_container(job->place, true, err);
	if (r < 0)
		return r;
	item_fd = mount_copy(AT_FDCWD, ITEM, true);
	if (item_fd < 0 || fstat(item_fd, &st) < 0)
		return err_set(err, item_fd < 0 ? item_fd : -errno, "copy the mount");
	r = ns_join(job->place->mntns_fd, CLONE_NEWNS);
	if (r < 0)
		return err_set(err, r, "join the container's mount namespace");
	target_fd = open_target(job->place->target, S_ISDIR(st.st_mode), err);
	if (target_fd < 0)
		return target_fd;
	r = mount_attach(item_fd, target_fd);
	if (r == 0)
		r = mount_id(item_fd, ret_id);
	/* Behind the attach: nothing unbindable gets below a shared one. Gone already is as good. */
	if (r == 0 && job->source && job->source->spread)
		(void)mount_set_propagation(item_fd, true, job->source->spread);
	return r < 0 ? err_set(err, r, "attach /%s", job->place->target) : 0;
}

/* Undo the escapes of mountinfo: "\\040" is a blank. */
static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] && text[2] && text[3]) {
			*out++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + text[3] - '0');
			text += 3;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
}

/* Where the mount @id is in this namespace. Returns: 1, 0 when it is gone, -errno. */
static int find_mount(int proc_fd, uint64_t id, char ret_path[PATH_MAX])
{
	_cleanup_(fd_closep) int fd = openat(proc_fd, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	struct buf text = { 0 };
	char *rest, *line;
	int r;

	if (fd < 0)
		return -errno;
	r = fd_read_all(fd, MOUNTINFO_BYTES_MAX, &text);
	buf_add_char(&text, '\0');
	rest = text.data;
	while (r == 0 && (line = strsep(&rest, "\n")) && *line) {
		char *fields = line, *field = NULL;

		if (strtoull(line, NULL, 10) != id)
			continue;
		for (int i = 0; i < 5 && fields; i++)
			field = strsep(&fields, " ");
		if (!field)
			break;
		unescape(field);
		(void)snprintf(ret_path, PATH_MAX, "%s", field);
		r = 1;
	}
	buf_done(&text);
	return r;
}

/* The current directory becomes the parent of @path. Returns: its name there, NULL with *ret_code. */
static const char *enter_parent(int root_fd, char *path, int *ret_code)
{
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	char *slash = strrchr(path, '/');

	if (!slash)
		return NULL;
	*slash = '\0';
	while (*path == '/')
		path++;
	dir_fd = *path ? path_open_plain(root_fd, path, O_PATH | O_DIRECTORY, 0)
		       : fd_copy(root_fd, 0);
	*ret_code = dir_fd < 0 ? dir_fd : fchdir(dir_fd) < 0 ? -errno : 0;
	return *ret_code < 0 ? NULL : slash + 1;
}

static void unlink_empty(const char *name)
{
	struct stat st;

	/* The guest may have been faster. */
	if (fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size == 0)
		(void)unlinkat(AT_FDCWD, name, 0);
}

/* One try per mount on top of it, and per rename by the guest between two looks. */
static int take_out(const struct job *job, int proc_fd, int root_fd)
{
	char path[PATH_MAX];
	int r = find_mount(proc_fd, job->id, path);

	for (int i = 0; i < TRIES_MAX && r > 0; i++) {
		int code = -EINVAL;
		const char *name = enter_parent(root_fd, path, &code);
		char last[NAME_MAX + 1];

		(void)snprintf(last, sizeof(last), "%s", name ? name : "");
		if (name && umount2(last, MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
			r = find_mount(proc_fd, job->id, path);
			if (r == 0 && job->unlink)
				unlink_empty(last);
			continue;
		}
		r = find_mount(proc_fd, job->id, path);
	}
	return r > 0 ? -EBUSY : r;
}

static int run_out(const struct job *job, uint64_t *ret_id, struct err *err)
{
	_cleanup_(fd_closep) int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(fd_closep) int root_fd = -EBADF;
	int r;

	*ret_id = 0;
	if (proc_fd < 0)
		return err_set(err, -errno, "open /proc");
	r = become_container(job->place, false, err);
	if (r < 0)
		return r;
	r = ns_join(job->place->mntns_fd, CLONE_NEWNS);
	if (r < 0)
		return err_set(err, r, "join the container's mount namespace");
	root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = root_fd < 0 ? -errno : take_out(job, proc_fd, root_fd);
	return r < 0 ? err_set(err, r, "unmount /%s", job->place->target) : 0;
}

/* ---- in the monitor ---- */

static _Noreturn void process_main(const struct job *job, int report_fd)
{
	struct report report = { 0 };

	(void)umask(0);
	report.result = job->run(job, &report.id, &report.err);
	_exit(fd_write_all(report_fd, &report, sizeof(report)) < 0);
}

/* Returns: 1 with a whole report, 0 when the process died or did not end. */
static int await_report(int fd, struct report *ret_report)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = poll(&pfd, 1, PLUG_TIMEOUT_MS);
	while (r < 0 && errno == EINTR);
	return r > 0 && read(fd, ret_report, sizeof(*ret_report)) == (ssize_t)sizeof(*ret_report);
}

static int run_job(const struct job *job, uint64_t *ret_id, struct err *err)
{
	struct ns_clone args = { .cgroup_fd = -EBADF };
	struct report report = { 0 };
	int pipe_fds[2], status, complete;
	pid_t pid;
	int r = fd_pipe(pipe_fds);

	if (r < 0)
		return err_set(err, r, "make a pipe");
	pid = ns_clone(&args);
	if (pid == 0)
		process_main(job, pipe_fds[1]);
	(void)fd_close(pipe_fds[1]);
	if (pid < 0) {
		(void)fd_close(pipe_fds[0]);
		return err_set(err, pid, "start a process");
	}
	complete = await_report(pipe_fds[0], &report);
	if (!complete)
		(void)pidfd_signal(args.pidfd, SIGKILL);
	(void)pidfd_reap(args.pidfd, true, &status);
	(void)fd_close(args.pidfd);
	(void)fd_close(pipe_fds[0]);
	if (!complete)
		return err_set(err, -ETIMEDOUT, "/%s: the container does not let us in",
			       job->place->target);
	if (report.result < 0) {
		report.err.msg[sizeof(report.err.msg) - 1] = '\0';
		if (err)
			*err = report.err;
		return report.result;
	}
	*ret_id = report.id;
	return 0;
}

int plug_source(const struct plug_place *place, const struct plug_source *source, uint64_t *ret_id,
		struct err *err)
{
	struct job job = { .place = place, .mount_fd = -EBADF, .source = source, .run = run_in };

	return run_job(&job, ret_id, err);
}

int plug_mount(const struct plug_place *place, int mount_fd, uint64_t *ret_id, struct err *err)
{
	struct job job = { .place = place, .mount_fd = mount_fd, .run = run_in };

	return run_job(&job, ret_id, err);
}

int plug_node(const struct plug_place *place, const struct plug_node *node, uint64_t *ret_id,
	      struct err *err)
{
	struct job job = { .place = place, .mount_fd = -EBADF, .node = node, .run = run_in };

	return run_job(&job, ret_id, err);
}

int plug_out(const struct plug_place *place, uint64_t id, bool unlink, struct err *err)
{
	struct job job = { .place = place, .id = id, .unlink = unlink, .run = run_out };
	uint64_t none;

	return run_job(&job, &none, err);
}
