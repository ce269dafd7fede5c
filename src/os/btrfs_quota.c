/* os/btrfs_quota.c - see btrfs_quota.h */
#include "os/btrfs_quota.h"

#include <endian.h>
#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/macro.h"
#include "os/btrfs.h"

/* Newer than the headers of the oldest systems that this is built on. */
#define QUOTA_CTL_ENABLE_SIMPLE 4
#define STATUS_FLAG_SIMPLE	(1ULL << 3)

/* The group above the subvolume @id: ours alone, nobody else has reason to make it. */
static uint64_t group_above(uint64_t id)
{
	return id | 1ULL << BTRFS_QGROUP_LEVEL_SHIFT;
}

/* One item of the quota tree. Returns: 0, or 1 when it is not there. Errors: -EOPNOTSUPP. */
static int read_item(int fd, const struct btrfs_ioctl_search_key *key, void *out, size_t size,
		     uint64_t *ret_offset)
{
	struct btrfs_ioctl_search_args args = { .key = *key };
	struct btrfs_ioctl_search_header header;

	args.key.tree_id = BTRFS_QUOTA_TREE_OBJECTID;
	args.key.max_transid = UINT64_MAX;
	args.key.nr_items = 1;
	if (ioctl(fd, BTRFS_IOC_TREE_SEARCH, &args) < 0)
		return errno == ENOENT ? -EOPNOTSUPP : -errno;
	if (args.key.nr_items == 0)
		return 1;
	memcpy(&header, args.buf, sizeof(header));
	memset(out, 0, size);
	memcpy(out, args.buf + sizeof(header), MIN((size_t)header.len, size));
	*ret_offset = header.offset;
	return 0;
}

static int read_of_group(int fd, uint32_t type, uint64_t group, void *out, size_t size)
{
	const struct btrfs_ioctl_search_key key = {
		.min_type = type, .max_type = type, .min_offset = group, .max_offset = group
	};
	uint64_t offset;

	return read_item(fd, &key, out, size, &offset);
}

int btrfs_quota_mode(int fd, enum btrfs_quota_mode *ret_mode)
{
	struct btrfs_qgroup_status_item status;
	int r = read_of_group(fd, BTRFS_QGROUP_STATUS_KEY, 0, &status, sizeof(status));

	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	uint64_t flags = r == 0 ? le64toh(status.flags) : 0;
	if (!(flags & BTRFS_QGROUP_STATUS_FLAG_ON))
		*ret_mode = BTRFS_QUOTA_OFF;
	else if (flags & STATUS_FLAG_SIMPLE)
		*ret_mode = BTRFS_QUOTA_SIMPLE;
	else if (flags & (BTRFS_QGROUP_STATUS_FLAG_RESCAN | BTRFS_QGROUP_STATUS_FLAG_INCONSISTENT))
		*ret_mode = BTRFS_QUOTA_UNSURE;
	else
		*ret_mode = BTRFS_QUOTA_FULL;
	return 0;
}

int btrfs_quota_enable(int fd, enum btrfs_quota_mode mode)
{
	struct btrfs_ioctl_quota_ctl_args args = { .cmd = mode == BTRFS_QUOTA_SIMPLE
								  ? QUOTA_CTL_ENABLE_SIMPLE
								  : BTRFS_QUOTA_CTL_ENABLE };
	enum btrfs_quota_mode now;
	int r = btrfs_quota_mode(fd, &now);

	if (r == 0 && now != BTRFS_QUOTA_OFF)
		return -EEXIST;
	if (r == 0 && ioctl(fd, BTRFS_IOC_QUOTA_CTL, &args) < 0)
		return errno == EINVAL ? -EOPNOTSUPP : -errno;
	if (r == 0 && mode == BTRFS_QUOTA_FULL && ioctl(fd, BTRFS_IOC_QUOTA_RESCAN_WAIT) < 0)
		r = -errno;
	return r;
}

/* The group that is limited. Returns: its number, or 0 for none. */
static int find_group(int fd, uint64_t *ret_id, uint64_t *ret_group)
{
	enum btrfs_quota_mode mode;
	int r = btrfs_subvol_id(fd, ret_id);

	if (r != 0)
		return r > 0 ? -ENOTDIR : r;
	r = btrfs_quota_mode(fd, &mode);
	if (r == 0)
		*ret_group = mode == BTRFS_QUOTA_OFF	  ? 0
			     : mode == BTRFS_QUOTA_SIMPLE ? group_above(*ret_id)
							  : *ret_id;
	return r;
}

int btrfs_quota_read(int fd, struct btrfs_quota *ret_quota)
{
	struct btrfs_qgroup_limit_item limit = { 0 };
	struct btrfs_qgroup_info_item info = { 0 };
	uint64_t id = 0, group = 0;
	int r = find_group(fd, &id, &group);

	if (r == 0 && group == 0)
		r = -EOPNOTSUPP;
	if (r == 0)
		r = read_of_group(fd, BTRFS_QGROUP_INFO_KEY, group, &info, sizeof(info));
	if (r > 0 && group != id) /* it was never limited: there is nothing above it */
		r = read_of_group(fd, BTRFS_QGROUP_INFO_KEY, id, &info, sizeof(info));
	if (r >= 0)
		r = read_of_group(fd, BTRFS_QGROUP_LIMIT_KEY, group, &limit, sizeof(limit));
	if (r < 0)
		return r;
	ret_quota->used_bytes = le64toh(info.rfer);
	ret_quota->limit_bytes =
		le64toh(limit.flags) & BTRFS_QGROUP_LIMIT_MAX_RFER ? le64toh(limit.max_rfer) : 0;
	return 0;
}

static int assign(int fd, uint64_t group, uint64_t parent, bool on)
{
	struct btrfs_ioctl_qgroup_assign_args args = { .assign = on, .src = group, .dst = parent };

	/* > 0: the numbers have to be scanned for; not with simple ones */
	return ioctl(fd, BTRFS_IOC_QGROUP_ASSIGN, &args) < 0 ? -errno : 0;
}

struct group {
	int fs_fd;
	uint64_t id;
};

static int put_into_group(void *data, int fd, uint64_t id)
{
	const struct group *group = data;
	int r = assign(group->fs_fd, id, group->id, true);

	(void)fd;

	/* -EINVAL, -ENOENT: a nested one from before there were quotas has no group at all */
	return r == -EEXIST || (r < 0 && group_above(id) != group->id) ? 0 : r;
}

/* The group above the subvolume, with all that are in that now. */
static int make_group(struct group *group, int fd)
{
	struct btrfs_ioctl_qgroup_create_args args = { .create = 1, .qgroupid = group->id };

	if (ioctl(group->fs_fd, BTRFS_IOC_QGROUP_CREATE, &args) < 0 && errno != EEXIST)
		return -errno;
	return btrfs_subvol_each(fd, put_into_group, group);
}

int btrfs_quota_limit(int fs_fd, int fd, uint64_t bytes)
{
	struct btrfs_ioctl_qgroup_limit_args args = {
		.lim = { .flags = BTRFS_QGROUP_LIMIT_MAX_RFER,
			 .max_rfer = bytes ? bytes : UINT64_MAX /* none */ },
	};
	struct group group = { .fs_fd = fs_fd };
	uint64_t id = 0;
	int r = find_group(fd, &id, &group.id);

	if (r == 0 && group.id == 0)
		return bytes ? -EOPNOTSUPP : 0;
	if (r == 0 && group.id != id && bytes)
		r = make_group(&group, fd);
	if (r < 0)
		return r;
	args.qgroupid = group.id;
	if (ioctl(fs_fd, BTRFS_IOC_QGROUP_LIMIT, &args) < 0)
		return errno == ENOENT && !bytes ? 0 : -errno;
	return 0;
}

int btrfs_quota_forget(int fs_fd, uint64_t id)
{
	uint64_t group = group_above(id), member;
	struct btrfs_ioctl_qgroup_create_args args = { .create = 0, .qgroupid = group };
	const struct btrfs_ioctl_search_key key = {
		.min_objectid = group,
		.max_objectid = group,
		.min_type = BTRFS_QGROUP_RELATION_KEY,
		.max_type = BTRFS_QGROUP_RELATION_KEY,
		.max_offset = UINT64_MAX,
	};
	char nothing[1];
	int r;

	while ((r = read_item(fs_fd, &key, nothing, sizeof(nothing), &member)) == 0) {
		r = assign(fs_fd, member, group, false);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r == -EOPNOTSUPP ? 0 : r;
	return ioctl(fs_fd, BTRFS_IOC_QGROUP_CREATE, &args) < 0 && errno != ENOENT ? -errno : 0;
}
