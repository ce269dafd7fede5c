/* monitor/initenv.c - see initenv.h */
#include "monitor/initenv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "os/path.h"

static const char *const default_argv[] = { "/sbin/init", NULL };

static const char *const *init_argv(const struct inst_spec *spec)
{
	if (spec->init.argv && spec->init.argv[0])
		return (const char *const *)spec->init.argv;
	return default_argv;
}

const char *initenv_program(const struct inst_spec *spec)
{
	return init_argv(spec)[0];
}

static void push_pair(char ***env, const char *key, const char *value)
{
	strv_push_take(env, xasprintf("%s=%s", key, value));
}

/*
 * container=lxc: systemd takes any word, but OpenRC only turns off what cannot work in a container
 * (hardware, clock, fsck) for names it knows, and "lxc" is what fits us.
 */
void initenv_make(const struct inst_spec *spec, enum initkind kind, char ***ret_argv,
		  char ***ret_env)
{
	char **env = NULL;

	push_pair(&env, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	push_pair(&env, "HOME", "/");
	push_pair(&env, "TERM", "linux");
	push_pair(&env, "container", "lxc");
	if (spec->uuid)
		push_pair(&env, "container_uuid", spec->uuid);
	if (kind == INITKIND_SYSTEMD)
		push_pair(&env, "NOTIFY_SOCKET", "/run/host/notify");
	strmap_for_each(entry, &spec->environment)
	{
		push_pair(&env, entry->key, entry->value);
	}
	*ret_env = env;
	*ret_argv = strv_copy(init_argv(spec));
}

int initenv_sysctl_path(const char *key, char *out, size_t size)
{
	if ((size_t)snprintf(out, size, "%s", key) >= size)
		return -ENAMETOOLONG;
	for (char *p = out; *p; p++) {
		/* As sysctl(8): a slash in the name stands for a dot (vlan interfaces). */
		if (*p == '.')
			*p = '/';
		else if (*p == '/')
			*p = '.';
	}
	return path_is_plain(out) ? 0 : -EINVAL;
}
