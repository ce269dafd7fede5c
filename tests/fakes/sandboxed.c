/*
 * tests/fakes/sandboxed.c - what a process in a sandbox can see and do (tests/system/sandbox.bats)
 *
 * sandboxed parser|build DIR: runs a body in os/sandbox with DIR as root (parser), or with the host
 * read-only and DIR on /mnt (build), and prints one line per attempt.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "os/fd.h"
#include "os/sandbox.h"

static void show(const char *what, long r)
{
	printf("%s %s\n", what, r < 0 ? strerror(errno) : "ok");
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int try_all(void *data)
{
	const char *dir = data;
	char *const argv[] = { (char[]){ "true" }, NULL };
	char path[64];

	(void)alarm(20);
	printf("uid %u pid %d fds %d\n", getuid(), getpid(), count_fds());
	(void)snprintf(path, sizeof(path), "%s/made", dir);
	show("write", open(path, O_WRONLY | O_CREAT, 0600));
	show("chown", chown(path, 65535, 7));
	show("chown-outside", chown(path, 70000, 7));
	show("shadow", open("/etc/shadow", O_RDONLY));
	show("canary", open("/srv/canary/f", O_RDONLY));
	show("write-host", open("/etc/sysctr-canary", O_WRONLY | O_CREAT, 0600));
	show("socket", socket(AF_INET, SOCK_STREAM, 0));
	show("ptrace", ptrace(PTRACE_TRACEME, 0, 0, 0));
	show("unshare", unshare(CLONE_NEWUSER));
	show("mknod", mknod("/tmp/sda", S_IFBLK | 0600, 0x800));
	show("keyctl", syscall(SYS_keyctl, 0, 0, 0, 0, 0));
	show("bpf", syscall(SYS_bpf, 0, NULL, 0));
	show("handle", syscall(SYS_open_by_handle_at, 0, NULL, 0));
	(void)fflush(stdout);
	show("exec", execv("/bin/true", argv));
	(void)fflush(stdout);
	return 7;
}

int main(int argc, char **argv)
{
	static const char *const tmpfs[] = { "/tmp" };
	bool build = argc == 3 && streq(argv[1], "build");
	struct sandbox_bind binds[] = {
		{ "/", -EBADF, "/", true, false, true },
		{ argc == 3 ? argv[2] : "", -EBADF, build ? "/mnt" : "/", false, true, false },
	};
	struct sandbox_plan plan = {
		.name = "sandboxed",
		.id_base = 1879048192,
		.id_count = 65536,
		.binds = build ? binds : binds + 1,
		.n_binds = build ? 2 : 1,
		.tmpfs = tmpfs,
		.n_tmpfs = build ? 1 : 0,
		.proc = build,
		.filter = build ? SANDBOX_FILTER_BUILD : SANDBOX_FILTER_PARSER,
	};
	struct sandbox sandbox;
	struct err err = { 0 };

	if (argc != 3)
		return 2;
	int r = sandbox_start(&plan, try_all, build ? (char[]){ "/mnt" } : (char[]){ "" }, &sandbox,
			      &err);
	if (r == 0)
		r = sandbox_wait(&sandbox, &err);
	if (r < 0)
		(void)fprintf(stderr, "%s\n", err_text(&err, r));
	printf("status %d\n", r);
	return r < 0;
}
