/* storage/btrfs_limit.c - see btrfs_limit.h */
#include "storage/btrfs_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/macro.h"
#include "os/btrfs_quota.h"
#include "os/fd.h"
#include "storage/pool.h"
#include "storage/quota.h"

enum {
	OVER_BYTES = 1 << 20 /* the trial asks for so much more than is allowed */
};

int btrfs_quota_words(struct pool *pool, const char **ret_how, struct err *err)
{
	static const char *const words[] = {
		[BTRFS_QUOTA_SIMPLE] = "simple quotas; df inside shows the whole pool",
		[BTRFS_QUOTA_FULL] = "full quota groups, which make deleting slow where there are "
				     "many snapshots; df inside shows the whole pool",
	};
	enum btrfs_quota_mode mode;
	int r = btrfs_quota_mode(pool->dir_fd, &mode);

	if (r < 0)
		return err_set(err, r, "ask the btrfs for its quotas");
	if (mode == BTRFS_QUOTA_OFF)
		return err_kind(err, ERR_UNSUPPORTED,
				"the btrfs has no quotas on; kernel 6.7 and btrfs-progs 6.7 can: "
				"btrfs quota enable --simple");
	if (mode == BTRFS_QUOTA_UNSURE)
		return err_kind(err, ERR_UNSUPPORTED,
				"the quota groups of the btrfs do not add up: btrfs quota rescan");
	*ret_how = words[mode];
	return 0;
}

/* More than is allowed, which nobody sees. btrfs asks its quotas before it looks for space. */
static int try_limit(int root_fd, uint64_t bytes, struct err *err)
{
	_cleanup_(fd_closep) int fd = openat(root_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(err, -errno, "try the limit");
	if (fallocate(fd, 0, 0, (off_t)bytes + OVER_BYTES) == 0)
		return err_kind(err, ERR_UNSUPPORTED,
				"quotas of the btrfs do not work: a limit did not hold");
	return errno == EDQUOT ? 0 : err_set(err, -errno, "try the limit");
}

/* What is written, but not counted yet, counts. */
static int check_used(int root_fd, const char *what, uint64_t bytes, struct err *err)
{
	struct btrfs_quota quota;
	int r = syncfs(root_fd) < 0 ? -errno : btrfs_quota_read(root_fd, &quota);

	if (r < 0)
		return err_set(err, r, "ask how much %s takes", what);
	return quota.used_bytes > bytes ? quota_too_small(what, bytes, quota.used_bytes, err) : 0;
}

int btrfs_limit_root(struct pool *pool, int root_fd, const char *what, uint64_t bytes,
		     struct err *err)
{
	struct btrfs_quota before = { 0 };
	const char *how;
	int r = bytes ? btrfs_quota_words(pool, &how, err) : 0;

	if (r == 0 && bytes)
		r = check_used(root_fd, what, bytes, err);
	if (r < 0)
		return r;
	(void)btrfs_quota_read(root_fd, &before); /* else there was no limit */
	r = btrfs_quota_limit(pool->dir_fd, root_fd, bytes);
	if (r < 0)
		return err_set(err, r, "limit the size of %s", what);
	r = bytes ? try_limit(root_fd, bytes, err) : 0;
	if (r < 0)
		(void)btrfs_quota_limit(pool->dir_fd, root_fd, before.limit_bytes);
	return r;
}
