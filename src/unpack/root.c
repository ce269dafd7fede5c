/* unpack/root.c - see root.h */
#include "unpack/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "os/fd.h"
#include "os/layers.h"
#include "os/path.h"
#include "os/probe.h"
#include "storage/volume.h"

static int open_dir(int dir_fd, const char *name)
{
	return path_open_plain(dir_fd, name, O_RDONLY | O_DIRECTORY, 0);
}

/* Which volume, and what it stands on. */
struct which {
	enum volume_kind kind;
	const char *name;
	const char *image;
};

static int hold_volume(const struct which *which, struct root *root, struct err *err)
{
	int r = volume_check_name(which->kind, which->name, err);

	if (r < 0)
		return r;
	root->volume_fd = volume_open(&root->pool, which->kind, which->name);
	if (root->volume_fd == -ENOENT)
		return err_kind(err, ERR_NOT_FOUND, "%s \"%s\" not found",
				volume_kind_word(which->kind), which->name);
	if (root->volume_fd < 0)
		return err_set(err, root->volume_fd, "open volume \"%s\"", which->name);
	r = volume_check_unused(root->volume_fd, which->kind, which->name, err);
	if (r == 0 && flock(root->volume_fd, LOCK_EX | LOCK_NB) < 0)
		r = err_set(err, -errno, "hold volume \"%s\"", which->name);
	return r;
}

static int merge(const struct job *job, const char *image, struct root *root, int upper_fd,
		 struct err *err)
{
	_cleanup_(fd_closep) int lower_fd = -EBADF;
	_cleanup_(fd_closep) int userns_fd = probe_userns(job->id_base, job->id_count);

	if (userns_fd < 0)
		return err_set(err, userns_fd, "make a user namespace");
	int r = volume_check_name(VOLUME_IMAGE, image, err);
	if (r < 0)
		return r;
	lower_fd = volume_open_image_root(&root->pool, image, err);
	if (lower_fd < 0)
		return lower_fd;
	/* the pool's directory: we have a descriptor of it from before */
	const struct layers layers = { upper_fd, lower_fd, userns_fd, root->pool.dir };
	root->fd = layers_merge(&layers, err);
	root->is_mount = true;
	return root->fd < 0 ? root->fd : 0;
}

static int open_volume(const struct job *job, const struct which *which, struct root *root,
		       struct err *err)
{
	int r = hold_volume(which, root, err);

	if (r < 0)
		return r;
	_cleanup_(fd_closep) int upper_fd = open_dir(root->volume_fd, "upper");
	if (upper_fd >= 0)
		return merge(job, which->image, root, upper_fd, err);
	root->fd = open_dir(root->volume_fd, "rootfs");
	return root->fd < 0 ? err_set(err, root->fd, "open the root of \"%s\"", which->name) : 0;
}

int root_open(const struct job *job, struct root *ret_root, struct err *err)
{
	const struct which which = { job->snapshot ? VOLUME_SNAPSHOT : VOLUME_INSTANCE,
				     job->snapshot ? job->snapshot : job->volume, job->image };
	struct root *root = ret_root;

	root->pool.dir_fd = root->volume_fd = root->fd = -EBADF;
	int r = layers_begin(err);
	if (r < 0)
		return r;
	r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &root->pool, err);
	return r < 0 ? r : open_volume(job, &which, root, err);
}

int root_open_snapshot(const struct job *job, const struct root *first, const char *snapshot,
		       const char *image, struct root *ret_root, struct err *err)
{
	const struct which which = { VOLUME_SNAPSHOT, snapshot, image };
	struct root *root = ret_root;

	root->volume_fd = root->fd = -EBADF;
	/* its path may lead to a mount of ours by now */
	root->pool = (struct pool){ .name = xstrdup(first->pool.name),
				    .dir = xstrdup(first->pool.dir),
				    .dir_fd = fd_copy(first->pool.dir_fd, STDERR_FILENO + 1),
				    .driver = first->pool.driver };
	if (root->pool.dir_fd < 0)
		return err_set(err, root->pool.dir_fd, "open \"%s\"", root->pool.dir);
	return open_volume(job, &which, root, err);
}

void root_close(struct root *root)
{
	root->fd = fd_close(root->fd);
	root->volume_fd = fd_close(root->volume_fd);
	pool_close(&root->pool);
}
