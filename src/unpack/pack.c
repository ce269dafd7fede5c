/* unpack/pack.c - see pack.h */
#include "unpack/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/build_log.h"
#include "image/child.h"
#include "image/command.h"
#include "os/fd.h"
#include "os/path.h"
#include "storage/volume.h"

#define EMPTY_NAME "empty"
#define LOG_NAME   "log"
#define MACHINE_ID "etc/machine-id"

enum {
	OWN_BINDS = 4,
	LOG_BYTES_MAX = 64 * 1024
};

static const char *const tool_env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
					NULL };
static const char *const tars[] = { "/usr/bin/tar", "/bin/tar", NULL };

/* In the sandbox. */
static int pack_body(void *data)
{
	const struct packing *packing = data;
	const struct pack_plan *plan = packing->plan;
	const char *program = child_find(tars);
	_cleanup_(strv_freep) char **argv = NULL;

	if (child_redirect(packing->log_fd) < 0 || !program)
		return 127;
	argv = command_pack(program, plan->compression, plan->scrub ? plan->root : NULL,
			    plan->members);
	return child_run_to((const char *const *)argv, tool_env, -EBADF, plan->out_fd);
}

static int put_file(int dir_fd, const char *path, const char *text)
{
	_cleanup_(fd_closep) int fd =
		openat(dir_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0 || fchmod(fd, 0644) < 0)
		return -errno;
	return fd_write_all(fd, text, strlen(text));
}

/* The directories above @path, below the stage. */
static int make_parents(int dir_fd, const char *path)
{
	_cleanup_(freep) char *parent = xstrdup(path);
	char *slash = strrchr(parent, '/');

	if (!slash)
		return 0;
	*slash = '\0';
	int fd = path_make_dir(dir_fd, parent, 0755);
	if (fd < 0)
		return fd;
	(void)fd_close(fd);
	return 0;
}

static int put_dir(const struct packing *packing, const char *path, struct err *err)
{
	int fd = path_make_dir(packing->stage.dir_fd, path, 0755);

	if (fd < 0)
		return err_set(err, fd, "make \"%s\"", path);
	(void)fd_close(fd);
	return 0;
}

static int put_files(struct packing *packing, struct err *err)
{
	const struct pack_plan *plan = packing->plan;
	int dir_fd = packing->stage.dir_fd;
	int r = put_file(dir_fd, EMPTY_NAME, "");

	for (size_t i = 0; r == 0 && i < plan->n_files; i++) {
		r = make_parents(dir_fd, plan->files[i].path);
		if (r == 0)
			r = put_file(dir_fd, plan->files[i].path, plan->files[i].text);
	}
	if (r < 0)
		return err_set(err, r, "write what goes along with the root");
	r = put_dir(packing, plan->root, err);
	for (size_t i = 0; r == 0 && i < plan->n_trees; i++)
		r = put_dir(packing, plan->trees[i].path, err);
	if (r < 0)
		return r;
	packing->log_fd =
		openat(dir_fd, LOG_NAME, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	return packing->log_fd < 0 ? err_set(err, -errno, "make a log") : 0;
}

/* A regular file, reached without following a link: an empty one is shown in its place. */
static bool has_machine_id(int root_fd)
{
	_cleanup_(fd_closep) int fd = path_open_plain(root_fd, MACHINE_ID, O_PATH, 0);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static struct sandbox_bind tree_bind(const struct root *root, const char *dst)
{
	return (struct sandbox_bind){ .src = root->pool.dir,
				      .src_fd = root->fd,
				      .dst = dst,
				      .ro = true,
				      .idmap = !root->is_mount };
}

/* Their places are in *@ret_dsts, which has to stay. */
static void bind_trees(const struct pack_plan *plan, struct sandbox_bind *binds, char ***ret_dsts)
{
	for (size_t i = 0; i < plan->n_trees; i++)
		strv_push_take(ret_dsts, xasprintf("%s/%s", COMMAND_WORK, plan->trees[i].path));
	for (size_t i = 0; i < plan->n_trees; i++)
		binds[i] = tree_bind(&plan->trees[i].root, (*ret_dsts)[i]);
}

static int start_sandbox(struct packing *packing, struct err *err)
{
	const struct pack_plan *plan = packing->plan;
	const struct root *root = packing->root;
	_cleanup_(freep) char *dst = xasprintf("%s/%s", COMMAND_WORK, plan->root);
	_cleanup_(freep) char *id_dst = xasprintf("%s/%s", dst, MACHINE_ID);
	_cleanup_(strv_freep) char **dsts = NULL;
	_cleanup_(freep) struct sandbox_bind *binds =
		xcalloc(OWN_BINDS + plan->n_trees, sizeof(*binds));
	size_t n = 0;
	_cleanup_(fd_closep) int empty_fd =
		path_open_plain(packing->stage.dir_fd, EMPTY_NAME, O_RDONLY, 0);
	const int keep[] = { packing->log_fd, plan->out_fd };
	binds[n++] = (struct sandbox_bind){
		.src = "/", .src_fd = -EBADF, .dst = "/", .ro = true, .recursive = true
	};
	binds[n++] = (struct sandbox_bind){ .src = root->pool.dir,
					    .src_fd = packing->stage.dir_fd,
					    .dst = COMMAND_WORK,
					    .idmap = true };
	binds[n++] = tree_bind(root, dst);
	if (plan->scrub && has_machine_id(root->fd))
		binds[n++] = (struct sandbox_bind){ .src = EMPTY_NAME,
						    .src_fd = empty_fd,
						    .dst = id_dst,
						    .ro = true,
						    .idmap = true };
	bind_trees(plan, binds + n, &dsts);
	n += plan->n_trees;
	const struct sandbox_plan sandbox = {
		.name = "pack",
		.id_base = plan->id_base,
		.id_count = plan->id_count,
		.binds = binds,
		.n_binds = n,
		.proc = true,
		.filter = SANDBOX_FILTER_BUILD,
		.keep_fds = keep,
		.n_keep_fds = plan->out_fd > STDERR_FILENO ? 2 : 1,
	};

	return sandbox_start(&sandbox, pack_body, packing, &packing->sandbox, err);
}

int pack_start(struct root *root, const struct pack_plan *plan, struct packing *ret_packing,
	       struct err *err)
{
	struct packing *packing = ret_packing;

	*packing = (struct packing){ .root = root, .plan = plan, .log_fd = -EBADF };
	packing->sandbox.pidfd = -EBADF;
	int r = job_check_compression(plan->compression, err);
	if (r == 0)
		r = volume_stage_begin(&root->pool, &packing->stage, err);
	if (r < 0)
		return r;
	packing->staged = true;
	r = put_files(packing, err);
	return r < 0 ? r : start_sandbox(packing, err);
}

static int tell_reason(struct packing *packing, struct err *err)
{
	struct buf text = { 0 };
	_cleanup_(freep) char *reason = NULL;

	if (lseek(packing->log_fd, 0, SEEK_SET) == 0)
		(void)fd_read_all(packing->log_fd, LOG_BYTES_MAX, &text);
	reason = build_log_reason(buf_str(&text));
	buf_done(&text);
	return err_kind(err, ERR_INTERNAL, "pack \"%s\": %s", packing->plan->root, reason);
}

int pack_wait(struct packing *packing, struct report *report, struct err *err)
{
	int r = report_wait(report, packing->sandbox.pidfd, POLLIN, -1);

	if (r == -ECANCELED)
		return report_cancel_err(err);
	if (r < 0)
		return err_set(err, r, "wait for the sandbox");
	r = sandbox_wait(&packing->sandbox, err);
	return r > 0 ? tell_reason(packing, err) : r;
}

void pack_done(struct packing *packing)
{
	sandbox_done(&packing->sandbox);
	packing->log_fd = fd_close(packing->log_fd);
	if (packing->staged)
		(void)volume_stage_drop(&packing->root->pool, &packing->stage, NULL);
	packing->staged = false;
}
