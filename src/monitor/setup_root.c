/*
 * monitor/setup_root.c - phase: the container's root mount, out of the host's sight
 *
 * The layers are given the ids of the child's own user namespace; only the initial namespace may do
 * that, so it happens here and not in the child.
 */
#include <errno.h>
#include <sys/file.h>

#include "monitor/initenv.h"
#include "monitor/mon.h"
#include "monitor/setup.h"
#include "monitor/sync.h"
#include "os/fd.h"
#include "os/mount.h"
#include "os/rootmount.h"

/* Many may stand on one image, but only one in a volume. */
static int lock_volume(struct mon *mon, struct err *err)
{
	mon->volume_fd = rootmount_lock(mon->spec.root_path, LOCK_EX, err);
	if (mon->volume_fd < 0)
		return mon->volume_fd;
	if (mon->spec.root_kind != ROOT_OVERLAY)
		return 0;
	mon->lower_fd = rootmount_lock(mon->spec.root_lower, LOCK_SH, err);
	return mon->lower_fd < 0 ? mon->lower_fd : 0;
}

/*
 * The root stays attached in our own mount namespace, out of the host's sight: before 6.15 the
 * kernel copies no detached mount, and each life gets a copy.
 */
static int make_root(struct mon *mon, struct err *err)
{
	struct rootmount_plan plan = {
		.path = mon->spec.root_path,
		.lower = mon->spec.root_kind == ROOT_OVERLAY ? mon->spec.root_lower : NULL,
		.place = mon->spec.runtime_dir,
		.userns_fd = mon->spec.privileged ? -EBADF : mon->life.userns_fd,
	};
	_cleanup_(fd_closep) int root_fd = -EBADF;
	int r = lock_volume(mon, err);

	if (r < 0)
		return r;
	mon_root_ids(mon, plan.root_ids);
	root_fd = rootmount_make(&plan, err);
	if (root_fd < 0)
		return root_fd;
	r = mount_attach_at(root_fd, mon->spec.runtime_dir);
	if (r < 0)
		return err_set(err, r, "attach the root on \"%s\"", mon->spec.runtime_dir);
	mon->root_fd = TAKE_FD(root_fd);
	return 0;
}

int setup_make_root(void *data, struct err *err)
{
	struct mon *mon = data;
	_cleanup_(fd_closep) int copy_fd = -EBADF;
	int r = mon->root_fd < 0 ? make_root(mon, err) : 0;

	if (r < 0)
		return r;
	/* The child's copy goes with its namespace; ours stays for the next life. */
	copy_fd = mount_clone(mon->root_fd, "", false);
	if (copy_fd < 0)
		return err_set(err, copy_fd, "copy the root mount");
	mon->life.initkind = initkind_detect(copy_fd, initenv_program(&mon->spec));
	r = sync_send(mon->life.sync_fd, SYNC_ROOT, copy_fd, NULL);
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return err_set(err, r, "hand over the root mount");
	return 0;
}
