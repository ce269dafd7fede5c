/* monitor/child_root.c - phases of the child: its mounts */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/child_phases.h"
#include "monitor/mon.h"
#include "monitor/mountapply.h"
#include "monitor/sync.h"
#include "os/fd.h"
#include "os/mount.h"
#include "os/path.h"
#include "os/pty.h"
#include "os/sock.h"

int child_private_mounts(void *data, struct err *err)
{
	int r = mount_make_private();

	(void)data; /* of this namespace */
	return r < 0 ? err_set(err, r, "make mounts private") : 0;
}

/* The root is stacked on the old one: a place that every host has and nobody looks into. */
int child_take_root(void *data, struct err *err)
{
	struct child *child = data;
	int r = sync_expect(child->sync_fd, SYNC_ROOT, &child->root_fd);

	if (r == 0 && child->root_fd < 0)
		r = -EBADMSG;
	if (r < 0)
		return err_set(err, r, "wait for the root mount");
	r = mount_attach_at(child->root_fd, "/");
	return r < 0 ? err_set(err, r, "attach the root mount") : 0;
}

static int apply_and_free(struct mount_plan *plan, int root_fd, struct err *err)
{
	int r = mount_plan_apply(plan, root_fd, err);

	mount_plan_done(plan);
	return r;
}

int child_mount_system(void *data, struct err *err)
{
	struct child *child = data;
	struct mount_plan plan;

	mount_plan_make(&plan);
	return apply_and_free(&plan, child->root_fd, err);
}

int child_mask(void *data, struct err *err)
{
	struct child *child = data;
	struct mount_plan plan;

	mount_plan_make_masks(&child->mon->spec, &plan);
	return apply_and_free(&plan, child->root_fd, err);
}

int child_make_console(void *data, struct err *err)
{
	struct child *child = data;
	_cleanup_(fd_closep) int master_fd = pty_open_master(child->root_fd, "dev/pts/ptmx");
	_cleanup_(fd_closep) int mount_fd = -EBADF;
	int r;

	if (master_fd < 0)
		return err_set(err, master_fd, "open /dev/pts/ptmx");
	child->console_fd = pty_open_peer(master_fd);
	if (child->console_fd < 0)
		return err_set(err, child->console_fd, "open the console's slave");
	/* The slave is the container's root's own, as a real console is. */
	if (fchown(child->console_fd, 0, 0) < 0 || fchmod(child->console_fd, 0600) < 0)
		return err_set(err, -errno, "own the console");
	mount_fd = mount_clone(child->console_fd, "", false);
	if (mount_fd < 0)
		return err_set(err, mount_fd, "clone the console's slave");
	r = mount_apply_on_file(child->root_fd, "dev/console", mount_fd, err);
	if (r < 0)
		return r;
	r = sync_send(child->sync_fd, SYNC_CONSOLE, master_fd, NULL);
	return r < 0 ? err_set(err, r, "hand over the console") : 0;
}

int child_bind_notify(void *data, struct err *err)
{
	struct child *child = data;
	_cleanup_(fd_closep) int dir_fd =
		path_open_plain(child->root_fd, "run/host", O_PATH | O_DIRECTORY, 0);
	int r;

	if (dir_fd < 0)
		return err_set(err, dir_fd, "open /run/host");
	r = sock_bind_at(child->mon->life.notify_fd, dir_fd, "notify", 0666);
	return r < 0 ? err_set(err, r, "bind /run/host/notify") : 0;
}

int child_pivot(void *data, struct err *err)
{
	struct child *child = data;
	int r = mount_pivot(child->root_fd);

	return r < 0 ? err_set(err, r, "pivot_root") : 0;
}

/*
 * As on a host that systemd has booted; in a container it leaves that to whoever made it. Without it
 * services get no credentials, because those are mounted in a namespace of their own. It comes last:
 * no root can be pivoted below a shared mount.
 */
int child_share_mounts(void *data, struct err *err)
{
	int r = mount_make_shared();

	(void)data; /* of this namespace */
	return r < 0 ? err_set(err, r, "share mounts") : 0;
}
