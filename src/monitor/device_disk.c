/*
 * monitor/device_disk.c - devices of type disk: directories and files of the host, tmpfs
 *
 * The source is resolved once, in the host's mount namespace and never through a link: a component
 * may be shared with another container, whose root would else choose what is mounted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/str.h"
#include "monitor/devices.h"
#include "monitor/mon.h"
#include "os/fd.h"
#include "os/mount.h"
#include "os/plug.h"

/* Shifted, the guest's root is root for the files: nothing that it makes may work as device or setid. */
static uint64_t attrs_of(const struct spec_disk *disk)
{
	return disk->attrs | (disk->readonly ? MOUNT_ATTR_RDONLY : 0) |
	       (disk->shift ? MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV : 0);
}

static int make_tmpfs(struct mon *mon, const struct spec_disk *disk, struct err *err)
{
	char uid[16], gid[16], size[32];
	struct mount_opt opts[] = {
		{ "mode", "755" }, { "uid", uid }, { "gid", gid }, { "size", size }
	};
	uid_t ids[2];

	mon_root_ids(mon, ids);
	(void)snprintf(uid, sizeof(uid), "%u", ids[0]);
	(void)snprintf(gid, sizeof(gid), "%u", ids[1]);
	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)disk->size_bytes);
	return mount_new("tmpfs", opts, disk->size_bytes ? 4 : 3,
			 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | attrs_of(disk), err);
}

static struct plug_place place_of(const struct mon *mon, const struct spec_disk *disk)
{
	return (struct plug_place){
		.userns_fd = mon->life.userns_fd,
		.mntns_fd = mon->life.mntns_fd,
		.target = disk->path + strspn(disk->path, "/"),
	};
}

static int plug_tmpfs(struct mon *mon, const struct spec_disk *disk, const struct plug_place *place,
		      uint64_t *ret_id, struct err *err)
{
	_cleanup_(fd_closep) int mount_fd = make_tmpfs(mon, disk, err);

	return mount_fd < 0 ? mount_fd : plug_mount(place, mount_fd, ret_id, err);
}

static int add_disk(struct mon *mon, const void *item, struct err *err)
{
	const struct spec_disk *disk = item;
	struct plug_place place = place_of(mon, disk);
	struct plug_source source = {
		.mntns_fd = mon->host_mntns_fd,
		.path = disk->source,
		.recursive = disk->recursive,
		.follow = disk->follow,
		.spread = disk->spread,
		.shift = disk->shift,
		.attrs = attrs_of(disk),
	};
	struct log_keys keys = mon_keys(mon, "devices");
	uint64_t id;
	int r = disk->source ? plug_source(&place, &source, &id, err)
			     : plug_tmpfs(mon, disk, &place, &id, err);

	if (r == -ENOENT && disk->source && disk->optional) {
		log_info(keys, "device=%s left out: no source \"%s\"", disk->device, disk->source);
		return 0;
	}
	if (r == 0)
		(void)devices_remember(mon, disk->device, id);
	return r;
}

static int remove_disk(struct mon *mon, const void *item, struct err *err)
{
	const struct spec_disk *disk = item;
	struct plug_place place = place_of(mon, disk);
	uint64_t id;
	int r;

	if (!devices_take(mon, disk->device, &id))
		return 0; /* its source was missing */
	r = plug_out(&place, id, false, err);
	if (r < 0)
		(void)devices_remember(mon, disk->device, id);
	return r;
}

const struct device_kind device_kind_disk = {
	.what = "disk",
	.offset = offsetof(struct inst_spec, disks),
	.schema = &spec_disk_schema,
	.late = true,
	.add = add_disk,
	.remove = remove_disk,
};
