/* core/hotplug.c - see hotplug.h */
#include "core/hotplug.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>

#include "aio/loop.h"
#include "aio/poll.h"
#include "aio/timer.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/inst.h"
#include "os/fd.h"
#include "os/path.h"
#include "os/sysdev.h"
#include "os/uevent.h"
#include "spec/device.h"
#include "spec/hotdev.h"
#include "spec/keys.h"

#define SETTLE_NS (200 * (uint64_t)NS_PER_MS) /* udev and the rest of the device follow */
#define BUSY_NS	  (500 * (uint64_t)NS_PER_MS) /* an instance is being edited */

struct hotplug {
	struct core *core;
	int fd;
	struct aio_poll *poll;
	struct aio_timer settle;
};

static bool is(const struct strmap *device, const char *key, const char *value)
{
	const char *wish = device_get(device, key, "");

	return str_empty(wish) || streq(wish, value);
}

static bool is_number(const struct strmap *device, const char *key, uint32_t value)
{
	return str_empty(device_get(device, key, "")) ||
	       keys_get_int(device, key, 0) == (int64_t)value;
}

static bool is_made_by(const struct strmap *device, const struct sysdev *dev)
{
	return is(device, "vendorid", dev->vendor) && is(device, "productid", dev->product) &&
	       is(device, "pci", dev->pci);
}

/* The card of that number, and what else is a node of the same device. */
static bool is_of_card(const struct sysdevs *devs, const struct sysdev *dev, const char *id)
{
	_cleanup_(freep) char *card = xasprintf("dri/card%s", id);

	if (streq(dev->devname, card))
		return true;
	vec_for_each(other, &devs->list)
		if (streq(other->devname, card))
			return other->owner && streq(other->owner, dev->owner);
	return false;
}

/* The card's own: what it draws with, or the node of NVIDIA's driver. */
static bool is_card_node(const struct sysdevs *devs, const struct sysdev *dev,
			 const struct strmap *device)
{
	const char *id = device_get(device, "id", "");
	bool drm = streq(dev->subsystem, "drm") && str_after(dev->devname, "dri/");
	bool nvidia = streq(dev->subsystem, SYSDEV_NVIDIA) && dev->owner;

	return (drm || nvidia) && is_made_by(device, dev) &&
	       (str_empty(id) || is_of_card(devs, dev, id));
}

static bool is_gpu_node(const struct sysdevs *devs, const struct sysdev *dev,
			const struct strmap *device)
{
	if (!streq(dev->subsystem, SYSDEV_NVIDIA) || dev->owner)
		return is_card_node(devs, dev, device);
	vec_for_each(other, &devs->list)
		if (streq(other->subsystem, SYSDEV_NVIDIA) && is_card_node(devs, other, device))
			return true;
	return false;
}

static bool matches(const struct sysdevs *devs, const struct sysdev *dev,
		    const struct strmap *device)
{
	const char *type = device_get(device, "type", "");

	if (streq(type, "gpu"))
		return is_gpu_node(devs, dev, device);
	if (streq(type, "usb"))
		return keys_get_bool(device, "attached", true) && streq(dev->subsystem, "usb") &&
		       str_after(dev->devname, "bus/usb/") && is_made_by(device, dev) &&
		       is(device, "serial", dev->serial) &&
		       is_number(device, "busnum", dev->busnum) &&
		       is_number(device, "devnum", dev->devnum);
	return !streq(dev->subsystem, "usb") && dev->owner && is_made_by(device, dev);
}

static void add_node(const char *name, const struct strmap *device, const struct sysdev *dev,
		     struct inst_spec *spec)
{
	struct spec_node *node = vec_push(&spec->nodes);

	node->device = xasprintf("%s:/dev/%s", name, dev->devname);
	node->path = xasprintf("/dev/%s", dev->devname);
	node->block = dev->block;
	node->numbered = true;
	node->major = dev->major;
	node->minor = dev->minor;
	node->uid = (uint32_t)keys_get_int(device, "uid", 0);
	node->gid = (uint32_t)keys_get_int(device, "gid", 0);
	(void)parse_octal(device_get(device, "mode", "0660"), 0777, &node->mode);
}

/* Two devices may mean the same node: the first has it. */
static bool has_path(const struct inst_spec *spec, const char *devname)
{
	vec_for_each(node, &spec->nodes) {
		const char *rest = str_after(node->path, "/dev/");

		if (rest && streq(rest, devname))
			return true;
	}
	return false;
}

static bool has_hotdevs(const struct inst *inst)
{
	strmap_for_each(entry, &inst->expanded.devices)
	{
		if (hotdev_is(entry->value))
			return true;
	}
	return false;
}

static void read_host(const struct inst *inst, struct sysdevs *devs)
{
	const struct core *core = inst->core;

	sysdevs_read(core->sys_dir ? core->sys_dir : "/sys",
		     core->proc_dir ? core->proc_dir : "/proc", devs);
}

void hotplug_fill(const struct inst *inst, struct inst_spec *spec)
{
	struct sysdevs devs;

	if (!has_hotdevs(inst))
		return;
	read_host(inst, &devs);
	strmap_for_each(entry, &inst->expanded.devices)
	{
		vec_for_each(dev, &devs.list)
			if (hotdev_is(entry->value) && matches(&devs, dev, entry->value) &&
			    !has_path(spec, dev->devname))
				add_node(entry->key, entry->value, dev, spec);
	}
	sysdevs_done(&devs);
}

static bool is_there(const struct sysdevs *devs, const struct strmap *device)
{
	vec_for_each(dev, &devs->list)
		if (matches(devs, dev, device))
			return true;
	return false;
}

int hotplug_check(const struct inst *inst, struct err *err)
{
	struct sysdevs devs;
	int r = 0;

	if (!has_hotdevs(inst))
		return 0;
	read_host(inst, &devs);
	strmap_for_each(entry, &inst->expanded.devices)
	{
		const struct strmap *device = entry->value;

		if (r == 0 && hotdev_is(device) && hotdev_is_required(device) &&
		    !is_there(&devs, device))
			r = err_kind(
				err, ERR_INVALID,
				"device \"%s\": the host has no such %s device (required=false "
				"waits for it)",
				entry->key, device_get(device, "type", ""));
	}
	sysdevs_done(&devs);
	return r;
}

/* As the monitor looks it up: links in /dev only. */
bool hotplug_has_node(const char *source)
{
	uint64_t resolve = RESOLVE_NO_MAGICLINKS;
	_cleanup_(fd_closep) int fd = -EBADF;

	if (!str_after(source, "/dev/"))
		resolve |= RESOLVE_NO_SYMLINKS;
	fd = path_openat2(AT_FDCWD, source, O_PATH | O_CLOEXEC, 0, resolve);
	return fd != -ENOENT;
}

/* For its monitor the same spec again is nothing to do. A device that comes and goes, or a node of the host that need not be there. */
static bool may_change(const struct inst *inst)
{
	strmap_for_each(entry, &inst->expanded.devices)
	{
		const char *type = device_get(entry->value, "type", "");

		if (hotdev_is(entry->value))
			return true;
		if ((streq(type, "unix-char") || streq(type, "unix-block")) &&
		    !keys_get_bool(entry->value, "required", true))
			return true;
	}
	return false;
}

static void on_settled(void *data)
{
	struct hotplug *hotplug = data;
	bool again = false;

	strmap_for_each(entry, &hotplug->core->instances)
	{
		struct inst *inst = entry->value;

		if (!inst->conn || inst->releasing || !may_change(inst))
			continue;
		/* What an edit does may be taken back: it is looked at when that is over. */
		if (inst->op)
			again = true;
		else
			inst_push_spec(inst);
	}
	if (again)
		aio_timer_start(hotplug->core->loop, &hotplug->settle, BUSY_NS, on_settled,
				hotplug);
}

static void on_event(void *data, unsigned int ready)
{
	struct hotplug *hotplug = data;

	(void)ready;
	if (uevent_read(hotplug->fd) == 1)
		aio_timer_start(hotplug->core->loop, &hotplug->settle, SETTLE_NS, on_settled,
				hotplug);
}

struct hotplug *hotplug_new(struct core *core)
{
	struct hotplug *hotplug = xcalloc(1, sizeof(*hotplug));

	hotplug->core = core;
	hotplug->fd = uevent_open();
	if (hotplug->fd >= 0)
		hotplug->poll = aio_poll_new(core->loop, hotplug->fd, on_event, hotplug);
	if (hotplug->poll)
		aio_poll_set(hotplug->poll, AIO_READ);
	else
		log_warn(LOG_NONE, "no events of devices: those that come later are not seen");
	/* What came while nobody listened. */
	aio_timer_start(core->loop, &hotplug->settle, BUSY_NS, on_settled, hotplug);
	return hotplug;
}

struct hotplug *hotplug_free(struct hotplug *hotplug)
{
	if (!hotplug)
		return NULL;
	aio_timer_stop(&hotplug->settle);
	hotplug->poll = aio_poll_free(hotplug->poll);
	(void)fd_close(hotplug->fd);
	free(hotplug);
	return NULL;
}
