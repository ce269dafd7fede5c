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
static int hold(const struct transfer *t, struct err *err)
{
	const char *word = volume_kind_word(t->kind);
	_cleanup_(fd_closep) int fd = -EBADF;
	int r = volume_check_name(t->kind, t->volume, err);

	if (r < 0)
		return r;
	fd = volume_open(t->from, t->kind, t->volume);
	if (fd == -ENOENT)
		return err_kind(err, ERR_NOT_FOUND, "%s \"%s\" is not in pool \"%s\"", word,
				t->volume, t->from->name);
	if (fd < 0)
		return err_set(err, fd, "open %s \"%s\"", word, t->volume);
	r = volume_check_unused(fd, t->kind, t->volume, err);
	if (r == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		r = err_set(err, -errno, "hold %s \"%s\"", word, t->volume);
	return r < 0 ? r : TAKE_FD(fd);
}

static int open_image(struct pool *pool, const char *image, struct err *err)
{
	int r = volume_check_name(VOLUME_IMAGE, image, err);

	return r < 0 ? r : volume_open_image_root(pool, image, err);
}

/* What the overlay shows, as it is on disk. */
static int merge(const struct transfer *t, int upper_fd, struct err *err)
{
	_cleanup_(fd_closep) int lower_fd = open_image(t->from, t->image, err);
	/* the pool's directory: we have a descriptor of it from before */
	const struct layers layers = { upper_fd, lower_fd, -EBADF, t->from->dir };

	_cleanup_(fd_closep) int mount_fd = lower_fd < 0 ? lower_fd : layers_merge(&layers, err);
	int fd = mount_fd < 0 ? mount_fd : open_dir(mount_fd, ".");

	return mount_fd >= 0 && fd < 0 ? err_set(err, fd, "open the merged root") : fd;
}

int transfer_volume(const struct transfer *t, struct err *err)
{
	_cleanup_(fd_closep) int volume_fd = hold(t, err);
	_cleanup_(fd_closep) int upper_fd = volume_fd < 0 ? -EBADF : open_dir(volume_fd, "upper");
	_cleanup_(fd_closep) int src_fd = -EBADF;
	_cleanup_(fd_closep) int lower_fd = -EBADF;
	const struct copy_request request = { .kind = t->kind,
					      .volume = t->volume,
					      .stage = t->stage };
	struct copy_into how = { .request = &request, .lower_fd = -EBADF, .forget = t->forget };

	if (volume_fd < 0)
		return volume_fd;
	if (upper_fd >= 0 && t->keep_layer) {
		how.layer = true;
		how.src_fd = upper_fd;
		how.lower_fd = lower_fd = open_image(t->to, t->image, err);
		if (lower_fd < 0)
			return lower_fd;
		return copy_into(t->to, &how, err);
	}
	src_fd = upper_fd >= 0 ? merge(t, upper_fd, err) : open_dir(volume_fd, "rootfs");
	if (src_fd < 0)
		return upper_fd >= 0 ? src_fd
				     : err_set(err, src_fd, "open the root of \"%s\"", t->volume);
	how.src_fd = src_fd;
	return copy_into(t->to, &how, err);
}
