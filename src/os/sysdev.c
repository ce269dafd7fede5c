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
	UEVENT_MAX = 4096
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

/* DEVNAME of the device's uevent file; a name that leads elsewhere is none. */
static char *read_devname(const char *dir)
{
	_cleanup_(freep) char *path = xasprintf("%s/uevent", dir);
	_cleanup_(strv_freep) char **lines = NULL;
	char text[UEVENT_MAX];

	if (fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) < 0)
		return NULL;
	lines = strv_split(text, "\n");
	for (char **line = lines; line && *line; line++) {
		const char *name = str_after(*line, "DEVNAME=");

		if (name && !strstr(name, "..") && name[0] != '/' && name[0] != '\0')
			return xstrdup(name);
	}
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

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct sysdev *)a)->devname, ((const struct sysdev *)b)->devname);
}

void sysdevs_read(const char *sys_dir, struct sysdevs *ret_devs)
{
	*ret_devs = (struct sysdevs){ 0 };
	read_kind(sys_dir, "char", ret_devs);
	read_kind(sys_dir, "block", ret_devs);
	if (ret_devs->list.len > 0)
		qsort(ret_devs->list.items, ret_devs->list.len, sizeof(struct sysdev), by_name);
}
