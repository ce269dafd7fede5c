/*
 * os/sysdev.h - device nodes that the host has, and what they are nodes of, by sysfs
 *
 * Layer os; sysctrd. Reads a few files per node: only for those that ask for devices by their ids.
 * NVIDIA's own driver does not tell sysfs of its nodes: they are known by /proc and by the numbers that
 * the driver's manual gives them (README, "How and why do I create the device files?").
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"

enum {
	SYSDEV_ID_LEN = 5,
	SYSDEV_PCI_LEN = 13,
	SYSDEV_TEXT_LEN = 128
};

#define SYSDEV_NVIDIA \
	"nvidia" /* subsystem; those without an owner go with every card of the driver */

struct sysdev {
	bool block;
	uint32_t major, minor;
	char *devname; /* below /dev: "bus/usb/001/004", "dri/card0" */
	char *owner;   /* the device that it is a part of, as a directory of sysfs; NULL: none */
	char subsystem[32];				    /* "usb", "drm", "tty" */
	char vendor[SYSDEV_ID_LEN], product[SYSDEV_ID_LEN]; /* of the owner; hex, lower case; "" */
	char pci[SYSDEV_PCI_LEN];			    /* "0000:01:00.0", or "" */
	char serial[SYSDEV_TEXT_LEN];
	uint32_t busnum, devnum; /* of usb devices */
};
struct sysdevs {
	VEC(struct sysdev) list;
};
void sysdevs_done(struct sysdevs *devs);

/* All of them; @sys_dir: "/sys", @proc_dir: "/proc". What cannot be read is left out. */
void sysdevs_read(const char *sys_dir, const char *proc_dir, struct sysdevs *ret_devs);
