/*
 * tests/bench/floor.c - what the kernel alone takes for our work
 *
 * Makes and ends containers by the same system calls as sysctr-monitor's two phase tables, in the
 * same order and without anything else: no daemon, no protocol, no log, no error text but the
 * failed step. Run by tests/bench/run; prints one line per measured thing: its name and the median
 * in milliseconds. Root only. It ends at the first failure, and what it made is under names of its
 * own tag: the next run and tests/bench/run remove it.
 *
 * Use: floor TAG BRIDGE ROOTFS WORKDIR RUNS; ROOTFS has /sbin/init and /bin/true and is only read.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	ID_BASE = 1900000000,
	ID_COUNT = 65536,
	RUNS_MAX = 200,
	V1_MAX = 16,
	NS_FLAGS = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
		   CLONE_NEWUTS,
	KERNEL_ATTRS = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC
};

enum measured {
	M_START,
	M_STOP,
	M_EXEC,
	M_EMPTY,
	M_COMMIT,
	M_MAX
};

static const char *const measured_names[] = {
	[M_START] = "start", [M_STOP] = "stop",	    [M_EXEC] = "exec",
	[M_EMPTY] = "empty", [M_COMMIT] = "commit",
};
_Static_assert(sizeof(measured_names) / sizeof(*measured_names) == M_MAX, "one name each");

struct floor {
	const char *tag, *rootfs, *workdir;
	char scratch[PATH_MAX / 4];
	int bridge_index;
	char unified[PATH_MAX / 4];
	char v1[V1_MAX][PATH_MAX / 4];
	int n_v1;
	double ms[M_MAX][RUNS_MAX];
};

/* One container. */
struct life {
	char cgroup[64]; /* below each hierarchy */
	char volume[PATH_MAX / 4];
	char veth[IFNAMSIZ];
	int dir_fd, payload_fd;
	int tasks_fds[V1_MAX];
	int sync_fds[2]; /* ours, the child's */
	int netns_fd, userns_fd;
	int pidfd;
	pid_t pid;
};

struct netlink_request {
	struct nlmsghdr header;
	struct ifinfomsg info;
	char attrs[512];
};

static _Noreturn void die(const char *step)
{
	fprintf(stderr, "floor: %s: %s\n", step, strerror(errno));
	_exit(EXIT_FAILURE);
}

static int must(int r, const char *step)
{
	if (r < 0)
		die(step);
	return r;
}

static double now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void write_at(int dir_fd, const char *file, const char *text)
{
	int fd = must(openat(dir_fd, file, O_WRONLY | O_CLOEXEC), file);

	must((int)write(fd, text, strlen(text)), file);
	(void)close(fd);
}

static void send_fd(int sock, int fd)
{
	char byte = 'x', control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	must((int)sendmsg(sock, &msg, MSG_NOSIGNAL), "send to the other side");
}

/* Returns: the descriptor that came, -1 for none. */
static int receive_fd(int sock)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int fd = -1;

	if (must((int)recvmsg(sock, &msg, MSG_CMSG_CLOEXEC), "receive") == 0)
		die("the other side has gone");
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg)
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(int));
	return fd;
}

/* The child's half. */

static void mount_one(int root_fd, const char *type, const char *target, unsigned int attrs)
{
	int fs_fd = must(fsopen(type, FSOPEN_CLOEXEC), type);
	int fd;

	must(fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0), type);
	fd = must(fsmount(fs_fd, FSMOUNT_CLOEXEC, attrs), type);
	must(move_mount(fd, "", root_fd, target, MOVE_MOUNT_F_EMPTY_PATH), target);
	(void)close(fs_fd);
	(void)close(fd);
}

static void bind_on_file(int root_fd, int source_fd, const char *source, const char *target)
{
	int fd = must(open_tree(source_fd, source,
				OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH),
		      target);

	(void)close(must(openat(root_fd, target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), target));
	must(move_mount(fd, "", root_fd, target, MOVE_MOUNT_F_EMPTY_PATH), target);
	(void)close(fd);
}

static void mount_system(int root_fd)
{
	static const char *const nodes[] = { "null", "zero", "full", "random", "urandom", "tty" };

	mount_one(root_fd, "proc", "proc", KERNEL_ATTRS);
	mount_one(root_fd, "sysfs", "sys", KERNEL_ATTRS);
	mount_one(root_fd, "cgroup2", "sys/fs/cgroup", KERNEL_ATTRS);
	mount_one(root_fd, "tmpfs", "dev", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	must(mkdirat(root_fd, "dev/pts", 0755), "dev/pts");
	must(mkdirat(root_fd, "dev/shm", 0755), "dev/shm");
	must(mkdirat(root_fd, "dev/mqueue", 0755), "dev/mqueue");
	mount_one(root_fd, "devpts", "dev/pts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	mount_one(root_fd, "tmpfs", "dev/shm", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	mount_one(root_fd, "mqueue", "dev/mqueue", KERNEL_ATTRS);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++) {
		char source[32], target[32];

		(void)snprintf(source, sizeof(source), "/dev/%s", nodes[i]);
		(void)snprintf(target, sizeof(target), "dev/%s", nodes[i]);
		bind_on_file(root_fd, AT_FDCWD, source, target);
	}
	mount_one(root_fd, "tmpfs", "run", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* The master goes to the parent, the slave becomes 0, 1, 2. */
static void make_console(int root_fd, int sock)
{
	int master_fd = must(openat(root_fd, "dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), "pty");
	int unlock = 0, slave_fd;

	must(ioctl(master_fd, TIOCSPTLCK, &unlock), "unlock the pty");
	slave_fd = must(ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC), "pty slave");
	bind_on_file(root_fd, slave_fd, "", "dev/console");
	send_fd(sock, master_fd);
	for (int fd = 0; fd <= 2; fd++)
		must(dup3(slave_fd, fd, 0), "console");
}

static _Noreturn void run_child(const struct floor *floor, const struct life *life)
{
	int sock = life->sync_fds[1], root_fd;

	(void)close(life->sync_fds[0]);
	(void)receive_fd(sock);
	must(setresgid(0, 0, 0), "become root");
	must(setresuid(0, 0, 0), "become root");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
	for (int i = 0; i < floor->n_v1; i++)
		must((int)write(life->tasks_fds[i], "0", 1), "join v1 cgroups");
	must(unshare(CLONE_NEWCGROUP), "cgroup namespace");
	root_fd = receive_fd(sock);
	must(move_mount(root_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH), "take root");
	mount_system(root_fd);
	make_console(root_fd, sock);
	must(fchdir(root_fd), "pivot");
	must((int)syscall(SYS_pivot_root, ".", "."), "pivot");
	must(umount2(".", MNT_DETACH), "detach the old root");
	must(chdir("/"), "chdir");
	must(sethostname(floor->tag, strlen(floor->tag)), "hostname");
	(void)receive_fd(sock);
	(void)setsid();
	must(prctl(PR_CAPBSET_DROP, 16 /* CAP_SYS_MODULE */), "drop capabilities");
	must(close_range(3, ~0U, CLOSE_RANGE_CLOEXEC), "close descriptors");
	(void)execl("/sbin/init", "/sbin/init", (char *)NULL);
	die("exec /sbin/init");
}

/* The parent's half. */

static int make_group(const char *mount, const char *cgroup)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", mount, cgroup);
	must(mkdir(path, 0755), path);
	return must(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path);
}

static void copy_from_parent(int dir_fd, const char *file)
{
	char path[64], text[256];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "../%s", file);
	fd = must(openat(dir_fd, path, O_RDONLY | O_CLOEXEC), path);
	n = must((int)read(fd, text, sizeof(text) - 1), path);
	text[n] = '\0';
	(void)close(fd);
	write_at(dir_fd, file, text);
}

static void make_cgroups(const struct floor *floor, struct life *life)
{
	static const char *const owned[] = { ".", "cgroup.procs", "cgroup.threads",
					     "cgroup.subtree_control" };

	life->dir_fd = make_group(floor->unified, life->cgroup);
	must(mkdirat(life->dir_fd, "payload", 0755), "payload");
	life->payload_fd = must(openat(life->dir_fd, "payload", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				"payload");
	for (size_t i = 0; i < sizeof(owned) / sizeof(*owned); i++)
		must(fchownat(life->payload_fd, owned[i], ID_BASE, ID_BASE, 0), owned[i]);
	for (int i = 0; i < floor->n_v1; i++) {
		int fd = make_group(floor->v1[i], life->cgroup);

		if (faccessat(fd, "cpuset.cpus", F_OK, 0) == 0) {
			copy_from_parent(fd, "cpuset.cpus");
			copy_from_parent(fd, "cpuset.mems");
		}
		if (faccessat(fd, "pids.current", F_OK, 0) == 0)
			write_at(fd, "pids.max", "4096");
		life->tasks_fds[i] = must(openat(fd, "tasks", O_WRONLY | O_CLOEXEC), "tasks");
		(void)close(fd);
	}
}

static void clone_child(const struct floor *floor, struct life *life)
{
	struct clone_args args = {
		.flags = NS_FLAGS | CLONE_PIDFD | CLONE_INTO_CGROUP,
		.pidfd = (uint64_t)(uintptr_t)&life->pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)(unsigned int)life->payload_fd,
	};

	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, life->sync_fds), "socketpair");
	life->pid = (pid_t)must((int)syscall(SYS_clone3, &args, sizeof(args)), "clone");
	if (life->pid == 0)
		run_child(floor, life);
	(void)close(life->sync_fds[1]);
}

static int open_proc(const struct life *life, const char *file, int flags)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)life->pid, file);
	return must(open(path, flags | O_CLOEXEC), path);
}

static void map_ids(struct life *life)
{
	static const char *const files[] = { "uid_map", "gid_map" };
	char text[64];
	int len = snprintf(text, sizeof(text), "0 %d %d\n", ID_BASE, ID_COUNT);

	for (int i = 0; i < 2; i++) {
		int fd = open_proc(life, files[i], O_WRONLY);

		must((int)write(fd, text, (size_t)len), files[i]);
		(void)close(fd);
	}
	life->userns_fd = open_proc(life, "ns/user", O_RDONLY);
	life->netns_fd = open_proc(life, "ns/net", O_RDONLY);
	send_fd(life->sync_fds[0], -1);
}

static void attach_layer(const struct life *life, const char *path, const char *name)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)(unsigned int)life->userns_fd,
	};
	int fd = must(open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), path);

	must(mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)), "map a layer");
	must(mkdir(name, 0700), name);
	must(move_mount(fd, "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH), name);
	(void)close(fd);
}

static int mount_overlay(void)
{
	static const char *const opts[][2] = { { "lowerdir", "lower" },
					       { "upperdir", "data/upper" },
					       { "workdir", "data/work" },
					       { "redirect_dir", "on" } };
	int fs_fd = must(fsopen("overlay", FSOPEN_CLOEXEC), "overlay"), fd;

	(void)setfsuid(ID_BASE);
	(void)setfsgid(ID_BASE);
	for (size_t i = 0; i < sizeof(opts) / sizeof(*opts); i++)
		must(fsconfig(fs_fd, FSCONFIG_SET_STRING, opts[i][0], opts[i][1], 0), opts[i][0]);
	must(fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "make the overlay");
	fd = must(fsmount(fs_fd, FSMOUNT_CLOEXEC, 0), "mount the overlay");
	(void)setfsuid(0);
	(void)setfsgid(0);
	(void)close(fs_fd);
	return fd;
}

/* We are in a mount namespace of our own. */
static void make_root(const struct floor *floor, const struct life *life)
{
	int scratch_fs = must(fsopen("tmpfs", FSOPEN_CLOEXEC), "scratch"), scratch_fd, fd;

	must(fsconfig(scratch_fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "scratch");
	scratch_fd = must(fsmount(scratch_fs, FSMOUNT_CLOEXEC, 0), "scratch");
	must(move_mount(scratch_fd, "", AT_FDCWD, floor->scratch, MOVE_MOUNT_F_EMPTY_PATH),
	     "scratch");
	must(fchdir(scratch_fd), "scratch");
	attach_layer(life, floor->rootfs, "lower");
	attach_layer(life, life->volume, "data");
	fd = mount_overlay();
	must(chdir("/"), "/");
	must(umount2(floor->scratch, MNT_DETACH), "detach scratch");
	send_fd(life->sync_fds[0], fd);
	(void)close(fd);
	(void)close(scratch_fd);
	(void)close(scratch_fs);
}

static struct rtattr *put_attr(struct netlink_request *request, unsigned short type,
			       const void *data, size_t len)
{
	struct rtattr *attr = (void *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));

	attr->rta_type = type;
	attr->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len > 0)
		memcpy(RTA_DATA(attr), data, len);
	request->header.nlmsg_len =
		NLMSG_ALIGN(request->header.nlmsg_len) + (uint32_t)RTA_ALIGN(attr->rta_len);
	return attr;
}

static void end_attr(const struct netlink_request *request, struct rtattr *attr)
{
	attr->rta_len = (unsigned short)((const char *)request + request->header.nlmsg_len -
					 (const char *)attr);
}

static void attach_nic(const struct floor *floor, const struct life *life)
{
	struct netlink_request request = {
		.header = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
			.nlmsg_type = RTM_NEWLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
		},
		.info = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP },
	};
	struct ifinfomsg peer_info = { 0 };
	int sock = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "netlink");
	struct rtattr *link, *data, *peer;
	char answer[1024];

	put_attr(&request, IFLA_IFNAME, life->veth, strlen(life->veth) + 1);
	put_attr(&request, IFLA_MASTER, &floor->bridge_index, sizeof(int));
	link = put_attr(&request, IFLA_LINKINFO, NULL, 0);
	put_attr(&request, IFLA_INFO_KIND, "veth", 5);
	data = put_attr(&request, IFLA_INFO_DATA, NULL, 0);
	peer = put_attr(&request, VETH_INFO_PEER, &peer_info, sizeof(peer_info));
	put_attr(&request, IFLA_IFNAME, "eth0", 5);
	put_attr(&request, IFLA_NET_NS_FD, &life->netns_fd, sizeof(int));
	end_attr(&request, peer);
	end_attr(&request, data);
	end_attr(&request, link);
	must((int)send(sock, &request, request.header.nlmsg_len, 0), "make a veth");
	must((int)recv(sock, answer, sizeof(answer), 0), "make a veth");
	errno = -((struct nlmsgerr *)NLMSG_DATA((struct nlmsghdr *)answer))->error;
	if (errno != 0)
		die("make a veth");
	(void)close(sock);
}

/* A program that lets everything through takes as long to load and attach as one that does not. */
static void attach_device_program(const struct life *life)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insn_cnt = 2;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.license = (uint64_t)(uintptr_t) "GPL";
	fd = must((int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)), "load bpf");
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)life->dir_fd;
	attr.attach_bpf_fd = (uint32_t)fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	must((int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)), "attach bpf");
	(void)close(fd);
}

static void start(const struct floor *floor, struct life *life)
{
	char byte;

	make_cgroups(floor, life);
	clone_child(floor, life);
	map_ids(life);
	make_root(floor, life);
	attach_nic(floor, life);
	attach_device_program(life);
	send_fd(life->sync_fds[0], -1);
	life->sync_fds[1] = receive_fd(life->sync_fds[0]); /* the console */
	if (recv(life->sync_fds[0], &byte, 1, 0) != 0)
		die("wait for exec");
}

static void stop(const struct life *life)
{
	struct pollfd poll_fd = { .fd = life->pidfd, .events = POLLIN };
	siginfo_t info;

	write_at(life->dir_fd, "cgroup.kill", "1");
	must(poll(&poll_fd, 1, -1), "wait for the end");
	must(waitid(P_PIDFD, (id_t)life->pidfd, &info, WEXITED), "wait for the end");
}

/* Not measured. */

static void remove_group(const char *mount, const char *cgroup, const char *below)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s%s", mount, cgroup, below);
	for (int i = 0; rmdir(path) < 0 && errno == EBUSY && i < 1000; i++)
		(void)poll(NULL, 0, 1);
}

static void remove_volume(const struct life *life)
{
	static const char *const below[] = { "work/work", "work", "upper/root", "upper", "" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", life->volume, below[i]);
		(void)rmdir(path); /* init may have written: then the directory above is removed */
	}
}

static void clean(const struct floor *floor, struct life *life)
{
	int fds[] = { life->dir_fd,   life->payload_fd, life->sync_fds[0], life->sync_fds[1],
		      life->netns_fd, life->userns_fd,	life->pidfd };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		(void)close(fds[i]);
	for (int i = 0; i < floor->n_v1; i++) {
		(void)close(life->tasks_fds[i]);
		remove_group(floor->v1[i], life->cgroup, "");
	}
	remove_group(floor->unified, life->cgroup, "/payload");
	remove_group(floor->unified, life->cgroup, "");
	remove_volume(life);
}

static void prepare(const struct floor *floor, struct life *life, int run)
{
	char path[PATH_MAX];

	(void)snprintf(life->cgroup, sizeof(life->cgroup), "%s/f%d", floor->tag, run);
	(void)snprintf(life->veth, sizeof(life->veth), "%.8sf%hu", floor->tag, (unsigned short)run);
	(void)snprintf(life->volume, sizeof(life->volume), "%s/v%d", floor->workdir, run);
	must(mkdir(life->volume, 0755), life->volume);
	(void)snprintf(path, sizeof(path), "%s/upper", life->volume);
	must(mkdir(path, 0755), path);
	(void)snprintf(path, sizeof(path), "%s/work", life->volume);
	must(mkdir(path, 0700), path);
}

/* Join, make a process, let it become /bin/true, learn its status. */
static void exec_inside(const struct life *life)
{
	pid_t pid = must(fork(), "fork");
	int status;

	if (pid == 0) {
		must(setns(life->pidfd, NS_FLAGS | CLONE_NEWCGROUP), "join");
		pid = must(fork(), "fork");
		if (pid == 0) {
			(void)execl("/bin/true", "true", (char *)NULL);
			die("exec /bin/true");
		}
		must(waitpid(pid, &status, 0), "wait");
		_exit(WEXITSTATUS(status));
	}
	must(waitpid(pid, &status, 0), "wait");
	if (status != 0)
		die("/bin/true failed");
}

/* What each command of the client costs before it does anything. */
static void run_empty(void)
{
	pid_t pid = must(vfork(), "vfork");
	int status;

	if (pid == 0) {
		(void)execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
	must(waitpid(pid, &status, 0), "wait");
}

static void commit(int fd, int run)
{
	static char page[4096];

	page[0] = (char)run;
	must((int)write(fd, page, sizeof(page)), "write");
	must(fdatasync(fd), "fdatasync");
}

static void measure(struct floor *floor, int run, int commit_fd)
{
	struct life life = { 0 };
	double t[M_MAX + 1];

	prepare(floor, &life, run);
	t[0] = now_ms();
	start(floor, &life);
	t[1] = now_ms();
	exec_inside(&life);
	t[2] = now_ms();
	stop(&life);
	t[3] = now_ms();
	run_empty();
	t[4] = now_ms();
	commit(commit_fd, run);
	t[5] = now_ms();
	clean(floor, &life);
	floor->ms[M_START][run] = t[1] - t[0];
	floor->ms[M_EXEC][run] = t[2] - t[1];
	floor->ms[M_STOP][run] = t[3] - t[2];
	floor->ms[M_EMPTY][run] = t[4] - t[3];
	floor->ms[M_COMMIT][run] = t[5] - t[4];
}

static void find_hierarchies(struct floor *floor)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[4096], point[PATH_MAX / 4], type[32];

	if (!file)
		die("/proc/self/mountinfo");
	while (fgets(line, sizeof(line), file)) {
		const char *rest = strstr(line, " - ");

		if (!rest || sscanf(line, "%*s %*s %*s / %1023s", point) != 1 ||
		    sscanf(rest + 3, "%31s", type) != 1)
			continue;
		if (strcmp(type, "cgroup2") == 0)
			(void)snprintf(floor->unified, sizeof(floor->unified), "%s", point);
		else if (strcmp(type, "cgroup") == 0 && floor->n_v1 < V1_MAX)
			(void)snprintf(floor->v1[floor->n_v1++], sizeof(floor->v1[0]), "%s", point);
	}
	(void)fclose(file);
}

static void make_tag_groups(const struct floor *floor)
{
	for (int i = -1; i < floor->n_v1; i++) {
		const char *mount = i < 0 ? floor->unified : floor->v1[i];
		char path[PATH_MAX];
		int fd;

		(void)snprintf(path, sizeof(path), "%s/%s", mount, floor->tag);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			die(path);
		fd = must(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path);
		if (i >= 0 && faccessat(fd, "cpuset.cpus", F_OK, 0) == 0) {
			copy_from_parent(fd, "cpuset.cpus");
			copy_from_parent(fd, "cpuset.mems");
		}
		(void)close(fd);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static struct floor floor;
	char path[PATH_MAX];
	int runs = argc == 6 ? (int)strtol(argv[5], NULL, 10) : 0, commit_fd;

	if (runs < 1 || runs > RUNS_MAX) {
		fprintf(stderr, "use: floor TAG BRIDGE ROOTFS WORKDIR RUNS\n");
		return EXIT_FAILURE;
	}
	floor.tag = argv[1];
	floor.bridge_index = (int)if_nametoindex(argv[2]);
	floor.rootfs = argv[3];
	floor.workdir = argv[4];
	find_hierarchies(&floor);
	make_tag_groups(&floor);
	/* else setfsuid() takes the capabilities away by which the overlay makes its directories */
	must(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP), "securebits");
	must(unshare(CLONE_NEWNS), "mount namespace");
	must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "mount namespace");
	(void)snprintf(floor.scratch, sizeof(floor.scratch), "%s/scratch", floor.workdir);
	if (mkdir(floor.scratch, 0700) < 0 && errno != EEXIST)
		die(floor.scratch);
	(void)snprintf(path, sizeof(path), "%s/commits", floor.workdir);
	commit_fd = must(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), path);
	for (int i = 0; i < runs; i++)
		measure(&floor, i, commit_fd);
	for (int i = 0; i < M_MAX; i++) {
		qsort(floor.ms[i], (size_t)runs, sizeof(double), compare);
		printf("%s %.3f\n", measured_names[i], floor.ms[i][runs / 2]);
	}
	for (int i = -1; i < floor.n_v1; i++)
		remove_group(i < 0 ? floor.unified : floor.v1[i], floor.tag, "");
	return EXIT_SUCCESS;
}
