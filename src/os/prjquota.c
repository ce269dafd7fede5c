/* os/prjquota.c - see prjquota.h */
#include "os/prjquota.h"

#include <errno.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/uuid.h"

enum {
	CHOOSE_TRIES = 64,
	BLOCK_BYTES = 1024 /* of struct if_dqblk's limits */
};

/* By a descriptor: no device has to be found, whatever the file system is on. */
static int call(int fd, unsigned int cmd, uint32_t id, void *arg)
{
	long r = syscall(SYS_quotactl_fd, fd, QCMD(cmd, PRJQUOTA), id, arg);

	return r < 0 ? -errno : 0;
}

int prjquota_read(int fd, uint32_t id, struct prjquota *ret_quota)
{
	struct if_dqblk block = { 0 };
	int r = call(fd, Q_GETQUOTA, id, &block);

	if (r == -ENOENT) { /* xfs: nothing was ever counted for it */
		*ret_quota = (struct prjquota){ 0 };
		return 0;
	}
	if (r < 0)
		return r;
	*ret_quota = (struct prjquota){
		.used_bytes = block.dqb_curspace,
		.limit_bytes = block.dqb_bhardlimit * BLOCK_BYTES,
		.used_inodes = block.dqb_curinodes,
	};
	return 0;
}

int prjquota_state(int fd)
{
	struct fs_quota_statv state = { .qs_version = FS_QSTATV_VERSION1 };
	struct prjquota quota;
	int r = prjquota_read(fd, PRJQUOTA_ID_BASE, &quota);

	if (r < 0)
		return r == -EOPNOTSUPP || r == -EINVAL ? -ENOSYS : r;
	r = call(fd, Q_XGETQSTATV, 0, &state);
	if (r < 0)
		return r;
	if (!(state.qs_flags & FS_QUOTA_PDQ_ACCT))
		return -ESRCH;
	return state.qs_flags & FS_QUOTA_PDQ_ENFD ? 0 : 1;
}

int prjquota_get(int fd, uint32_t *ret_id, bool *ret_inherits)
{
	struct fsxattr attr = { 0 };

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attr) < 0)
		return errno == ENOTTY ? -EOPNOTSUPP : -errno;
	*ret_id = attr.fsx_projid;
	*ret_inherits = attr.fsx_xflags & FS_XFLAG_PROJINHERIT;
	return 0;
}

int prjquota_mark(int dir_fd, uint32_t id)
{
	struct fsxattr attr = { 0 };

	if (ioctl(dir_fd, FS_IOC_FSGETXATTR, &attr) < 0)
		return -errno;
	attr.fsx_projid = id;
	attr.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	return ioctl(dir_fd, FS_IOC_FSSETXATTR, &attr) < 0 ? -errno : 0;
}

bool prjquota_is_ours(uint32_t id)
{
	return id >= PRJQUOTA_ID_BASE && id - PRJQUOTA_ID_BASE < PRJQUOTA_ID_COUNT;
}

/*
 * By lot, and looked at: two processes that choose at the same time hardly meet, and whatever the
 * numbers of others are, they are seen.
 */
int prjquota_choose(int fd, uint32_t *ret_id)
{
	for (int i = 0; i < CHOOSE_TRIES; i++) {
		struct prjquota quota;
		uint32_t id;
		int r;

		random_bytes(&id, sizeof(id));
		id = PRJQUOTA_ID_BASE + id % PRJQUOTA_ID_COUNT;
		r = prjquota_read(fd, id, &quota);
		if (r < 0)
			return r;
		if (quota.used_bytes > 0 || quota.used_inodes > 0 || quota.limit_bytes > 0)
			continue;
		*ret_id = id;
		return 0;
	}
	return -EBUSY;
}

int prjquota_limit(int fd, uint32_t id, uint64_t bytes)
{
	struct if_dqblk block = {
		.dqb_bhardlimit = bytes / BLOCK_BYTES + (bytes % BLOCK_BYTES != 0),
		.dqb_valid = QIF_BLIMITS,
	};

	return call(fd, Q_SETQUOTA, id, &block);
}
