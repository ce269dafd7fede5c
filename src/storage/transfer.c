/* storage/transfer.c - see transfer.h */
#include "storage/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/macro.h"
#include "os/fd.h"
#include "os/layers.h"
#include "os/path.h"
#include "storage/copy.h"
#include "storage/pool.h"
#include "storage/volume.h"

static int open_dir(int dir_fd, const char *name)
{
	return path_open_plain(dir_fd, name, O_RDONLY | O_DIRECTORY, 0);
}

/* Returns: descriptor that keeps the volume from being used. */
static int hold(const struct copy_request *request, int volume_fd, struct err *err)
{
	int r = volume_check_unused(volume_fd, request->kind, request->volume, err);

	if (r == 0 && flock(volume_fd, LOCK_EX | LOCK_NB) < 0)
		r = err_set(err, -errno, "hold %s \"%s\"", volume_kind_word(request->kind),
			    request->volume);
	return r;
}

static int open_source(const struct transfer *t, struct err *err)
{
	const struct copy_request *request = &t->request;
	_cleanup_(fd_closep) int fd = -EBADF;
	char name[STAGE_NAME_LEN];
	int r = 0;

	if (!t->from_stage) {
		r = fd = copy_open_volume(t->from, request->kind, request->volume, err);
		if (r >= 0 && t->unused)
			r = hold(request, fd, err);
		return r < 0 ? r : TAKE_FD(fd);
	}
	r = copy_stage_name(request->stage, name, err);
	if (r < 0)
		return r;
	r = fd = copy_open_stage(t->from, name);
	return r < 0 ? err_set(err, r, "open and lock \"%s/%s\"", t->from->dir, name) : TAKE_FD(fd);
}

static int open_image(struct pool *pool, const char *image, struct err *err)
{
	int r = volume_check_name(VOLUME_IMAGE, image, err);

	return r < 0 ? r : volume_open_image_root(pool, image, err);
}

/* What the overlay shows, as it is on disk. */
static int merge(const struct transfer *t, int upper_fd, struct err *err)
{
	_cleanup_(fd_closep) int lower_fd = -EBADF;
	_cleanup_(fd_closep) int mount_fd = -EBADF;
	int r;

	if (t->request.pass != COPY_WHOLE || !t->request.image)
		return err_kind(err, ERR_UNSUPPORTED, "the layers of \"%s\" cannot be merged",
				t->request.volume);
	r = lower_fd = open_image(t->from, t->request.image, err);
	if (r < 0)
		return r;
	/* the pool's directory: we have a descriptor of it from before */
	r = mount_fd =
		layers_merge(&(struct layers){ upper_fd, lower_fd, -EBADF, t->from->dir }, err);
	if (r < 0)
		return r;
	r = open_dir(mount_fd, ".");
	return r < 0 ? err_set(err, r, "open the merged root") : r;
}

int transfer_volume(const struct transfer *t, struct err *err)
{
	_cleanup_(fd_closep) int volume_fd = open_source(t, err);
	_cleanup_(fd_closep) int upper_fd = volume_fd < 0 ? -EBADF : open_dir(volume_fd, "upper");
	_cleanup_(fd_closep) int src_fd = -EBADF;

	if (volume_fd < 0)
		return volume_fd;
	if (upper_fd >= 0 && t->keep_layer)
		return copy_into(t->to, &t->request, upper_fd, true, err);
	src_fd = upper_fd >= 0 ? merge(t, upper_fd, err) : open_dir(volume_fd, "rootfs");
	if (src_fd < 0)
		return upper_fd >= 0
			       ? src_fd
			       : err_set(err, src_fd, "open the root of \"%s\"", t->request.volume);
	return copy_into(t->to, &t->request, src_fd, false, err);
}
