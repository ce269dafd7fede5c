/* storage/quota.c - see quota.h */
#include "storage/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/macro.h"
#include "base/str.h"
#include "os/caps.h"
#include "os/fd.h"
#include "os/mount.h"
#include "os/path.h"
#include "os/prjquota.h"
#include "storage/copy.h"
#include "storage/pool.h"
#include "storage/volume.h"

enum {
	TRIAL_BYTES = 1 << 20,
	TRIAL_LIMIT_BYTES = 64 << 10
};

/* Whether the pool is in a project of somebody else: nothing could be renamed into its place. */
static bool is_in_project(const struct pool *pool)
{
	bool inherits = false;
	uint32_t id;

	return prjquota_get(pool->dir_fd, &id, &inherits) == 0 && inherits;
}

int quota_mark(struct pool *pool, int dir_fd, int like_fd, struct err *err)
{
	uint32_t id = 0;
	bool inherits;
	int r = 0;

	if (prjquota_state(dir_fd) < 0 || is_in_project(pool))
		return 0;
	if (like_fd >= 0) {
		r = prjquota_get(like_fd, &id, &inherits);
		if (r == 0 && !prjquota_is_ours(id))
			return 0;
	} else {
		r = prjquota_choose(dir_fd, &id);
	}
	if (r == 0)
		r = prjquota_mark(dir_fd, id);
	if (r == -EOPNOTSUPP) /* it counts what it cannot mark: quota_probe_dir() says so */
		return 0;
	return r < 0 ? err_set(err, r, "make a new directory in \"%s\" a project of its own",
			       pool->dir)
		     : 0;
}

/* The project of a volume. Returns: 0, or 1 when it has none of ours. */
static int project_of(int dir_fd, uint32_t *ret_id)
{
	bool inherits = false;
	int r = prjquota_get(dir_fd, ret_id, &inherits);

	if (r < 0)
		return r == -EOPNOTSUPP ? 1 : r;
	return inherits && prjquota_is_ours(*ret_id) ? 0 : 1;
}

bool quota_is_project(int dir_fd)
{
	uint32_t id;

	return project_of(dir_fd, &id) == 0;
}

void quota_forget(int dir_fd, const char *name)
{
	_cleanup_(fd_closep) int fd = path_open_plain(dir_fd, name, O_RDONLY | O_DIRECTORY, 0);
	struct prjquota quota;
	uint32_t id;

	if (fd >= 0 && project_of(fd, &id) == 0 && prjquota_read(fd, id, &quota) == 0 &&
	    quota.limit_bytes > 0)
		(void)prjquota_limit(fd, id, 0);
}

int quota_usage(int dir_fd, uint64_t *ret_bytes)
{
	struct prjquota quota;
	uint32_t id;
	int r = project_of(dir_fd, &id);

	if (r == 0)
		r = prjquota_read(dir_fd, id, &quota);
	if (r != 0)
		return 1;
	*ret_bytes = quota.used_bytes;
	return 0;
}

/* ---- finding out ---- */

static int check_state(const struct pool *pool, struct err *err)
{
	char fs_name[32];
	const char *fs = mount_fs_name(pool->dir_fd, fs_name);
	int r = prjquota_state(pool->dir_fd);

	if (r == 0 && is_in_project(pool))
		return err_kind(err, ERR_UNSUPPORTED,
				"the pool's directory is in a project of somebody else already");
	if (r == 0)
		return 0;
	if (r == -EPERM)
		return err_kind(err, ERR_UNSUPPORTED, "quotas of the %s are not ours to set", fs);
	if (!streq(fs, "ext4") && !streq(fs, "xfs"))
		return err_kind(err, ERR_UNSUPPORTED,
				"%s has no project quotas, as ext4 and xfs have", fs);
	if (r == 1)
		return err_kind(err, ERR_UNSUPPORTED,
				"the %s counts projects, but does not limit them: mount it with "
				"prjquota, or use quotaon -P",
				fs);
	if (r == -ENOSYS)
		return err_kind(err, ERR_UNSUPPORTED,
				"this kernel has no quotas for %s, or the file system none", fs);
	return err_kind(err, ERR_UNSUPPORTED,
			"the %s is mounted without project quotas (mount option prjquota%s)", fs,
			streq(fs, "ext4") ? ", features quota and project" : "");
}

/* As somebody who is not above quotas. Returns: 0, or what fallocate() said. */
static int take_space(int fd)
{
	const uint64_t mask = UINT64_C(1) << CAP_SYS_RESOURCE;
	int r = caps_suspend(mask);

	if (r == 0 && fallocate(fd, 0, 0, TRIAL_BYTES) < 0)
		r = -errno;
	(void)caps_resume(mask);
	return r;
}

/* With space for it, but no right to it. */
static int try_limit(int dir_fd, int fd, uint32_t id, struct err *err)
{
	struct prjquota before, after;
	int r = prjquota_read(dir_fd, id, &before);

	if (r == 0)
		r = take_space(fd);
	if (r == 0)
		r = prjquota_read(dir_fd, id, &after);
	if (r < 0)
		return err_set(err, r, "try the project quotas");
	if (after.used_bytes < before.used_bytes + TRIAL_BYTES)
		return err_kind(err, ERR_UNSUPPORTED,
				"project quotas do not work: what was written did not count");
	r = ftruncate(fd, 0) < 0 ? -errno : prjquota_limit(dir_fd, id, TRIAL_LIMIT_BYTES);
	if (r < 0)
		return err_set(err, r, "set a project's limit");
	r = take_space(fd);
	if (r == -EDQUOT || r == -ENOSPC) /* the first from ext4, the second from xfs */
		return 0;
	return r < 0 ? err_set(err, r, "try the project quotas")
		     : err_kind(err, ERR_UNSUPPORTED,
				"project quotas do not work: a limit did not hold");
}

static int try_in_stage(int dir_fd, struct err *err)
{
	_cleanup_(fd_closep) int fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	uint32_t id;

	if (fd < 0)
		return err_set(err, -errno, "try the project quotas");
	if (project_of(dir_fd, &id) != 0)
		return err_kind(err, ERR_UNSUPPORTED,
				"project quotas do not work: a directory takes no project");
	return try_limit(dir_fd, fd, id, err);
}

int quota_probe_dir(struct pool *pool, const char **ret_how, struct err *err)
{
	struct stage stage;
	int r = check_state(pool, err);

	if (r == 0)
		r = volume_stage_begin(pool, &stage, err);
	if (r < 0)
		return r;
	r = quota_mark(pool, stage.dir_fd, -EBADF, err);
	if (r == 0)
		r = try_in_stage(stage.dir_fd, err);
	(void)volume_stage_drop(pool, &stage, NULL);
	if (r == 0)
		*ret_how = "project quotas; df inside shows the size";
	return r;
}

/* ---- limits ---- */

int quota_too_small(const char *what, uint64_t bytes, uint64_t used, struct err *err)
{
	char have[FMT_BYTES_LEN], want[FMT_BYTES_LEN];

	return err_kind(err, ERR_INVALID,
			"size %s is too small: %s takes %s already (%" PRIu64 " of %" PRIu64
			" bytes)",
			fmt_bytes(want, bytes), what, fmt_bytes(have, used), used, bytes);
}

int quota_limit(struct pool *pool, int dir_fd, const char *what, uint64_t bytes, struct err *err)
{
	struct prjquota quota;
	const char *how;
	uint32_t id;
	int none = project_of(dir_fd, &id);
	int r = bytes ? quota_probe_dir(pool, &how, err) : 0;

	if (r < 0 || (none > 0 && bytes == 0))
		return r;
	if (none > 0)
		return err_kind(err, ERR_UNSUPPORTED,
				"%s was made when the pool had no quotas: a copy of it can be "
				"limited",
				what);
	r = none < 0 ? none : prjquota_read(dir_fd, id, &quota);
	if (r == 0 && bytes && quota.used_bytes > bytes)
		return quota_too_small(what, bytes, quota.used_bytes, err);
	if (r == 0)
		r = prjquota_limit(dir_fd, id, bytes);
	return r < 0 ? err_set(err, r, "limit the size of %s", what) : 0;
}

int quota_open(struct pool *pool, const struct volume_limit *limit, struct err *err)
{
	enum volume_kind kind = limit->custom ? VOLUME_CUSTOM : VOLUME_INSTANCE;
	const char *word = volume_kind_word(kind), *shown = limit->volume;
	char name[STAGE_NAME_LEN];
	int r = limit->stage ? copy_stage_name(limit->stage, name, err)
			     : volume_check_name(kind, limit->volume, err);

	if (r < 0)
		return r;
	if (limit->stage)
		shown = name;
	r = limit->stage ? path_open_plain(pool->dir_fd, name, O_RDONLY | O_DIRECTORY, 0)
			 : volume_open(pool, kind, limit->volume);
	if (r == -ENOENT)
		return err_kind(err, ERR_NOT_FOUND, "%s \"%s\" not found", word, shown);
	return r < 0 ? err_set(err, r, "open %s \"%s\"", word, shown) : r;
}

int quota_limit_dir(struct pool *pool, const struct volume_limit *limit, struct err *err)
{
	_cleanup_(fd_closep) int fd = quota_open(pool, limit, err);

	if (fd < 0)
		return fd;
	/* what it will replace is limited already, and counts until then */
	if (limit->stage && copy_borrows(fd))
		return 0;
	return quota_limit(pool, fd, limit->stage ? "the copy" : "the volume", limit->bytes, err);
}
