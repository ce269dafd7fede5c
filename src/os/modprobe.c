/* os/modprobe.c - see modprobe.h */
#include "os/modprobe.h"

#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"

static bool is_loaded(const char *name)
{
	char path[128];
	int n = snprintf(path, sizeof(path), "/sys/module/%s", name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return false;
	for (char *p = path + sizeof("/sys/module/") - 1; *p; p++)
		if (*p == '-')
			*p = '_'; /* the kernel's spelling */
	return access(path, F_OK) == 0;
}

static const char *find_modprobe(void)
{
	static const char *const places[] = { "/usr/sbin/modprobe", "/sbin/modprobe" };

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

int modprobe_load(const char *name, struct err *err)
{
	const char *program = find_modprobe();
	const char *argv[] = { "modprobe", "-q", "--", name, NULL };
	const char *env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	int status = -1, r;
	pid_t pid;

	if (is_loaded(name))
		return 0;
	if (!program)
		return err_kind(err, ERR_UNSUPPORTED,
				"kernel module \"%s\" is not loaded, and there is no modprobe",
				name);
	r = posix_spawn(&pid, program, NULL, NULL, (char *const *)argv, (char *const *)env);
	if (r != 0)
		return err_set(err, -r, "run %s", program);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, -errno, "wait for %s", program);
	if (status == 0 || is_loaded(name))
		return 0;
	return err_kind(err, ERR_UNSUPPORTED, "kernel module \"%s\" cannot be loaded on this host",
			name);
}
