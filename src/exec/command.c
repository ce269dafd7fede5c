/* exec/command.c - see command.h */
#include "exec/command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"

enum {
	EXIT_NOT_RUNNABLE = 126,
	EXIT_NOT_FOUND = 127,
};

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
static const char default_shell[] = "/bin/sh";

/* Add "KEY=VALUE"; what has no "=" or an empty key is no variable. */
static void set_variable(struct strmap *map, const char *text)
{
	const char *equals = strchr(text, '=');
	_cleanup_(freep) char *key = NULL;

	if (!equals || equals == text)
		return;
	key = xstrndup(text, (size_t)(equals - text));
	strmap_set(map, key, equals + 1);
}

static void add_base(struct strmap *map, const char *base, size_t base_len)
{
	for (size_t at = 0; at < base_len; at += strlen(base + at) + 1)
		set_variable(map, base + at);
}

static void add_user(struct strmap *map, const struct passwd_entry *user)
{
	strmap_set(map, "HOME", str_empty(user->home) ? "/" : user->home);
	strmap_set(map, "USER", user->name);
	strmap_set(map, "LOGNAME", user->name);
	strmap_set(map, "SHELL", str_empty(user->shell) ? default_shell : user->shell);
}

static char **make_envp(const struct session_spec *spec, const char *base, size_t base_len,
			const struct passwd_entry *user)
{
	struct strmap map = { 0 };
	char **envp = NULL;

	strmap_set(&map, "PATH", default_path);
	strmap_set(&map, "HOME", "/");
	strmap_set(&map, "LANG", "C.UTF-8");
	add_base(&map, base, base_len);
	if (user)
		add_user(&map, user);
	strmap_merge(&map, &spec->environment);
	strmap_for_each(entry, &map)
		strv_push_take(&envp, xasprintf("%s=%s", entry->key, (char *)entry->value));
	strmap_done(&map);
	return envp;
}

static const char *find_variable(char *const *envp, const char *prefix)
{
	for (; envp && *envp; envp++) {
		const char *value = str_after(*envp, prefix);

		if (value)
			return value;
	}
	return NULL;
}

/* The user's shell in place of argv[0], with the "-" that makes it a login shell. */
static void make_login(struct command *command, const struct session_spec *spec,
		       const struct passwd_entry *user)
{
	const char *shell = user && !str_empty(user->shell) ? user->shell : default_shell;
	const char *slash = strrchr(shell, '/');

	replace_str(&command->path, shell);
	strv_push_take(&command->argv, xasprintf("-%s", slash ? slash + 1 : shell));
	for (size_t i = 1; i < strv_len(spec->argv); i++)
		strv_push(&command->argv, spec->argv[i]);
}

int command_make(const struct session_spec *spec, const char *base, size_t base_len,
		 const struct passwd_entry *user, struct command *ret_command)
{
	struct command command = { 0 };

	if (!spec->login_shell && strv_len(spec->argv) == 0)
		return -EINVAL;
	if (spec->login_shell) {
		make_login(&command, spec, user);
	} else {
		command.argv = strv_copy((const char *const *)spec->argv);
		if (strchr(command.argv[0], '/'))
			replace_str(&command.path, command.argv[0]);
	}
	command.envp = make_envp(spec, base, base_len, user);
	command.search_path = find_variable(command.envp, "PATH=");
	*ret_command = command;
	return 0;
}

void command_done(struct command *command)
{
	free(command->path);
	(void)strv_free(command->argv);
	(void)strv_free(command->envp);
	*command = (struct command){ 0 };
}

/* Whether @code only says that the program is not in that directory. */
static bool is_absence(int code)
{
	return code == -ENOENT || code == -ENOTDIR || code == -ENAMETOOLONG;
}

int command_search(const struct command *command, int (*try_fn)(void *data, const char *path),
		   void *data)
{
	const char *dir = command->search_path ? command->search_path : "";
	int result = -ENOENT;

	if (command->path)
		return try_fn(data, command->path);
	if (str_empty(command->argv[0]))
		return -ENOENT;
	while (*dir) {
		size_t len = strcspn(dir, ":");
		char path[PATH_MAX];
		int n = snprintf(path, sizeof(path), "%.*s/%s", (int)len, dir, command->argv[0]);

		/* a relative directory would mean the current one, which is not trusted */
		if (dir[0] == '/' && (size_t)n < sizeof(path)) {
			int r = try_fn(data, path);

			if (!is_absence(r) && result == -ENOENT)
				result = r;
		}
		dir += len + (dir[len] == ':');
	}
	return result;
}

int command_exit_status(int code)
{
	return code == -ENOENT || code == -ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE;
}
