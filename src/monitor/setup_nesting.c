/*
 * monitor/setup_nesting.c - phase: directories for the layers of container engines inside
 *
 * With security.nesting and an overlay as root they get what is below the overlay (os/upperdir.h).
 * Where that cannot be the container starts all the same, and the log says why: the engine then
 * chooses another storage driver. /dev/fuse and /dev/net/tun are for everybody inside, whatever the
 * permissions of the host's own.
 */
#include <errno.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/str.h"
#include "monitor/mon.h"
#include "monitor/setup.h"
#include "os/fd.h"
#include "os/plug.h"
#include "os/upperdir.h"

static const struct {
	const char *path;
	mode_t mode;
} nested_dirs[] = {
	{ "var/lib/containerd", 0711 },
	{ "var/lib/containers", 0755 },
	{ "var/lib/docker", 0710 },
};

static const struct {
	const char *path, *source;
	uint32_t minor;
} nested_nodes[] = {
	{ "dev/fuse", "/dev/fuse", 229 },
	{ "dev/net/tun", "/dev/net/tun", 200 },
};

/* Somebody gave it a disk of its own. */
static bool has_disk(const struct mon *mon, const char *path)
{
	vec_for_each(disk, &mon->spec.disks) {
		if (streq(disk->path + 1, path))
			return true;
	}
	return false;
}

static int bind_one(struct mon *mon, const struct upperdir *overlay, const char *path, mode_t mode,
		    struct err *err)
{
	struct plug_place place = {
		.userns_fd = mon->life.userns_fd,
		.mntns_fd = mon->life.mntns_fd,
		.target = path,
	};
	_cleanup_(fd_closep) int mount_fd = upperdir_clone(overlay, path, mode, err);
	uint64_t id;

	return mount_fd < 0 ? mount_fd : plug_mount(&place, mount_fd, &id, err);
}

static void plug_nodes(struct mon *mon, const uid_t root_ids[2])
{
	struct log_keys keys = mon_keys(mon, "bind-nested");

	for (size_t i = 0; i < ARRAY_LEN(nested_nodes); i++) {
		struct plug_place place = {
			.userns_fd = mon->life.userns_fd,
			.mntns_fd = mon->life.mntns_fd,
			.target = nested_nodes[i].path,
		};
		struct plug_node node = {
			.mode = S_IFCHR | 0666,
			.major = 10,
			.minor = nested_nodes[i].minor,
			.uid = root_ids[0],
			.gid = root_ids[1],
		};
		struct err err = { 0 };
		struct stat st;
		uint64_t id;

		if (stat(nested_nodes[i].source, &st) == 0 &&
		    plug_node(&place, &node, &id, &err) < 0)
			log_warn(keys, "/%s: %s", place.target, err.msg);
	}
}

int setup_bind_nested(void *data, struct err *err)
{
	struct mon *mon = data;
	struct log_keys keys = mon_keys(mon, "bind-nested");
	struct upperdir overlay = {
		.root_fd = mon->root_fd,
		.volume_fd = mon->volume_fd,
		.lower_fd = mon->lower_fd,
		.userns_fd = mon->spec.privileged ? -EBADF : mon->life.userns_fd,
	};

	if (!mon->spec.nesting)
		return 0;
	mon_root_ids(mon, overlay.root_ids);
	plug_nodes(mon, overlay.root_ids);
	if (mon->spec.root_kind != ROOT_OVERLAY)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(nested_dirs); i++) {
		const char *path = nested_dirs[i].path;
		int r = has_disk(mon, path)
				? 0
				: bind_one(mon, &overlay, path, nested_dirs[i].mode, err);

		if (r < 0)
			log_warn(keys, "/%s stays on the overlay: %s", path,
				 r == -EEXIST ? "the image has one with content" : err->msg);
		*err = (struct err){ 0 };
	}
	return 0;
}
