/*
 * monitor/mknod.c - mknod(2) of devices that anybody may have; see intercept.h
 *
 * The kernel lets nobody make a device in a user namespace. These few do what files could do as well,
 * and who builds a root file system inside needs them. All that an answerer adds is CAP_MKNOD: it has
 * the caller's ids, root directory and umask, and no other capability.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/parse.h"
#include "base/str.h"
#include "monitor/intercept.h"
#include "monitor/mon.h"
#include "os/fd.h"
#include "os/nodemake.h"

enum {
	STATUS_LEN = 4096,
	PROC_PATH_LEN = 64
};

/* Documentation/admin-guide/devices.txt */
static const struct {
	unsigned int major, minor;
} harmless[] = {
	{ 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 }, { 1, 9 }, { 5, 0 }, { 5, 1 },
};

struct request {
	int dir_fd; /* of the caller; AT_FDCWD */
	uint64_t path_address;
	mode_t mode;
	dev_t dev;
};

struct caller {
	struct nodemake_owner owner;
	uint64_t caps;
};

static struct request request_of(const struct unotify_call *call)
{
	bool at = call->nr == SYS_mknodat;
	const uint64_t *args = call->args + (at ? 1 : 0);

	return (struct request){
		.dir_fd = at ? (int)call->args[0] : AT_FDCWD,
		.path_address = args[0],
		.mode = (mode_t)args[1],
		.dev = makedev((args[2] >> 8) & 0xfff,
			       (args[2] & 0xff) | ((args[2] >> 12) & 0xfff00)),
	};
}

static bool is_harmless(const struct request *request)
{
	for (size_t i = 0; S_ISCHR(request->mode) && i < ARRAY_LEN(harmless); i++)
		if (major(request->dev) == harmless[i].major &&
		    minor(request->dev) == harmless[i].minor)
			return true;
	return false;
}

static int open_of(pid_t pid, const char *name, int flags)
{
	char path[PROC_PATH_LEN];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Word @index behind "Name:" of /proc/PID/status. */
static int read_word(char *const *lines, const char *name, size_t index, const char **ret_word)
{
	for (; *lines; lines++) {
		const char *rest = str_after(*lines, name);

		for (size_t i = 0; rest && i < index; i++) {
			rest += strspn(rest, " \t");
			rest += strcspn(rest, " \t");
		}
		if (!rest)
			continue;
		*ret_word = rest + strspn(rest, " \t");
		return 0;
	}
	return -EBADMSG;
}

static int read_number(char *const *lines, const char *name, size_t index, int base,
		       uint64_t *ret_number)
{
	const char *word = NULL;
	int r = read_word(lines, name, index, &word);

	if (r == 0)
		*ret_number = strtoull(word, NULL, base);
	return r;
}

static int read_status(pid_t pid, struct caller *caller)
{
	_cleanup_(fd_closep) int fd = open_of(pid, "status", O_RDONLY);
	_cleanup_(strv_freep) char **lines = NULL;
	char text[STATUS_LEN];
	uint64_t uid = 0, gid = 0, mask = 0;
	ssize_t n = fd < 0 ? fd : read(fd, text, sizeof(text) - 1);
	int r;

	if (n <= 0)
		return n < 0 ? -errno : -EBADMSG;
	text[n] = '\0';
	lines = strv_split(text, "\n");
	r = read_number(lines, "Uid:", 3, 10, &uid);
	if (r == 0)
		r = read_number(lines, "Gid:", 3, 10, &gid);
	if (r == 0)
		r = read_number(lines, "CapEff:", 0, 16, &caller->caps);
	if (r == 0)
		r = read_number(lines, "Umask:", 0, 8, &mask);
	caller->owner.fsuid = (uint32_t)uid;
	caller->owner.fsgid = (uint32_t)gid;
	caller->owner.umask = (uint32_t)mask;
	return r;
}

/* What it may is what it may in the container's user namespace, not in one that it made. */
static bool is_in(pid_t pid, int userns_fd)
{
	_cleanup_(fd_closep) int fd = open_of(pid, "ns/user", O_RDONLY);
	struct stat own, its;

	if (userns_fd < 0 || fd < 0 || fstat(userns_fd, &own) < 0 || fstat(fd, &its) < 0)
		return false;
	return own.st_dev == its.st_dev && own.st_ino == its.st_ino;
}

static int read_caller(const struct mon *mon, pid_t pid, int dir_fd, struct caller *caller)
{
	char name[PROC_PATH_LEN] = "cwd";
	int r = read_status(pid, caller);

	if (r == 0 &&
	    !(caller->caps & (UINT64_C(1) << CAP_MKNOD) && is_in(pid, mon->life.userns_fd)))
		r = -EPERM;
	if (r < 0)
		return r;
	if (dir_fd != AT_FDCWD)
		(void)snprintf(name, sizeof(name), "fd/%d", dir_fd);
	caller->owner.root_fd = open_of(pid, "root", O_PATH | O_DIRECTORY);
	caller->owner.dir_fd = open_of(pid, name, O_PATH | O_DIRECTORY);
	return MIN(caller->owner.root_fd, 0);
}

void mknod_answer(const struct mon *mon, int listener_fd, const struct unotify_call *call)
{
	struct caller caller = { .owner = { .root_fd = -EBADF, .dir_fd = -EBADF } };
	const struct request request = request_of(call);
	char path[PATH_MAX];

	if (!is_harmless(&request) || read_caller(mon, call->pid, request.dir_fd, &caller) < 0 ||
	    unotify_read_text(listener_fd, call, request.path_address, path, sizeof(path)) < 0 ||
	    path[0] == '\0' || (path[0] != '/' && caller.owner.dir_fd < 0) ||
	    !unotify_is_valid(listener_fd, call) || nodemake_become(&caller.owner) < 0)
		unotify_pass(listener_fd, call); /* Y1 */
	else
		unotify_answer(listener_fd, call, nodemake(path, request.mode, request.dev));
}
