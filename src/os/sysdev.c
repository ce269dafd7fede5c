/* os/sysdev.c - see sysdev.h */
#include "os/sysdev.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "os/fd.h"

enum {
	UEVENT_MAX = 4096,
	NVIDIA_MAJOR = 195, /* Documentation/admin-guide/devices.txt */
	NVIDIA_CARDS_MAX = 247,
	NVIDIA_MODESET_MINOR = 254,
	NVIDIA_CTL_MINOR = 255
};

void sysdevs_done(struct sysdevs *devs)
{
	vec_for_each(dev, &devs->list) {
		free(dev->devname);
		free(dev->owner);
	}
	free(devs->list.items);
	*devs = (struct sysdevs){ 0 };
}

/* As much as there is room for. */
static void cut(char *out, size_t size, const char *text)
{
	size_t len = MIN(strlen(text), size - 1);

	memcpy(out, text, len);
	out[len] = '\0';
}

/* One line of the file @name of @dir; false when there is none. */
static bool read_line(const char *dir, const char *name, char *out, size_t size)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", dir, name);
	char text[UEVENT_MAX];

	if (fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	cut(out, size, text);
	return true;
}

/* "0x10de" and "10de". */
static bool read_id(const char *dir, const char *name, char out[SYSDEV_ID_LEN])
{
	char text[16];
	const char *digits;

	if (!read_line(dir, name, text, sizeof(text)))
		return false;
	digits = str_after(text, "0x");
	cut(out, SYSDEV_ID_LEN, digits ? digits : text);
	return true;
}

static uint32_t read_number(const char *dir, const char *name)
{
	char text[16];
	uint32_t number;

	return read_line(dir, name, text, sizeof(text)) && parse_u32(text, &number) == 0 ? number
											 : 0;
}

/* The device itself or the nearest above it that says who made it. */
static bool take_owner(const char *dir, struct sysdev *dev)
{
	if (read_id(dir, "idVendor", dev->vendor) && read_id(dir, "idProduct", dev->product)) {
		(void)read_line(dir, "serial", dev->serial, sizeof(dev->serial));
		dev->busnum = read_number(dir, "busnum");
		dev->devnum = read_number(dir, "devnum");
	} else if (read_id(dir, "vendor", dev->vendor) && read_id(dir, "device", dev->product)) {
		cut(dev->pci, sizeof(dev->pci), strrchr(dir, '/') + 1);
	} else {
		return false;
	}
	dev->owner = xstrdup(dir);
	return true;
}

static void find_owner(const char *real, const char *top, struct sysdev *dev)
{
	_cleanup_(freep) char *dir = xstrdup(real);

	while (strlen(dir) > strlen(top) && !take_owner(dir, dev)) {
		dev->vendor[0] = dev->product[0] = '\0';
		*strrchr(dir, '/') = '\0';
	}
}

/* The rest of the first line of @path that begins with @start; NULL: none. */
static char *read_field(const char *path, const char *start)
{
	_cleanup_(strv_freep) char **lines = NULL;
	char text[UEVENT_MAX];

	if (fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) < 0)
		return NULL;
	lines = strv_split(text, "\n");
	for (char **line = lines; line && *line; line++) {
		const char *rest = str_after(*line, start);

		if (rest)
			return xstrdup(rest + strspn(rest, " \t"));
	}
	return NULL;
}

/* DEVNAME of the device's uevent file; a name that leads elsewhere is none. */
static char *read_devname(const char *dir)
{
	_cleanup_(freep) char *path = xasprintf("%s/uevent", dir);
	char *name = read_field(path, "DEVNAME=");

	if (name && !strstr(name, "..") && name[0] != '/' && name[0] != '\0')
		return name;
	free(name);
	return NULL;
}

static void read_subsystem(const char *dir, char *out, size_t size)
{
	_cleanup_(freep) char *path = xasprintf("%s/subsystem", dir);
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n <= 0)
		return;
	target[n] = '\0';
	cut(out, size, strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}

static void add_dev(const char *top, const char *entry_path, const char *number, bool block,
		    struct sysdevs *devs)
{
	_cleanup_(freep) char *real = realpath(entry_path, NULL);
	struct sysdev dev = { .block = block };

	if (!real || !str_after(real, top) ||
	    sscanf(number, "%" SCNu32 ":%" SCNu32, &dev.major, &dev.minor) != 2)
		return;
	dev.devname = read_devname(real);
	if (!dev.devname)
		return;
	read_subsystem(real, dev.subsystem, sizeof(dev.subsystem));
	find_owner(real, top, &dev);
	*vec_push(&devs->list) = dev;
}

static void read_kind(const char *sys_dir, const char *kind, struct sysdevs *devs)
{
	_cleanup_(freep) char *path = xasprintf("%s/dev/%s", sys_dir, kind);
	_cleanup_(freep) char *top_path = xasprintf("%s/devices", sys_dir);
	_cleanup_(freep) char *top = realpath(top_path, NULL);
	DIR *dir = top ? opendir(path) : NULL;

	if (!dir)
		return;
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		_cleanup_(freep) char *entry_path = NULL;

		if (entry->d_name[0] == '.')
			continue;
		entry_path = xasprintf("%s/%s", path, entry->d_name);
		add_dev(top, entry_path, entry->d_name, streq(kind, "block"), devs);
	}
	(void)closedir(dir);
}

/* ---- NVIDIA's driver ---- */

static struct sysdev nvidia_dev(uint32_t major, uint32_t minor)
{
	return (struct sysdev){ .subsystem = SYSDEV_NVIDIA, .major = major, .minor = minor };
}

/* driver/nvidia/gpus/0000:01:00.0/information has "Device Minor: 0". */
static void add_card(const char *sys_dir, const char *gpus_dir, const char *pci,
		     struct sysdevs *devs)
{
	_cleanup_(freep) char *information = xasprintf("%s/%s/information", gpus_dir, pci);
	_cleanup_(freep) char *link = xasprintf("%s/bus/pci/devices/%s", sys_dir, pci);
	_cleanup_(freep) char *text = read_field(information, "Device Minor:");
	_cleanup_(freep) char *dir = realpath(link, NULL);
	struct sysdev dev;
	uint32_t minor;

	if (!text || !dir || parse_u32(text, &minor) < 0 || minor > NVIDIA_CARDS_MAX)
		return;
	dev = nvidia_dev(NVIDIA_MAJOR, minor);
	if (!take_owner(dir, &dev))
		return;
	dev.devname = xasprintf("nvidia%u", minor);
	*vec_push(&devs->list) = dev;
}

/* "511 nvidia-uvm" in /proc/devices; 0: no such driver. */
static uint32_t major_of(const char *proc_dir, const char *name)
{
	_cleanup_(freep) char *path = xasprintf("%s/devices", proc_dir);
	_cleanup_(strv_freep) char **lines = NULL;
	char text[UEVENT_MAX], found[32];
	uint32_t major;

	if (fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	lines = strv_split(text, "\n");
	for (char **line = lines; line && *line; line++)
		if (sscanf(*line, "%" SCNu32 " %31s", &major, found) == 2 && streq(found, name))
			return major;
	return 0;
}

static void add_common(const char *proc_dir, struct sysdevs *devs)
{
	uint32_t uvm = major_of(proc_dir, "nvidia-uvm");
	const struct {
		const char *name;
		uint32_t major, minor;
	} rows[] = {
		{ "nvidiactl", NVIDIA_MAJOR, NVIDIA_CTL_MINOR },
		{ "nvidia-modeset", NVIDIA_MAJOR, NVIDIA_MODESET_MINOR },
		{ "nvidia-uvm", uvm, 0 },
		{ "nvidia-uvm-tools", uvm, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sysdev dev = nvidia_dev(rows[i].major, rows[i].minor);

		if (rows[i].major == 0)
			continue;
		dev.devname = xstrdup(rows[i].name);
		*vec_push(&devs->list) = dev;
	}
}

static void read_nvidia(const char *sys_dir, const char *proc_dir, struct sysdevs *devs)
{
	_cleanup_(freep) char *path = xasprintf("%s/driver/nvidia/gpus", proc_dir);
	size_t before = devs->list.len;
	DIR *dir = opendir(path);

	if (!dir)
		return;
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		if (entry->d_name[0] != '.')
			add_card(sys_dir, path, entry->d_name, devs);
	(void)closedir(dir);
	if (devs->list.len > before)
		add_common(proc_dir, devs);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct sysdev *)a)->devname, ((const struct sysdev *)b)->devname);
}

void sysdevs_read(const char *sys_dir, const char *proc_dir, struct sysdevs *ret_devs)
{
	*ret_devs = (struct sysdevs){ 0 };
	read_kind(sys_dir, "char", ret_devs);
	read_kind(sys_dir, "block", ret_devs);
	read_nvidia(sys_dir, proc_dir, ret_devs);
	if (ret_devs->list.len > 0)
		qsort(ret_devs->list.items, ret_devs->list.len, sizeof(struct sysdev), by_name);
}
