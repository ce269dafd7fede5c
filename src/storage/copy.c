/* storage/copy.c - see copy.h */
#include "storage/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/macro.h"
#include "os/fd.h"
#include "os/path.h"
#include "os/tree_copy.h"
#include "spec/names.h"
#include "storage/identity.h"
#include "storage/pool.h"
#include "storage/quota.h"
#include "storage/volume.h"

/* What is asked while a tree is copied: the owner, and the free space. */
struct watch {
	struct pool *pool;
	bool full;
};

static bool is_full(const struct pool *pool)
{
	struct statvfs st;

	return pool->reserve_bytes > 0 && fstatvfs(pool->dir_fd, &st) == 0 &&
	       (uint64_t)st.f_bavail * st.f_frsize < pool->reserve_bytes;
}

static int say_full(const struct pool *pool, struct err *err)
{
	char have[FMT_BYTES_LEN], keep[FMT_BYTES_LEN];
	struct statvfs st = { 0 };

	(void)fstatvfs(pool->dir_fd, &st); /* it worked just now */
	return err_set(
		err, -ENOSPC,
		"storage pool \"%s\": not enough space is left: %s are free, %s must stay free",
		pool->name, fmt_bytes(have, (uint64_t)st.f_bavail * st.f_frsize),
		fmt_bytes(keep, pool->reserve_bytes));
}

int copy_check_space(struct pool *pool, struct err *err)
{
	return is_full(pool) ? say_full(pool, err) : 0;
}

static bool ask(void *data)
{
	struct watch *watch = data;

	/* each time: what is between two questions may have 16 MiB */
	if (is_full(watch->pool))
		watch->full = true;
	return watch->full || pool_cancelled(watch->pool);
}

const char *copy_content_of(int dir_fd)
{
	return faccessat(dir_fd, "upper", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? "upper" : "rootfs";
}

static int open_dir(int dir_fd, const char *name)
{
	return dir_fd < 0 ? dir_fd : path_open_plain(dir_fd, name, O_RDONLY | O_DIRECTORY, 0);
}

int copy_stage_name(const char *uuid, char ret_name[STAGE_NAME_LEN], struct err *err)
{
	int r = name_validate(NAME_VOLUME, uuid, err);

	if (r < 0)
		return r;
	if (strlen(uuid) != UUID_LEN - 1)
		return err_kind(err, ERR_INVALID, "stage \"%s\": not a uuid", uuid);
	(void)snprintf(ret_name, STAGE_NAME_LEN, ".new-%s", uuid);
	return 0;
}

int copy_open_stage(struct pool *pool, const char *name)
{
	_cleanup_(fd_closep) int fd =
		path_open_plain(pool->dir_fd, name, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return fd;
	return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : TAKE_FD(fd);
}

static int copy_content(struct pool *pool, const struct copy_request *request, int src_fd,
			int dst_fd, int older_fd, struct err *err)
{
	struct watch watch = { .pool = pool };
	const struct tree_copy_how how = {
		.cancel = ask,
		.data = &watch,
		.live = request->pass == COPY_LIVE,
		.marks = request->pass == COPY_LIVE && request->kind == VOLUME_INSTANCE,
		.update = request->pass == COPY_REST,
		.since_wall_ns = request->since_wall_ns,
		.older_fd = older_fd,
	};
	char failed[PATH_MAX] = "";
	int r;

	/* From here on the kernel notices writes to mapped files by their change time. */
	if (request->pass == COPY_LIVE && syncfs(src_fd) < 0)
		return err_set(err, -errno, "write out what %s \"%s\" holds",
			       volume_kind_word(request->kind), request->volume);
	r = tree_copy_with(src_fd, dst_fd, &how, failed);
	if (r == -ECANCELED && watch.full)
		return say_full(pool, err);
	if (r == -ECANCELED)
		return err_kind(err, ERR_CANCELLED, "cancelled");
	return r < 0 ? err_set(err, r, "copy \"/%s\" of %s \"%s\"", failed,
			       volume_kind_word(request->kind), request->volume)
		     : 0;
}

/*
 * The empty stage, with the directories that the content needs. It is a project of its own, unless
 * it takes files from @older_fd (-EBADF: from none), which are of that one's and stay so.
 */
static int make_stage(struct pool *pool, const char *name, const char *content, int older_fd,
		      struct err *err)
{
	bool borrows = older_fd >= 0 && quota_is_project(older_fd);
	_cleanup_(fd_closep) int fd = -EBADF;

	if (mkdirat(pool->dir_fd, name, 0700) < 0)
		return err_set(err, -errno, "make \"%s/%s\"", pool->dir, name);
	fd = copy_open_stage(pool, name);
	if (fd < 0)
		return err_set(err, fd, "open and lock \"%s/%s\"", pool->dir, name);
	int r = borrows ? 0 : quota_mark(pool, fd, -EBADF, err);
	if (r < 0)
		return r;
	if (mkdirat(fd, content, 0700) < 0 || (content[0] == 'u' && mkdirat(fd, "work", 0700) < 0))
		return err_set(err, -errno, "make \"%s/%s/%s\"", pool->dir, name, content);
	if (borrows) {
		_cleanup_(fd_closep) int content_fd = open_dir(fd, content);

		r = content_fd < 0 ? err_set(err, content_fd, "open \"%s/%s\"", name, content)
				   : quota_mark(pool, content_fd, older_fd, err);
	}
	return r < 0 ? r : TAKE_FD(fd);
}

static int forget_identity(int root_fd, int lower_fd, struct err *err)
{
	int r = identity_forget(root_fd, lower_fd);

	/* a container that made its /etc a link has no machine-id that we could find */
	return r < 0 && r != -ELOOP && r != -ENOTDIR
		       ? err_set(err, r, "empty /etc/machine-id of the copy")
		       : 0;
}

int copy_forget(struct pool *pool, const struct copy_request *request, int root_fd, bool layer,
		struct err *err)
{
	_cleanup_(fd_closep) int lower_fd = -EBADF;
	int r = 0;

	if (!request->forget || request->pass == COPY_LIVE)
		return 0;
	if (layer && request->image) {
		r = volume_check_name(VOLUME_IMAGE, request->image, err);
		if (r == 0)
			r = lower_fd = volume_open_image_root(pool, request->image, err);
	}
	return r < 0 ? r : forget_identity(root_fd, lower_fd, err);
}

/* The content of what the copy will replace. Returns: descriptor; -EBADF: none is asked for. */
static int open_older(struct pool *pool, const struct copy_request *request, const char *content,
		      int *ret_fd, struct err *err)
{
	_cleanup_(fd_closep) int volume_fd = -EBADF;
	int r;

	*ret_fd = -EBADF;
	if (!request->older)
		return 0;
	r = volume_fd = copy_open_volume(pool, VOLUME_INSTANCE, request->older, err);
	if (r < 0)
		return r;
	*ret_fd = open_dir(volume_fd, content);
	return *ret_fd < 0 && *ret_fd != -ENOENT
		       ? err_set(err, *ret_fd, "open the %s of \"%s\"", content, request->older)
		       : 0;
}

/* A new stage, or for the last pass that of the live one. Returns: descriptor. */
static int take_stage(struct pool *pool, const struct copy_request *request, const char *name,
		      const char *content, int older_fd, struct err *err)
{
	int fd;

	if (request->pass != COPY_REST)
		return make_stage(pool, name, content, older_fd, err);
	fd = copy_open_stage(pool, name);
	return fd < 0 ? err_kind(err, ERR_NOT_FOUND, "the first copy of \"%s\" is gone",
				 request->volume)
		      : fd;
}

static int fill_stage(struct pool *pool, const struct copy_request *request, const char *name,
		      int volume_fd, struct err *err)
{
	const char *content = copy_content_of(volume_fd);
	_cleanup_(fd_closep) int src_fd = open_dir(volume_fd, content);
	_cleanup_(fd_closep) int older_fd = -EBADF;
	_cleanup_(fd_closep) int stage_fd = -EBADF;
	_cleanup_(fd_closep) int dst_fd = -EBADF;
	int r;

	if (src_fd < 0)
		return err_set(err, src_fd, "open the %s of %s \"%s\"", content,
			       volume_kind_word(request->kind), request->volume);
	r = open_older(pool, request, content, &older_fd, err);
	if (r < 0)
		return r;
	stage_fd = take_stage(pool, request, name, content, older_fd, err);
	if (stage_fd < 0)
		return stage_fd;
	dst_fd = open_dir(stage_fd, content);
	if (dst_fd < 0)
		return err_set(err, dst_fd, "open \"%s/%s/%s\"", pool->dir, name, content);
	r = copy_content(pool, request, src_fd, dst_fd, older_fd, err);
	return r < 0 ? r : copy_forget(pool, request, dst_fd, content[0] == 'u', err);
}

int copy_open_volume(struct pool *pool, enum volume_kind kind, const char *name, struct err *err)
{
	int fd, r = volume_check_name(kind, name, err);

	if (r < 0)
		return r;
	fd = volume_open(pool, kind, name);
	if (fd == -ENOENT)
		return err_kind(err, ERR_NOT_FOUND, "%s \"%s\" is not in pool \"%s\"",
				volume_kind_word(kind), name, pool->name);
	return fd < 0 ? err_set(err, fd, "open %s \"%s\"", volume_kind_word(kind), name) : fd;
}

int copy_fill_dir(struct pool *pool, const struct copy_request *request, struct err *err)
{
	_cleanup_(fd_closep) int volume_fd = -EBADF;
	char name[STAGE_NAME_LEN];
	int r = copy_stage_name(request->stage, name, err);

	if (r == 0)
		r = volume_fd = copy_open_volume(pool, request->kind, request->volume, err);
	if (r >= 0 && request->pass != COPY_REST)
		r = copy_abort_dir(pool, request->stage, err);
	if (r < 0)
		return r;
	r = fill_stage(pool, request, name, volume_fd, err);
	if (r < 0 && request->pass != COPY_REST)
		(void)copy_abort_dir(pool, request->stage, NULL); /* the reason counts */
	return r;
}

int copy_begin_dir(struct pool *pool, const char *stage, struct copy_stage *ret_stage,
		   struct err *err)
{
	_cleanup_(fd_closep) int stage_fd = -EBADF;
	_cleanup_(fd_closep) int root_fd = -EBADF;
	char name[STAGE_NAME_LEN];
	int r = copy_stage_name(stage, name, err);

	if (r < 0)
		return r;
	stage_fd = make_stage(pool, name, "rootfs", -EBADF, err);
	if (stage_fd < 0)
		return stage_fd;
	root_fd = open_dir(stage_fd, "rootfs");
	if (root_fd < 0 || fchmod(root_fd, 0755) < 0) {
		r = err_set(err, root_fd < 0 ? root_fd : -errno, "open \"%s/%s/rootfs\"", pool->dir,
			    name);
		(void)copy_abort_dir(pool, stage, NULL); /* the reason counts */
		return r;
	}
	ret_stage->fd = TAKE_FD(stage_fd);
	ret_stage->root_fd = TAKE_FD(root_fd);
	return 0;
}

static int open_content(struct pool *from, const struct copy_request *request, struct err *err)
{
	const char *word = volume_kind_word(request->kind);
	_cleanup_(fd_closep) int volume_fd =
		copy_open_volume(from, request->kind, request->volume, err);
	int fd;

	if (volume_fd < 0)
		return volume_fd;
	if (copy_content_of(volume_fd)[0] == 'u')
		return err_kind(err, ERR_UNSUPPORTED, "%s \"%s\" stands on an image", word,
				request->volume);
	fd = open_dir(volume_fd, "rootfs");
	return fd < 0 ? err_set(err, fd, "open %s \"%s\"", word, request->volume) : fd;
}

/* A stage with an upper layer; only directories have such. */
static int begin_layer(struct pool *pool, const char *name, struct copy_stage *ret_stage,
		       struct err *err)
{
	_cleanup_(fd_closep) int fd = make_stage(pool, name, "upper", -EBADF, err);

	if (fd < 0)
		return fd;
	ret_stage->root_fd = open_dir(fd, "upper");
	if (ret_stage->root_fd < 0)
		return err_set(err, ret_stage->root_fd, "open \"%s/%s/upper\"", pool->dir, name);
	ret_stage->fd = TAKE_FD(fd);
	return 0;
}

/* That of the pass before. */
static int reopen_stage(struct pool *pool, const struct copy_request *request, const char *name,
			const char *content, struct copy_stage *ret_stage, struct err *err)
{
	int r = ret_stage->fd = take_stage(pool, request, name, content, -EBADF, err);

	if (r < 0)
		return r;
	r = ret_stage->root_fd = open_dir(ret_stage->fd, content);
	return r < 0 ? err_set(err, r, "open \"%s/%s/%s\"", pool->dir, name, content) : 0;
}

static int open_into(struct pool *pool, const struct copy_request *request, bool layer,
		     struct copy_stage *ret_stage, struct err *err)
{
	char name[STAGE_NAME_LEN];
	int r = copy_stage_name(request->stage, name, err);

	if (r < 0)
		return r;
	if (request->pass == COPY_REST)
		return reopen_stage(pool, request, name, layer ? "upper" : "rootfs", ret_stage,
				    err);
	r = pool->driver->copy_abort(pool, request->stage, err);
	if (r < 0)
		return r;
	return layer ? begin_layer(pool, name, ret_stage, err)
		     : pool->driver->copy_begin(pool, request->stage, ret_stage, err);
}

int copy_into(struct pool *pool, const struct copy_request *request, int src_fd, bool layer,
	      struct err *err)
{
	_cleanup_(fd_closep) int older_fd = -EBADF;
	struct copy_stage stage = { .fd = -EBADF, .root_fd = -EBADF };
	int r = open_older(pool, request, layer ? "upper" : "rootfs", &older_fd, err);

	if (r < 0)
		return r;
	r = open_into(pool, request, layer, &stage, err);
	if (r == 0)
		r = copy_content(pool, request, src_fd, stage.root_fd, older_fd, err);
	if (r == 0)
		r = copy_forget(pool, request, stage.root_fd, layer, err);
	(void)fd_close(stage.root_fd);
	(void)fd_close(stage.fd);
	if (r < 0 && request->pass != COPY_REST)
		(void)pool->driver->copy_abort(pool, request->stage, NULL); /* the reason counts */
	return r;
}

int copy_across(struct pool *from, const struct copy_request *request, struct pool *pool,
		struct err *err)
{
	_cleanup_(fd_closep) int src_fd = open_content(from, request, err);

	return src_fd < 0 ? src_fd : copy_into(pool, request, src_fd, false, err);
}
