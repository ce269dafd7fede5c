/* storage/volume_copy.c - volume_copy of the drivers for directories: a stage, or part of one */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/fd.h"
#include "os/path.h"
#include "os/tree_copy.h"
#include "storage/identity.h"
#include "storage/pool.h"
#include "storage/quota.h"
#include "storage/volume.h"

/* A copy in the making. */
struct making {
	struct pool *pool;
	const struct volume_copy *copy;
	int from_fd; /* the volume that is copied */
	int ref_fd;  /* the older copy; -EBADF: none */
	struct stage stage;
};

static bool ask_pool(void *data)
{
	return pool_cancelled(data);
}

static int open_dir(int dir_fd, const char *name)
{
	return dir_fd < 0 ? -ENOENT : path_open_plain(dir_fd, name, O_RDONLY | O_DIRECTORY, 0);
}

static int open_volume(struct pool *pool, enum volume_kind kind, const char *name, struct err *err)
{
	const char *word = volume_kind_word(kind);
	int r = volume_check_name(kind, name, err);

	if (r < 0)
		return r;
	r = volume_open(pool, kind, name);
	if (r == -ENOENT)
		return err_kind(err, ERR_NOT_FOUND, "%s \"%s\" not found", word, name);
	return r < 0 ? err_set(err, r, "open %s \"%s\"", word, name) : r;
}

/* Where the content is: "upper" above an image's root, else "rootfs". */
static const char *find_part(int from_fd, int *ret_fd)
{
	*ret_fd = open_dir(from_fd, "upper");
	if (*ret_fd >= 0)
		return "upper";
	*ret_fd = open_dir(from_fd, "rootfs");
	return "rootfs";
}

static int forget_identity(struct making *m, int dst_fd, bool upper, struct err *err)
{
	_cleanup_(fd_closep) int lower_fd = -EBADF;

	if (upper && m->copy->image) {
		lower_fd = volume_open_image_root(m->pool, m->copy->image, err);
		if (lower_fd < 0)
			return lower_fd;
	}
	int r = identity_forget(dst_fd, lower_fd);
	/* a container that made its /etc a link has no machine-id that we could find */
	if (r < 0 && r != -ELOOP && r != -ENOTDIR)
		return err_set(err, r, "empty /etc/machine-id of the copy");
	return 0;
}

static int fill(struct making *m, const char **ret_part, struct err *err)
{
	_cleanup_(fd_closep) int src_fd = -EBADF;
	const char *part = find_part(m->from_fd, &src_fd);
	bool upper = part[0] == 'u';
	char failed[PATH_MAX] = "";

	if (src_fd < 0)
		return err_set(err, src_fd, "open the root of volume \"%s\"", m->copy->from);
	if (mkdirat(m->stage.dir_fd, part, 0755) < 0 ||
	    (upper && mkdirat(m->stage.dir_fd, "work", 0700) < 0))
		return err_set(err, -errno, "make \"%s/%s/%s\"", m->pool->dir, m->stage.name, part);
	_cleanup_(fd_closep) int dst_fd = open_dir(m->stage.dir_fd, part);
	_cleanup_(fd_closep) int ref_fd = open_dir(m->ref_fd, part);
	if (dst_fd < 0)
		return err_set(err, dst_fd, "open \"%s/%s\"", m->stage.name, part);
	/* It takes files from the older copy, and its place: it is of that project. */
	int r = m->copy->refresh ? quota_mark(m->pool, dst_fd, m->ref_fd, err) : 0;
	if (r < 0)
		return r;
	const struct tree_copy_how how = { .cancel = ask_pool,
					   .data = m->pool,
					   .older_fd = ref_fd };
	r = tree_copy_with(src_fd, dst_fd, &how, failed);
	if (r == -ECANCELED)
		return err_kind(err, ERR_CANCELLED, "cancelled");
	if (r < 0)
		return err_set(err, r, "copy \"/%s\" of \"%s\"", failed, m->copy->from);
	*ret_part = part;
	return forget_identity(m, dst_fd, upper, err);
}

/* The new content takes the older one's place at once; that goes with the stage. */
static int exchange(struct making *m, const char *part, struct err *err)
{
	if (syncfs(m->stage.dir_fd) < 0 ||
	    renameat2(m->stage.dir_fd, part, m->ref_fd, part, RENAME_EXCHANGE) < 0 ||
	    fsync(m->ref_fd) < 0)
		return err_set(err, -errno, "replace the content of volume \"%s\"",
			       m->copy->volume);
	return 0;
}

static int finish(struct making *m, struct err *err)
{
	const uint64_t quota_bytes = m->copy->refresh ? 0 : m->copy->quota_bytes;
	const char *part = NULL;
	int r = m->copy->refresh ? 0 : quota_mark(m->pool, m->stage.dir_fd, -EBADF, err);

	if (r == 0)
		r = fill(m, &part, err);
	if (r == 0 && quota_bytes > 0)
		r = quota_limit(m->pool, m->stage.dir_fd, "the copy", quota_bytes, err);

	if (r == 0 && !m->copy->refresh)
		return volume_stage_publish(m->pool, &m->stage, VOLUME_INSTANCE, m->copy->volume,
					    true, err);
	if (r == 0)
		r = exchange(m, part, err);
	int r2 = volume_stage_drop(m->pool, &m->stage, r < 0 ? NULL : err);
	return r < 0 ? r : r2;
}

/* Returns: 1 to go on, 0 when it is done already. */
static int open_both(struct making *m, struct err *err)
{
	const struct volume_copy *copy = m->copy;
	int r;

	m->from_fd = open_volume(m->pool, copy->of_snapshot ? VOLUME_SNAPSHOT : VOLUME_INSTANCE,
				 copy->from, err);
	if (m->from_fd < 0)
		return m->from_fd;
	if (!copy->refresh) {
		r = volume_exists_dir(m->pool, VOLUME_INSTANCE, copy->volume, err);
		return r < 0 ? r : !r;
	}
	m->ref_fd = open_volume(m->pool, VOLUME_INSTANCE, copy->volume, err);
	if (m->ref_fd < 0)
		return m->ref_fd;
	r = volume_check_unused(m->ref_fd, VOLUME_INSTANCE, copy->volume, err);
	return r < 0 ? r : 1;
}

int volume_copy_dir(struct pool *pool, const struct volume_copy *copy, struct err *err)
{
	struct making m = { .pool = pool, .copy = copy, .from_fd = -EBADF, .ref_fd = -EBADF };
	int r = copy->image ? volume_check_name(VOLUME_IMAGE, copy->image, err) : 0;

	if (r == 0)
		r = open_both(&m, err);
	if (r == 0)
		r = 2;
	if (r == 1)
		r = volume_stage_begin(pool, &m.stage, err);
	if (r == 0)
		r = finish(&m, err);
	(void)fd_close(m.from_fd);
	(void)fd_close(m.ref_fd);
	return r == 2 ? 1 : r;
}
