/* monitor/child_exec.c - phases of the child: the last steps inside the new root */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "monitor/child_phases.h"
#include "monitor/initenv.h"
#include "monitor/mon.h"
#include "monitor/sync.h"
#include "os/caps.h"
#include "os/fd.h"
#include "os/ns.h"
#include "os/reset.h"
#include "os/seccomp.h"
#include "os/unotify.h"

int child_set_hostname(void *data, struct err *err)
{
	struct child *child = data;
	const char *name = child->mon->spec.hostname;
	int r = name ? ns_set_hostname(name) : 0;

	return r < 0 ? err_set(err, r, "set host name \"%s\"", name) : 0;
}

/* /proc is our own and fresh; nobody else has seen it yet. */
int child_set_sysctls(void *data, struct err *err)
{
	struct child *child = data;
	_cleanup_(fd_closep) int dir_fd = -EBADF;

	if (child->mon->spec.sysctls.len == 0)
		return 0;
	dir_fd = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_set(err, -errno, "open /proc/sys");
	strmap_for_each(entry, &child->mon->spec.sysctls)
	{
		char path[256];
		int r = initenv_sysctl_path(entry->key, path, sizeof(path));

		if (r == 0)
			r = fd_write_file_at(dir_fd, path, entry->value);
		if (r < 0)
			return err_set(err, r, "linux.sysctl.%s=%s", entry->key,
				       (const char *)entry->value);
	}
	return 0;
}

int child_await_go(void *data, struct err *err)
{
	struct child *child = data;
	int r = sync_send(child->sync_fd, SYNC_PIVOTED, -EBADF, NULL);

	if (r == 0)
		r = sync_expect(child->sync_fd, SYNC_GO, NULL);
	return r < 0 ? err_set(err, r, "wait for the monitor") : 0;
}

/*
 * 0, 1, 2 of init; its own session, but not its controlling terminal: a getty takes that, and could
 * not from init.
 */
int child_take_console(void *data, struct err *err)
{
	struct child *child = data;

	(void)setsid(); /* fails when this process leads one already */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup3(child->console_fd, fd, 0) < 0)
			return err_set(err, -errno, "console as descriptor %d", fd);
	return 0;
}

int child_reset(void *data, struct err *err)
{
	struct child *child = data;
	const struct inst_spec *spec = &child->mon->spec;
	enum initkind kind = initkind_detect(child->root_fd, initenv_program(spec));

	initenv_make(spec, kind, &child->init_argv, &child->init_env);
	return reset_inherited(err);
}

int child_drop_caps(void *data, struct err *err)
{
	int r = caps_drop(caps_dropped_mask());

	(void)data; /* the set is the same for all */
	return r < 0 ? err_set(err, r, "drop capabilities") : 0;
}

int child_install_seccomp(void *data, struct err *err)
{
	struct child *child = data;
	const struct buf *filter = &child->mon->spec.seccomp;
	uint32_t calls = intercept_wanted(child->mon);
	_cleanup_(fd_closep) int listener_fd = calls ? unotify_listen(calls) : -EBADF;
	int r = sync_send(child->sync_fd, SYNC_EXEC, listener_fd, NULL);

	if (r < 0)
		return err_set(err, r, "tell the monitor");
	r = seccomp_install(filter->data, filter->len);
	return r < 0 ? err_set(err, r, "install the filter") : 0;
}

int child_exec(void *data, struct err *err)
{
	struct child *child = data;
	int r = fd_cloexec_from(STDERR_FILENO + 1);

	if (r < 0)
		return err_set(err, r, "close descriptors");
	(void)execve(child->init_argv[0], child->init_argv, child->init_env);
	return err_set(err, -errno, "\"%s\"", child->init_argv[0]);
}
