/* os/btrfs.c - see btrfs.h */
#include "os/btrfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/vec.h"
#include "os/fd.h"
#include "os/path.h"

enum {
	HANDLE_BYTES = 20, /* object, root, generation: the kernel's FILEID_BTRFS_WITHOUT_PARENT */
	HANDLE_TYPE = 0x4d
};

struct subvol_ids {
	VEC(uint64_t) list;
};

bool btrfs_is(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) == 0 && st.f_type == BTRFS_SUPER_MAGIC;
}

int btrfs_uuid(int fd, char ret_uuid[BTRFS_UUID_LEN])
{
	struct btrfs_ioctl_fs_info_args args = { 0 };
	char *at = ret_uuid;

	if (ioctl(fd, BTRFS_IOC_FS_INFO, &args) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(args.fsid); i++)
		at += snprintf(at, 4, "%02x%s", args.fsid[i],
			       i == 3 || i == 5 || i == 7 || i == 9 ? "-" : "");
	return 0;
}

static int copy_name(char *out, size_t size, const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= size || strchr(name, '/'))
		return -EINVAL;
	memcpy(out, name, len + 1);
	return 0;
}

int btrfs_subvol_create(int dir_fd, const char *name)
{
	struct btrfs_ioctl_vol_args args = { 0 };
	int r = copy_name(args.name, sizeof(args.name), name);

	if (r < 0)
		return r;
	return ioctl(dir_fd, BTRFS_IOC_SUBVOL_CREATE, &args) < 0 ? -errno : 0;
}

int btrfs_snapshot(int src_fd, int dir_fd, const char *name)
{
	struct btrfs_ioctl_vol_args_v2 args = { .fd = src_fd };
	int r = copy_name(args.name, sizeof(args.name), name);

	if (r < 0)
		return r;
	return ioctl(dir_fd, BTRFS_IOC_SNAP_CREATE_V2, &args) < 0 ? -errno : 0;
}

int btrfs_subvol_id(int fd, uint64_t *ret_id)
{
	struct btrfs_ioctl_ino_lookup_args args = { .objectid = BTRFS_FIRST_FREE_OBJECTID };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!btrfs_is(fd) || st.st_ino != BTRFS_FIRST_FREE_OBJECTID)
		return 1;
	if (ioctl(fd, BTRFS_IOC_INO_LOOKUP, &args) < 0)
		return -errno;
	*ret_id = args.treeid;
	return 0;
}

/* Add the subvolumes that are directly in @id. */
static int add_children(int fs_fd, uint64_t id, struct subvol_ids *ids)
{
	struct btrfs_ioctl_search_args args = {
		.key = { .tree_id = BTRFS_ROOT_TREE_OBJECTID,
			 .min_objectid = id,
			 .max_objectid = id,
			 .max_offset = UINT64_MAX,
			 .max_transid = UINT64_MAX,
			 .min_type = BTRFS_ROOT_REF_KEY,
			 .max_type = BTRFS_ROOT_REF_KEY },
	};

	for (;;) {
		size_t at = 0;

		args.key.nr_items = 4096;
		if (ioctl(fs_fd, BTRFS_IOC_TREE_SEARCH, &args) < 0)
			return -errno;
		if (args.key.nr_items == 0)
			return 0;
		for (uint32_t i = 0; i < args.key.nr_items; i++) {
			struct btrfs_ioctl_search_header header;

			memcpy(&header, args.buf + at, sizeof(header));
			at += sizeof(header) + header.len;
			*(uint64_t *)vec_push(&ids->list) = header.offset;
			args.key.min_offset = header.offset + 1;
		}
	}
}

/* Linux 6.1 takes no handle without it, later ones do. */
static int read_generation(int fs_fd, uint64_t id, uint32_t *ret_generation)
{
	struct btrfs_ioctl_search_args args = { .key = {
							.tree_id = id,
							.min_objectid = BTRFS_FIRST_FREE_OBJECTID,
							.max_objectid = BTRFS_FIRST_FREE_OBJECTID,
							.min_type = BTRFS_INODE_ITEM_KEY,
							.max_type = BTRFS_INODE_ITEM_KEY,
							.max_offset = UINT64_MAX,
							.max_transid = UINT64_MAX,
							.nr_items = 1,
						} };
	struct btrfs_ioctl_search_header header;
	struct btrfs_inode_item inode = { 0 };

	if (ioctl(fs_fd, BTRFS_IOC_TREE_SEARCH, &args) < 0)
		return -errno;
	if (args.key.nr_items == 0)
		return -ENOENT;
	memcpy(&header, args.buf, sizeof(header));
	memcpy(&inode, args.buf + sizeof(header), MIN((size_t)header.len, sizeof(inode)));
	*ret_generation = (uint32_t)le64toh(inode.generation);
	return 0;
}

/* Returns: descriptor of the root directory of @id, wherever it is. */
static int open_subvol(int fs_fd, uint64_t id)
{
	const uint64_t object = BTRFS_FIRST_FREE_OBJECTID;
	_cleanup_(freep) struct file_handle *handle = xcalloc(1, sizeof(*handle) + HANDLE_BYTES);
	uint32_t generation;
	int r = read_generation(fs_fd, id, &generation);

	if (r < 0)
		return r;
	handle->handle_bytes = HANDLE_BYTES;
	handle->handle_type = HANDLE_TYPE;
	memcpy(handle->f_handle, &object, sizeof(object));
	memcpy(handle->f_handle + sizeof(object), &id, sizeof(id));
	memcpy(handle->f_handle + sizeof(object) + sizeof(id), &generation, sizeof(generation));
	int fd = open_by_handle_at(fs_fd, handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* What is in a read-only subvolume cannot be deleted. */
static int make_writable(int fs_fd, uint64_t id)
{
	_cleanup_(fd_closep) int fd = open_subvol(fs_fd, id);
	uint64_t flags;

	if (fd < 0)
		return fd;
	if (ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0)
		return -errno;
	if (!(flags & BTRFS_SUBVOL_RDONLY))
		return 0;
	flags &= ~(uint64_t)BTRFS_SUBVOL_RDONLY;
	return ioctl(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &flags) < 0 ? -errno : 0;
}

static int destroy_id(int fs_fd, uint64_t id)
{
	struct btrfs_ioctl_vol_args_v2 args = { .flags = BTRFS_SUBVOL_SPEC_BY_ID, .subvolid = id };

	return ioctl(fs_fd, BTRFS_IOC_SNAP_DESTROY_V2, &args) < 0 ? -errno : 0;
}

/* Parents are before their children. */
static int destroy_nested(int fd, uint64_t id, struct subvol_ids *ids)
{
	int r = make_writable(fd, id);

	if (r == 0)
		r = add_children(fd, id, ids);
	for (size_t i = 0; r == 0 && i < ids->list.len; i++) {
		r = make_writable(fd, ids->list.items[i]);
		if (r == 0)
			r = add_children(fd, ids->list.items[i], ids);
	}
	for (size_t i = ids->list.len; r == 0 && i-- > 0;)
		r = destroy_id(fd, ids->list.items[i]);
	return r;
}

int btrfs_subvol_each(int fd, btrfs_subvol_fn *fn, void *data)
{
	struct subvol_ids ids = { 0 };
	uint64_t id = 0;
	int r = btrfs_subvol_id(fd, &id);

	if (r != 0)
		return r > 0 ? -ENOTDIR : r;
	*(uint64_t *)vec_push(&ids.list) = id;
	/* the list grows by what is in its members */
	for (size_t i = 0; r == 0 && i < ids.list.len; i++) {
		id = ids.list.items[i];
		r = add_children(fd, id, &ids);
		if (r == 0)
			r = fn(data, fd, id);
	}
	freep(&ids.list.items);
	return r;
}

int btrfs_subvol_destroy(int dir_fd, const char *name)
{
	_cleanup_(fd_closep) int fd = path_open_plain(dir_fd, name, O_RDONLY | O_DIRECTORY, 0);
	struct btrfs_ioctl_vol_args args = { 0 };
	struct subvol_ids nested = { 0 };
	uint64_t id = 0;
	int r = fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? 1 : MIN(fd, 0);

	if (r == 0)
		r = copy_name(args.name, sizeof(args.name), name);
	if (r == 0)
		r = btrfs_subvol_id(fd, &id);
	if (r == 0)
		r = destroy_nested(fd, id, &nested);
	freep(&nested.list.items);
	if (r == 0 && ioctl(dir_fd, BTRFS_IOC_SNAP_DESTROY, &args) < 0)
		r = -errno;
	return r;
}

int btrfs_device(int fd, char *ret_path, size_t size)
{
	struct btrfs_ioctl_fs_info_args fs = { 0 };
	struct btrfs_ioctl_dev_info_args device = { 0 };

	if (ioctl(fd, BTRFS_IOC_FS_INFO, &fs) < 0)
		return -errno;
	if (fs.num_devices != 1)
		return -ENODEV;
	device.devid = fs.max_id;
	if (ioctl(fd, BTRFS_IOC_DEV_INFO, &device) < 0)
		return -errno;
	int len = snprintf(ret_path, size, "%s", (const char *)device.path);
	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

int btrfs_grow(int fd)
{
	struct btrfs_ioctl_vol_args args = { .name = "max" };
	int r = ioctl(fd, BTRFS_IOC_RESIZE, &args);

	if (r < 0)
		return -errno;
	return r > 0 ? -EBUSY : 0; /* BTRFS_ERROR_DEV_EXCL_RUN_IN_PROGRESS */
}
