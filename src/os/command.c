/* os/command.c - see command.h */
#include "os/command.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL
};

static const char *const places[] = { "/usr/local/sbin/", "/usr/sbin/", "/sbin/",
				      "/usr/bin/",	  "/bin/",	NULL };

static int spawn(const char *const *argv, const char *path, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r == 0)
		r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY,
						     0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn(ret_pid, path, &actions, NULL, (char *const *)argv,
				(char *const *)environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int command_run(const char *const *argv)
{
	int status, r = -ENOENT;
	pid_t pid = 0;
	char path[64];

	for (const char *const *place = places; *place && r == -ENOENT; place++) {
		(void)snprintf(path, sizeof(path), "%s%s", *place, argv[0]);
		r = spawn(argv, path, &pid);
	}
	if (r < 0)
		return r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
