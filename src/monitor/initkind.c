/* monitor/initkind.c - see initkind.h */
#include "monitor/initkind.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "os/fd.h"
#include "os/path.h"

enum {
	RTMIN = 34, /* as glibc and musl count; systemd(1) names its signals from there */
	SYSTEMD_HALT = RTMIN + 3,
	SYSTEMD_REBOOT = RTMIN + 5
};

/* In a container systemd's halt.target ends as power-off does: SIGRTMIN+3 is what all send. */
static const struct initkind_row rows[] = {
	[INITKIND_UNKNOWN] = { "unknown", SIGPWR, SIGINT },
	[INITKIND_SYSTEMD] = { "systemd", SYSTEMD_HALT, SYSTEMD_REBOOT },
	[INITKIND_BUSYBOX] = { "busybox", SIGUSR2, SIGTERM },
	[INITKIND_SYSVINIT] = { "sysvinit", SIGPWR, SIGINT },
	[INITKIND_OPENRC] = { "openrc-init", SIGPWR, SIGINT },
	[INITKIND_RUNIT] = { "runit", SIGCONT, SIGINT },
	[INITKIND_S6] = { "s6", SIGUSR2, SIGINT },
	[INITKIND_DINIT] = { "dinit", SIGTERM, SIGINT },
	[INITKIND_FINIT] = { "finit", SIGUSR2, SIGTERM },
};
static_assert(ARRAY_LEN(rows) == INITKIND_MAX, "one row per kind");

const struct initkind_row *initkind_row(enum initkind kind)
{
	return &rows[kind];
}

enum initkind initkind_classify(const char *target)
{
	/* Last component of the target; an init of its own name is what sysvinit installs. */
	static const struct {
		const char *base;
		enum initkind kind;
	} names[] = {
		{ "systemd", INITKIND_SYSTEMD },
		{ "busybox", INITKIND_BUSYBOX },
		{ "busybox.static", INITKIND_BUSYBOX },
		{ "bbinit", INITKIND_BUSYBOX },
		{ "openrc-init", INITKIND_OPENRC },
		{ "runit-init", INITKIND_RUNIT },
		{ "runit", INITKIND_RUNIT },
		{ "s6-svscan", INITKIND_S6 },
		{ "s6-linux-init", INITKIND_S6 },
		{ "dinit", INITKIND_DINIT },
		{ "finit", INITKIND_FINIT },
		{ "init", INITKIND_SYSVINIT },
		{ "sysvinit", INITKIND_SYSVINIT },
	};
	const char *slash = strrchr(target, '/');
	const char *base = slash ? slash + 1 : target;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (streq(base, names[i].base))
			return names[i].kind;
	return INITKIND_UNKNOWN;
}

enum initkind initkind_detect(int root_fd, const char *init)
{
	_cleanup_(fd_closep) int fd = path_open_in_root(root_fd, init, O_PATH, 0);
	char link[64], target[PATH_MAX];

	if (fd < 0)
		return INITKIND_UNKNOWN;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (path_read_link(AT_FDCWD, link, target, sizeof(target)) < 0)
		return INITKIND_UNKNOWN;
	return initkind_classify(target);
}
