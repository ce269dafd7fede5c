/*
 * monitor/initkind.h - which init a root file system has, and how that one is told to halt
 *
 * Layer: monitor. initkind_classify() is pure; initkind_detect() reads one name inside the root.
 */
#pragma once

#include "base/err.h"

enum initkind {
	INITKIND_UNKNOWN,
	INITKIND_SYSTEMD,
	INITKIND_BUSYBOX, /* also below OpenRC on Alpine */
	INITKIND_SYSVINIT,
	INITKIND_OPENRC, /* openrc-init */
	INITKIND_RUNIT,
	INITKIND_S6,
	INITKIND_DINIT,
	INITKIND_FINIT,
	INITKIND_MAX
};

struct initkind_row {
	const char *name;
	int halt_signal;   /* asks for power-off */
	int reboot_signal; /* 0: none known */
};
const struct initkind_row *initkind_row(enum initkind kind);

/* @target: what the init's links lead to at last, as a path inside the root ("/bin/busybox"). */
enum initkind initkind_classify(const char *target);

/*
 * Look at @init ("/sbin/init") inside the root; links are followed inside of it, nothing is run.
 * INITKIND_UNKNOWN when it is not there.
 */
enum initkind initkind_detect(int root_fd, const char *init);
