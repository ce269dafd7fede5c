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

#include "base/macro.h"
#include "os/fd.h"
#include "os/path.h"
#include "os/tree_copy.h"
#include "os/tree_usage.h"
#include "spec/names.h"
#include "storage/identity.h"
#include "storage/pool.h"
#include "storage/quota.h"
#include "storage/volume.h"

enum {
	PATH_LEN = 512
};

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

int copy_check_space(struct pool *pool, struct err *err)
{
	return is_full(pool) ? err_set(err, -ENOSPC,
				       "storage pool \"%s\": not enough space is left", pool->name)
			     : 0;
}

static bool ask(void *data)
{
	struct watch *watch = data;

	/* each time: what is between two questions may have 16 MiB */
	if (is_full(watch->pool))
		watch->full = true;
	return watch->full || pool_cancelled(watch->pool);
}

/* The part of the volume that is its content. Returns: "upper" or "rootfs". */
static const char *content_of(int dir_fd)
{
	return faccessat(dir_fd, "upper", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? "upper" : "rootfs";
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

/* Returns: descriptor that holds the stage, or -errno. Plain. */
static int open_stage(struct pool *pool, const char *name)
{
	_cleanup_(fd_closep) int fd =
		path_open_plain(pool->dir_fd, name, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return fd;
	return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : TAKE_FD(fd);
}

static int copy_content(struct pool *pool, const struct copy_request *request, int src_fd,
			int dst_fd, struct err *err)
{
	struct watch watch = { .pool = pool };
	const struct tree_copy_how how = {
		.cancel = ask,
		.data = &watch,
		.live = request->pass == COPY_LIVE,
		.update = request->pass == COPY_REST,
		.since_wall_ns = request->since_wall_ns,
	};
	char failed[PATH_MAX] = "";
	int r = tree_copy_with(src_fd, dst_fd, &how, failed);

	if (r == -ECANCELED && watch.full)
		return err_set(err, -ENOSPC, "storage pool \"%s\": not enough space is left",
			       pool->name);
	if (r == -ECANCELED)
		return err_kind(err, ERR_CANCELLED, "cancelled");
	return r < 0 ? err_set(err, r, "copy \"/%s\" of %s \"%s\"", failed,
			       volume_kind_word(request->kind), request->volume)
		     : 0;
}

/* The empty stage, with the directories that the content needs. */
static int make_stage(struct pool *pool, const char *name, const char *content, struct err *err)
{
	_cleanup_(fd_closep) int fd = -EBADF;

	if (mkdirat(pool->dir_fd, name, 0700) < 0)
		return err_set(err, -errno, "make \"%s/%s\"", pool->dir, name);
	fd = open_stage(pool, name);
	if (fd < 0)
		return err_set(err, fd, "open and lock \"%s/%s\"", pool->dir, name);
	int r = quota_mark(pool, fd, -EBADF, err);
	if (r < 0)
		return r;
	if (mkdirat(fd, content, 0700) < 0 || (content[0] == 'u' && mkdirat(fd, "work", 0700) < 0))
		return err_set(err, -errno, "make \"%s/%s/%s\"", pool->dir, name, content);
	return TAKE_FD(fd);
}

static int fill_stage(struct pool *pool, const struct copy_request *request, const char *name,
		      int volume_fd, struct err *err)
{
	const char *content = content_of(volume_fd);
	_cleanup_(fd_closep) int src_fd =
		path_open_plain(volume_fd, content, O_RDONLY | O_DIRECTORY, 0);
	_cleanup_(fd_closep) int stage_fd = -EBADF;
	_cleanup_(fd_closep) int dst_fd = -EBADF;

	if (src_fd < 0)
		return err_set(err, src_fd, "open the %s of %s \"%s\"", content,
			       volume_kind_word(request->kind), request->volume);
	/* From here on the kernel notices writes to mapped files by their change time. */
	if (request->pass == COPY_LIVE && syncfs(src_fd) < 0)
		return err_set(err, -errno, "write out \"%s\"", pool->dir);
	stage_fd = request->pass == COPY_REST ? open_stage(pool, name)
					      : make_stage(pool, name, content, err);
	if (request->pass == COPY_REST && stage_fd < 0)
		return err_kind(err, ERR_NOT_FOUND, "the first copy of \"%s\" is gone",
				request->volume);
	if (stage_fd < 0)
		return stage_fd;
	dst_fd = path_open_plain(stage_fd, content, O_RDONLY | O_DIRECTORY, 0);
	if (dst_fd < 0)
		return err_set(err, dst_fd, "open \"%s/%s/%s\"", pool->dir, name, content);
	return copy_content(pool, request, src_fd, dst_fd, err);
}

int copy_fill_dir(struct pool *pool, const struct copy_request *request, struct err *err)
{
	_cleanup_(fd_closep) int volume_fd = -EBADF;
	char name[STAGE_NAME_LEN];
	int r = volume_check_name(request->kind, request->volume, err);

	if (r == 0)
		r = copy_stage_name(request->stage, name, err);
	if (r < 0)
		return r;
	volume_fd = volume_open(pool, request->kind, request->volume);
	if (volume_fd == -ENOENT)
		return err_kind(err, ERR_NOT_FOUND, "%s \"%s\" is not in pool \"%s\"",
				volume_kind_word(request->kind), request->volume, pool->name);
	if (volume_fd < 0)
		return err_set(err, volume_fd, "open %s \"%s\"", volume_kind_word(request->kind),
			       request->volume);
	if (request->pass != COPY_REST)
		r = copy_abort_dir(pool, request->stage, err);
	if (r == 0)
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
	stage_fd = make_stage(pool, name, "rootfs", err);
	if (stage_fd < 0)
		return stage_fd;
	root_fd = path_open_plain(stage_fd, "rootfs", O_RDONLY | O_DIRECTORY, 0);
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
	_cleanup_(fd_closep) int volume_fd = -EBADF;
	int fd, r = volume_check_name(request->kind, request->volume, err);

	if (r < 0)
		return r;
	volume_fd = volume_open(from, request->kind, request->volume);
	if (volume_fd == -ENOENT)
		return err_kind(err, ERR_NOT_FOUND, "%s \"%s\" is not in pool \"%s\"", word,
				request->volume, from->name);
	if (volume_fd >= 0 && content_of(volume_fd)[0] == 'u')
		return err_kind(err, ERR_UNSUPPORTED, "%s \"%s\" stands on an image", word,
				request->volume);
	fd = volume_fd < 0 ? volume_fd
			   : path_open_plain(volume_fd, "rootfs", O_RDONLY | O_DIRECTORY, 0);
	return fd < 0 ? err_set(err, fd, "open %s \"%s\"", word, request->volume) : fd;
}

/* A stage with an upper layer; only directories have such. */
static int begin_layer(struct pool *pool, const char *uuid, struct copy_stage *ret_stage,
		       struct err *err)
{
	_cleanup_(fd_closep) int fd = -EBADF;
	char name[STAGE_NAME_LEN];
	int r = copy_stage_name(uuid, name, err);

	if (r == 0)
		r = fd = make_stage(pool, name, "upper", err);
	if (r < 0)
		return r;
	ret_stage->root_fd = path_open_plain(fd, "upper", O_RDONLY | O_DIRECTORY, 0);
	if (ret_stage->root_fd < 0)
		return err_set(err, ret_stage->root_fd, "open \"%s/%s/upper\"", pool->dir, name);
	ret_stage->fd = TAKE_FD(fd);
	return 0;
}

static int forget_identity(const struct copy_into *how, int root_fd, struct err *err)
{
	int r = how->forget ? identity_forget(root_fd, how->lower_fd) : 0;

	/* a container that made its /etc a link has no machine-id that we could find */
	return r < 0 && r != -ELOOP && r != -ENOTDIR
		       ? err_set(err, r, "empty /etc/machine-id of the copy")
		       : 0;
}

int copy_into(struct pool *pool, const struct copy_into *how, struct err *err)
{
	const char *uuid = how->request->stage;
	struct copy_stage stage = { .fd = -EBADF, .root_fd = -EBADF };
	int r = pool->driver->copy_abort(pool, uuid, err);

	if (r < 0)
		return r;
	r = how->layer ? begin_layer(pool, uuid, &stage, err)
		       : pool->driver->copy_begin(pool, uuid, &stage, err);
	if (r == 0)
		r = copy_content(pool, how->request, how->src_fd, stage.root_fd, err);
	if (r == 0)
		r = forget_identity(how, stage.root_fd, err);
	(void)fd_close(stage.root_fd);
	(void)fd_close(stage.fd);
	if (r < 0)
		(void)pool->driver->copy_abort(pool, uuid, NULL); /* the reason counts */
	return r;
}

int copy_across(struct pool *from, const struct copy_request *request, struct pool *pool,
		struct err *err)
{
	_cleanup_(fd_closep) int src_fd = open_content(from, request, err);
	const struct copy_into how = { .request = request, .src_fd = src_fd, .lower_fd = -EBADF };

	return src_fd < 0 ? src_fd : copy_into(pool, &how, err);
}

/* ---- commit ---- */

static int publish(struct pool *pool, const char *stage, enum volume_kind kind, const char *name,
		   bool replace, struct err *err)
{
	_cleanup_(fd_closep) int parent_fd =
		path_open_plain(pool->dir_fd, volume_kind_dir(kind), O_RDONLY | O_DIRECTORY, 0);
	unsigned int flags = replace ? RENAME_EXCHANGE : RENAME_NOREPLACE;

	if (parent_fd < 0)
		return err_set(err, parent_fd, "open \"%s/%s\"", pool->dir, volume_kind_dir(kind));
	if (renameat2(pool->dir_fd, stage, parent_fd, name, flags) < 0)
		return err_set(err, -errno, "finish %s \"%s\"", volume_kind_word(kind), name);
	if (fsync(parent_fd) < 0)
		return err_set(err, -errno, "write out %s \"%s\"", volume_kind_word(kind), name);
	return 0;
}

/* What the exchange left under the stage's name. */
static int bury(struct pool *pool, const char *stage, char ret_trash[UUID_LEN], struct err *err)
{
	char path[PATH_LEN], uuid[UUID_LEN];

	(void)snprintf(path, sizeof(path), "trash/%s", uuid_new(uuid));
	if (renameat2(pool->dir_fd, stage, pool->dir_fd, path, RENAME_NOREPLACE) < 0)
		return err_set(err, -errno, "move what was replaced to the trash");
	memcpy(ret_trash, uuid, UUID_LEN);
	return 0;
}

/* Whether there is an unused volume to be replaced: 1 or 0. */
static int check_target(struct pool *pool, enum volume_kind kind, const char *name, struct err *err)
{
	_cleanup_(fd_closep) int fd = volume_open(pool, kind, name);
	int r;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return err_set(err, fd, "open %s \"%s\"", volume_kind_word(kind), name);
	r = volume_check_unused(fd, kind, name, err);
	return r < 0 ? r : 1;
}

int copy_commit_dir(struct pool *pool, const char *stage, enum volume_kind kind, const char *name,
		    char ret_trash[UUID_LEN], struct err *err)
{
	_cleanup_(fd_closep) int stage_fd = -EBADF;
	char stage_dir[STAGE_NAME_LEN];
	int there, r = volume_check_name(kind, name, err);

	if (r == 0)
		r = copy_stage_name(stage, stage_dir, err);
	if (r < 0)
		return r;
	there = check_target(pool, kind, name, err);
	if (there < 0)
		return there;
	ret_trash[0] = '\0';
	stage_fd = open_stage(pool, stage_dir);
	if (stage_fd == -ENOENT && there && kind != VOLUME_INSTANCE)
		return 1;
	if (stage_fd < 0)
		return err_set(err, stage_fd, "open \"%s/%s\"", pool->dir, stage_dir);
	if (syncfs(stage_fd) < 0)
		return err_set(err, -errno, "write out \"%s\"", pool->dir);
	r = publish(pool, stage_dir, kind, name, there && kind != VOLUME_SNAPSHOT, err);
	return r < 0 || !there ? r : bury(pool, stage_dir, ret_trash, err);
}

int copy_abort_dir(struct pool *pool, const char *stage, struct err *err)
{
	char name[STAGE_NAME_LEN];
	int r = copy_stage_name(stage, name, err);

	if (r < 0)
		return r;
	quota_forget(pool->dir_fd, name);
	/* never asked whether to give up: this is what happens after that question */
	r = tree_remove(pool->dir_fd, name, NULL, NULL);
	return r < 0 ? err_set(err, r, "remove \"%s/%s\"", pool->dir, name) : 0;
}

/* Measuring takes no space. */
static bool ask_owner(void *data)
{
	return pool_cancelled(data);
}

int copy_usage_dir(struct pool *pool, enum volume_kind kind, const char *name, uint64_t *ret_bytes,
		   struct err *err)
{
	int r = volume_check_name(kind, name, err);

	if (r < 0)
		return r;
	_cleanup_(fd_closep) int fd = volume_open(pool, kind, name);
	if (fd == -ENOENT)
		return err_kind(err, ERR_NOT_FOUND, "%s \"%s\" is not in pool \"%s\"",
				volume_kind_word(kind), name, pool->name);
	if (fd >= 0 && quota_usage(fd, ret_bytes) == 0)
		return 0;
	r = fd < 0 ? fd : tree_usage(fd, ask_owner, pool, ret_bytes);
	return r < 0 ? err_set(err, r, "measure %s \"%s\"", volume_kind_word(kind), name) : 0;
}
