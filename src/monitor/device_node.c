/*
 * monitor/device_node.c - devices of type unix-char and unix-block: a device node inside
 *
 * The node is new, on a file system of its own, with the owner and permissions that were asked for;
 * the host's own node lends its number at most. What may be opened is said by the device program of
 * the container's cgroup, which is exchanged at the same time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/str.h"
#include "monitor/devices.h"
#include "monitor/mon.h"
#include "monitor/setup.h"
#include "os/fd.h"
#include "os/path.h"
#include "os/plug.h"

/*
 * Links are followed in the host's /dev, where udev makes them; elsewhere a guest may have made them.
 * Returns: 0, -ENOENT with a message.
 */
static int stat_source(const struct spec_node *node, struct stat *ret_st, struct err *err)
{
	uint64_t resolve = str_after(node->source, "/dev/")
				   ? RESOLVE_NO_MAGICLINKS
				   : RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	_cleanup_(fd_closep) int fd =
		path_openat2(AT_FDCWD, node->source, O_PATH | O_CLOEXEC, 0, resolve);

	if (fd < 0 || fstat(fd, ret_st) < 0) {
		int code = fd < 0 ? fd : -errno;

		(void)err_kind(err, ERR_INVALID, "source \"%s\": %s", node->source,
			       strerror(-code));
		return code;
	}
	if (!(node->block ? S_ISBLK(ret_st->st_mode) : S_ISCHR(ret_st->st_mode)))
		return err_kind(err, ERR_INVALID, "source \"%s\" is no %s device", node->source,
				node->block ? "block" : "character");
	return 0;
}

static int describe(struct mon *mon, const struct spec_node *node, struct plug_node *ret_plug,
		    struct err *err)
{
	struct stat st = { .st_rdev = makedev(node->major, node->minor) };
	uid_t owner[2];
	int r = node->numbered ? 0 : stat_source(node, &st, err);

	if (r < 0)
		return r;
	if (!mon->spec.privileged && MAX(node->uid, node->gid) >= mon->spec.id_count)
		return err_kind(err, ERR_INVALID, "uid and gid must be below %u",
				mon->spec.id_count);
	mon_host_ids(mon, node->uid, node->gid, owner);
	*ret_plug = (struct plug_node){
		.mode = (node->block ? S_IFBLK : S_IFCHR) | node->mode,
		.major = major(st.st_rdev),
		.minor = minor(st.st_rdev),
		.uid = owner[0],
		.gid = owner[1],
	};
	return 0;
}

static struct plug_place place_of(const struct mon *mon, const struct spec_node *node)
{
	return (struct plug_place){
		.userns_fd = mon->life.userns_fd,
		.mntns_fd = mon->life.mntns_fd,
		.target = node->path + strspn(node->path, "/"),
	};
}

static int add_node(struct mon *mon, const void *item, struct err *err)
{
	const struct spec_node *node = item;
	struct plug_place place = place_of(mon, node);
	struct log_keys keys = mon_keys(mon, "devices");
	struct plug_node plug;
	uint64_t id;
	int r = describe(mon, node, &plug, err);

	if (r == -ENOENT && node->optional) {
		log_info(keys, "device=%s left out: no \"%s\"", node->device, node->source);
		return 0;
	}
	if (r == 0)
		r = plug_node(&place, &plug, &id, err);
	if (r < 0)
		return r;
	devices_remember(mon, node->device, id)->rule = (struct bpfdev_rule){
		.type = node->block ? 'b' : 'c',
		.major = (int32_t)plug.major,
		.minor = (int32_t)plug.minor,
		.access = BPFDEV_ALL,
	};
	r = setup_apply_device_rules(mon, err);
	if (r < 0 && devices_take(mon, node->device, &id))
		(void)plug_out(&place, id, true, NULL);
	return r;
}

static int remove_node(struct mon *mon, const void *item, struct err *err)
{
	const struct spec_node *node = item;
	struct plug_place place = place_of(mon, node);
	uint64_t id;
	int r;

	if (!devices_take(mon, node->device, &id))
		return 0; /* the host had none */
	r = setup_apply_device_rules(mon, err);
	return r < 0 ? r : plug_out(&place, id, true, err);
}

const struct device_kind device_kind_node = {
	.what = "unix",
	.offset = offsetof(struct inst_spec, nodes),
	.schema = &spec_node_schema,
	.late = true,
	.add = add_node,
	.remove = remove_node,
};
