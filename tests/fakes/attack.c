/*
 * tests/fakes/attack.c - what a hostile root inside of a container tries against those who enter
 *
 *   attack watch SECONDS   look at each new process: trace it, open its descriptors, its program for
 *                          writing, its memory; make its program's mount writable. Prints
 *                          "seen=N exe=N traced=N fds=N mem=N written=N remounted=N"; "exe" counts
 *                          programs that are none of the container's files
 *   attack flip PATH TARGET SECONDS
 *                          make PATH a directory, then a link to TARGET, again and again. Prints
 *                          "flips=N"
 *   attack swap DIR N      exchange DIR/x and DIR/y N times, for those who go there by path. Prints
 *                          "swaps=N"
 *   attack addresses       ask sysinfo(2) to write to what is no memory. Prints
 *                          "null=ERRNO kernel=ERRNO unmapped=ERRNO"
 *   attack stall DIR       serve a file system on DIR by /dev/myfuse that lets reads hang, and have
 *                          sysinfo(2) write to memory of a file of it
 *   attack hang DIR        the same, and wait itself for such memory, holding the other end: it
 *                          does not end when it is killed
 *   attack ask N CALLS     N processes that call it so often; prints how many answers were wrong
 *   attack tiocsti         type into the terminal. Prints "tiocsti=ERRNO tioclinux=ERRNO"
 *
 * Static: it has only itself in there.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	PIDS_MAX = 4194304
};

struct counts {
	int seen, exe, traced, fds, mem, written, remounted;
};

static void try_program(int pid, struct counts *counts)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };
	char path[64], target[256];
	int fd, write_fd;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	if (strstr(target, "sysctr-exec")) {
		counts->exe++;
		write_fd = open(path, O_WRONLY | O_CLOEXEC);
		counts->written += write_fd >= 0;
		(void)close(write_fd);
		if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0)
			counts->remounted++;
	}
	(void)close(fd);
}

/*
 * Whether there is something to be had from it: it is not dumpable, or its program is not the
 * container's. A process that has ended has no program any more (ENOENT), which proves nothing; nor
 * does EACCES of one that is reaped meanwhile.
 */
static bool is_foreign(int pid)
{
	char path[64], target[256];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return errno == EACCES && (kill(pid, 0) == 0 || errno == EPERM);
	target[n] = '\0';
	return strstr(target, "sysctr-exec") != NULL;
}

static bool can_list_fds(int pid)
{
	char path[64];
	DIR *dir;
	bool listed;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	listed = dir && readdir(dir);
	if (dir)
		(void)closedir(dir);
	return listed;
}

static bool can_open_mem(int pid)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	(void)close(fd);
	return fd >= 0;
}

/*
 * Stopped before its exec? (The event of an exec proves nothing: the kernel lets a tracer attach to
 * the new program before it tells of it.)
 */
static bool can_trace(int pid)
{
	int status = 0;
	bool before_exec;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return false;
	(void)ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
		return false;
	before_exec = is_foreign(pid);
	(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return before_exec;
}

/*
 * A process that was just made. What succeeds while it becomes the container's own proves nothing,
 * so that is looked at again after each.
 */
static void try_process(int pid, struct counts *counts)
{
	counts->seen++;
	if (!is_foreign(pid))
		return;
	try_program(pid, counts);
	counts->fds += can_list_fds(pid) && is_foreign(pid);
	counts->mem += can_open_mem(pid) && is_foreign(pid);
	counts->traced += can_trace(pid);
}

static void watch(int seconds)
{
	static bool known[PIDS_MAX];
	struct counts counts = { 0 };
	time_t end = time(NULL) + seconds;
	bool first = true;

	known[getpid()] = true;
	while (time(NULL) < end) {
		DIR *dir = opendir("/proc");
		const struct dirent *entry;

		while ((entry = readdir(dir))) {
			int pid = isdigit((unsigned char)entry->d_name[0])
					  ? (int)strtol(entry->d_name, NULL, 10)
					  : 0;

			if (pid <= 0 || pid >= PIDS_MAX || known[pid])
				continue;
			known[pid] = first; /* the newer ones: as often as we can */
			if (!first)
				try_process(pid, &counts);
		}
		(void)closedir(dir);
		first = false;
	}
	(void)printf("seen=%d exe=%d traced=%d fds=%d mem=%d written=%d remounted=%d\n",
		     counts.seen, counts.exe, counts.traced, counts.fds, counts.mem, counts.written,
		     counts.remounted);
}

static int error_of(long result)
{
	return result < 0 ? errno : 0;
}

static void type_into_terminal(void)
{
	char c = 'x';
	int tiocsti = error_of(syscall(SYS_ioctl, 0, TIOCSTI, &c));
	int high = error_of(syscall(SYS_ioctl, 0, TIOCSTI | 1L << 40, &c));
	int tioclinux = error_of(syscall(SYS_ioctl, 0, TIOCLINUX, &c));

	(void)printf("tiocsti=%d high=%d tioclinux=%d\n", tiocsti, high, tioclinux);
}

static void flip(const char *path, const char *target, int seconds)
{
	time_t end = time(NULL) + seconds;
	char link_name[256], dir_name[256];
	long flips = 0;

	(void)snprintf(link_name, sizeof(link_name), "%s.link", path);
	(void)snprintf(dir_name, sizeof(dir_name), "%s", path);
	(void)mkdir(dir_name, 0755);
	(void)symlink(target, link_name);
	for (; time(NULL) < end; flips++)
		(void)syscall(SYS_renameat2, AT_FDCWD, dir_name, AT_FDCWD, link_name,
			      RENAME_EXCHANGE);
	(void)printf("flips=%ld\n", flips);
}

static void swap(const char *dir, long n)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	long done = 0;

	while (done < n && renameat2(fd, "x", fd, "y", RENAME_EXCHANGE) == 0)
		done++;
	(void)printf("swaps=%ld\n", done);
}

/* What the kernel, or who answers for it, makes of addresses that are none. */
static void bad_addresses(void)
{
	int null = error_of(syscall(SYS_sysinfo, NULL));
	int kernel = error_of(syscall(SYS_sysinfo, -4096L));
	int unmapped = error_of(syscall(SYS_sysinfo, 1L << 40));

	(void)printf("null=%d kernel=%d unmapped=%d\n", null, kernel, unmapped);
}

/* @n processes that ask @calls times each. */
static void ask_much(long n, long calls)
{
	struct sysinfo info;
	long wrong = 0;

	for (long i = 1; i < n && fork() > 0; i++)
		continue;
	for (long i = 0; i < calls; i++)
		if (sysinfo(&info) < 0 || info.totalram == 0)
			wrong++;
	while (wait(NULL) > 0)
		continue;
	if (wrong > 0)
		(void)printf("wrong=%ld\n", wrong);
}

static void fuse_reply(int fd, uint64_t unique, int error, const void *body, size_t len)
{
	struct fuse_out_header header = { .len = (uint32_t)(sizeof(header) + len),
					  .error = error,
					  .unique = unique };
	struct iovec iov[] = { { &header, sizeof(header) }, { (void *)body, len } };

	(void)!writev(fd, iov, 2); /* a request that was given up */
}

/* One file, which opens and is never read. */
static _Noreturn void fuse_serve(int fd)
{
	static char bytes[1 << 20];
	const struct fuse_attr file = {
		.ino = 2, .size = 8192, .mode = S_IFREG | 0666, .nlink = 1
	};
	const struct fuse_attr dir = { .ino = 1, .mode = S_IFDIR | 0777, .nlink = 2 };
	const struct fuse_init_out init = { .major = 7, .minor = 31, .max_write = 4096 };
	const struct fuse_entry_out entry = { .nodeid = 2, .attr = file, .attr_valid = 1000 };
	const struct fuse_open_out opened = { 0 };
	const struct fuse_in_header *header = (const void *)bytes;

	while (read(fd, bytes, sizeof(bytes)) > 0) {
		struct fuse_attr_out attr = { .attr = header->nodeid == 1 ? dir : file };

		if (header->opcode == FUSE_INIT)
			fuse_reply(fd, header->unique, 0, &init, sizeof(init));
		else if (header->opcode == FUSE_LOOKUP)
			fuse_reply(fd, header->unique, 0, &entry, sizeof(entry));
		else if (header->opcode == FUSE_GETATTR)
			fuse_reply(fd, header->unique, 0, &attr, sizeof(attr));
		else if (header->opcode == FUSE_OPEN)
			fuse_reply(fd, header->unique, 0, &opened, sizeof(opened));
		else if (header->opcode != FUSE_READ && header->opcode != FUSE_FORGET &&
			 header->opcode != FUSE_INTERRUPT)
			fuse_reply(fd, header->unique, -ENOSYS, NULL, 0);
	}
	_exit(0);
}

/* Memory whose pages never come: given to sysinfo(2), or with @keep touched. */
static void stall(const char *dir, bool keep)
{
	int fuse_fd = open("/dev/myfuse", O_RDWR | O_CLOEXEC), fd;
	char text[256];
	void *page;

	(void)snprintf(text, sizeof(text), "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse_fd);
	if (fuse_fd < 0 || mount("stall", dir, "fuse", 0, text) < 0) {
		(void)printf("mount=%d\n", errno);
		return;
	}
	if (fork() == 0)
		fuse_serve(fuse_fd);
	if (!keep)
		(void)close(fuse_fd);
	(void)snprintf(text, sizeof(text), "%s/file", dir);
	fd = open(text, O_RDWR | O_CLOEXEC);
	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	(void)printf("open=%d map=%d\n", fd < 0, page == MAP_FAILED);
	(void)fflush(stdout);
	if (keep)
		(void)*(volatile char *)page;
	(void)syscall(SYS_sysinfo, page);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "watch") == 0)
		watch((int)strtol(argv[2], NULL, 10));
	else if (argc == 5 && strcmp(argv[1], "flip") == 0)
		flip(argv[2], argv[3], (int)strtol(argv[4], NULL, 10));
	else if (argc == 4 && strcmp(argv[1], "swap") == 0)
		swap(argv[2], strtol(argv[3], NULL, 10));
	else if (argc == 2 && strcmp(argv[1], "tiocsti") == 0)
		type_into_terminal();
	else if (argc == 2 && strcmp(argv[1], "addresses") == 0)
		bad_addresses();
	else if (argc == 4 && strcmp(argv[1], "ask") == 0)
		ask_much(strtol(argv[2], NULL, 10), strtol(argv[3], NULL, 10));
	else if (argc == 3 && strcmp(argv[1], "stall") == 0)
		stall(argv[2], false);
	else if (argc == 3 && strcmp(argv[1], "hang") == 0)
		stall(argv[2], true);
	else
		return 2;
	return 0;
}
