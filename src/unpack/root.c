/* unpack/root.c - see root.h */
#include "unpack/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#include "base/macro.h"
#include "os/fd.h"
#include "os/layers.h"
#include "os/path.h"
#include "os/probe.h"
#include "storage/volume.h"

static int open_dir(int dir_fd, const char *name)
{
	return path_open_plain(dir_fd, name, O_RDONLY | O_DIRECTORY, 0);
}

static int hold_volume(const struct job *job, struct root *root, struct err *err)
{
	int r = volume_check_name(VOLUME_INSTANCE, job->volume, err);

	if (r < 0)
		return r;
	root->volume_fd = volume_open(&root->pool, VOLUME_INSTANCE, job->volume);
	if (root->volume_fd == -ENOENT)
		return err_kind(err, ERR_NOT_FOUND, "instance volume \"%s\" not found",
				job->volume);
	if (root->volume_fd < 0)
		return err_set(err, root->volume_fd, "open volume \"%s\"", job->volume);
	r = volume_check_unused(root->volume_fd, VOLUME_INSTANCE, job->volume, err);
	if (r == 0 && flock(root->volume_fd, LOCK_EX | LOCK_NB) < 0)
		r = err_set(err, -errno, "hold volume \"%s\"", job->volume);
	return r;
}

static int merge(const struct job *job, struct root *root, int upper_fd, struct err *err)
{
	_cleanup_(fd_closep) int lower_fd = -EBADF;
	_cleanup_(fd_closep) int userns_fd = probe_userns(job->id_base, job->id_count);

	if (userns_fd < 0)
		return err_set(err, userns_fd, "make a user namespace");
	int r = volume_check_name(VOLUME_IMAGE, job->image, err);
	if (r < 0)
		return r;
	lower_fd = volume_open_image_root(&root->pool, job->image, err);
	if (lower_fd < 0)
		return lower_fd;
	/* the pool's directory: we have a descriptor of it from before */
	const struct layers layers = { upper_fd, lower_fd, userns_fd, root->pool.dir };
	root->fd = layers_merge(&layers, err);
	root->is_mount = true;
	return root->fd < 0 ? root->fd : 0;
}

int root_open(const struct job *job, struct root *ret_root, struct err *err)
{
	struct root *root = ret_root;

	root->pool.dir_fd = root->volume_fd = root->fd = -EBADF;
	int r = layers_begin(err);
	if (r < 0)
		return r;
	r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &root->pool, err);
	if (r == 0)
		r = hold_volume(job, root, err);
	if (r < 0)
		return r;
	_cleanup_(fd_closep) int upper_fd = open_dir(root->volume_fd, "upper");
	if (upper_fd >= 0)
		return merge(job, root, upper_fd, err);
	root->fd = open_dir(root->volume_fd, "rootfs");
	return root->fd < 0 ? err_set(err, root->fd, "open the root of \"%s\"", job->volume) : 0;
}

void root_close(struct root *root)
{
	root->fd = fd_close(root->fd);
	root->volume_fd = fd_close(root->volume_fd);
	pool_close(&root->pool);
}
