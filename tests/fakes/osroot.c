/*
 * tests/fakes/osroot.c - os/cgroup, os/netlink and os/bpfdev against this kernel, as root
 *
 * Works in a network namespace and below a cgroup tag of its own; leaves nothing behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/bpfdev.h"
#include "os/cgroup.h"
#include "os/fd.h"
#include "os/netlink.h"
#include "os/ns.h"

enum {
	TIMEOUT_MS = 5000,
	DEEP = 300,
	FLAPS = 3000,
};

static const uid_t owner[2] = { 1879048192, 1879048192 };
static const uint8_t mac[] = { 0x00, 0x16, 0x3e, 1, 2, 3 };

/* What the cgroup tests share. */
struct fixture {
	struct cgroup_host host;
	char tag[64];
	char path[96];
	struct cgroup cg;
	pid_t child;
};

static const struct cgroup_limits limits = {
	.cpus = "0",
	.cpu_weight = 50,
	.cpu_quota_us = 20000,
	.cpu_period_us = 50000,
	.memory_bytes = 64 << 20,
	.swap_bytes = CGROUP_NO_LIMIT,
	.pids = 20,
	.descendants = 1000,
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err err = { 0 };

	assert_int_equal(cgroup_host_detect(&f->host, &err), 0);
	(void)snprintf(f->tag, sizeof(f->tag), "osroot-%d", getpid());
	(void)snprintf(f->path, sizeof(f->path), "%s/c1", f->tag);
	cgroup_init(&f->cg);
	if (cgroup_create(&f->host, f->path, &limits, owner, &f->cg, &err) < 0)
		fail_msg("%s", err.msg);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	(void)cgroup_kill(&f->cg, NULL);
	if (f->child > 0)
		(void)waitpid(f->child, NULL, 0);
	cgroup_done(&f->cg);
	if (cgroup_remove(&f->host, f->tag, TIMEOUT_MS, &err) < 0)
		fail_msg("%s", err.msg);
	free(f);
	return 0;
}

/* A process in the payload, joined as a container is; it runs @fn, else sleeps. */
static void start_child(struct fixture *f, int (*fn)(void))
{
	struct ns_clone args = { .cgroup_fd = f->cg.payload_fd };

	f->child = ns_clone(&args);
	assert_true(f->child >= 0);
	if (f->child == 0) {
		if (cgroup_join_v1(&f->cg) < 0)
			_exit(99);
		if (fn)
			_exit(fn());
		for (;;)
			(void)pause();
	}
	(void)fd_close(args.pidfd);
}

/* Returns: exit status of the child. */
static int finish_child(struct fixture *f)
{
	int status;

	assert_int_equal(waitpid(f->child, &status, 0), f->child);
	f->child = 0;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_delegation(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *file;
		bool owned;
	} files[] = {
		{ "cgroup.procs", true },	    { "cgroup.threads", true },
		{ "cgroup.subtree_control", true }, { "cgroup.max.descendants", false },
		{ "cgroup.freeze", false },	    { "cgroup.kill", false },
	};
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		assert_int_equal(fstatat(f->cg.payload_fd, files[i].file, &st, 0), 0);
		assert_int_equal(st.st_uid, files[i].owned ? owner[0] : 0);
	}
	assert_int_equal(fstat(f->cg.dir_fd, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

static int fork_too_much(void)
{
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return errno == EAGAIN && i < 20 ? 0 : 1;
		if (pid == 0)
			for (;;)
				(void)pause();
	}
	return 2;
}

static void test_pids_limit(void **state)
{
	struct fixture *f = *state;

	start_child(f, fork_too_much);
	assert_int_equal(finish_child(f), 0);
	assert_int_equal(cgroup_kill(&f->cg, NULL), 0);
	assert_int_equal(cgroup_wait_empty(&f->cg, TIMEOUT_MS), 0);
}

static int count_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) < 0 ? 99 : CPU_COUNT(&set);
}

static void test_limits_live(void **state)
{
	struct fixture *f = *state;
	struct cgroup_limits none = {
		.cpu_weight = 100,
		.cpu_quota_us = CGROUP_NO_LIMIT,
		.cpu_period_us = 100000,
		.memory_bytes = CGROUP_NO_LIMIT,
		.swap_bytes = CGROUP_NO_LIMIT,
		.pids = CGROUP_NO_LIMIT,
		.descendants = 10,
	};
	int all = count_cpus();

	start_child(f, count_cpus);
	assert_int_equal(finish_child(f), 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(cgroup_apply_limits(&f->cg, &none, NULL), 0);
		assert_int_equal(cgroup_apply_limits(&f->cg, &limits, NULL), 0);
	}
	assert_int_equal(cgroup_apply_limits(&f->cg, &none, NULL), 0);
	start_child(f, count_cpus);
	assert_int_equal(finish_child(f), all);
}

static void test_freeze_and_kill(void **state)
{
	struct fixture *f = *state;
	struct cgroup_usage usage;

	start_child(f, NULL);
	assert_int_equal(cgroup_populated(&f->cg), 1);
	assert_int_equal(cgroup_wait_empty(&f->cg, 10), -ETIMEDOUT);
	assert_int_equal(cgroup_freeze(&f->cg, true, TIMEOUT_MS, NULL), 0);
	assert_int_equal(cgroup_freeze(&f->cg, false, TIMEOUT_MS, NULL), 0);
	assert_int_equal(cgroup_freeze(&f->cg, true, TIMEOUT_MS, NULL), 0);
	cgroup_read_usage(&f->cg, &usage);
	assert_int_equal(usage.processes, 1);
	assert_true(usage.memory_peak_bytes >= usage.memory_bytes);
	assert_int_equal(cgroup_kill(&f->cg, NULL), 0); /* frozen ones, too */
	assert_int_equal(cgroup_wait_empty(&f->cg, TIMEOUT_MS), 0);
}

static void test_leftovers(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	struct cgroup again;

	start_child(f, NULL);
	assert_int_equal(cgroup_create(&f->host, f->path, &limits, owner, &again, &err), -EBUSY);
	assert_non_null(strstr(err.msg, f->path));
	assert_int_equal(cgroup_populated(&f->cg), 1); /* and it was not touched */
	assert_int_equal(cgroup_kill(&f->cg, NULL), 0);
	(void)waitpid(f->child, NULL, 0);
	f->child = 0;
	assert_int_equal(cgroup_wait_empty(&f->cg, TIMEOUT_MS), 0);
	assert_int_equal(mkdirat(f->cg.payload_fd, "init.scope", 0755), 0);
	cgroup_done(&f->cg);
	assert_int_equal(cgroup_create(&f->host, f->path, &limits, owner, &f->cg, &err), 0);
}

/* What a container's root may have grown: deep, and wide at every level. */
static void test_remove_deep(void **state)
{
	struct fixture *f = *state;
	_cleanup_(fd_closep) int fd = fd_copy(f->cg.payload_fd, 0);
	int depth = 0;

	for (; depth < DEEP; depth++) {
		int next;

		if (mkdirat(fd, "a", 0755) < 0 || mkdirat(fd, "b", 0755) < 0)
			break;
		next = openat(fd, depth % 2 ? "a" : "b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		(void)fd_close(fd);
		fd = next;
	}
	assert_int_equal(depth, DEEP);
	cgroup_done(&f->cg);
	assert_int_equal(cgroup_remove(&f->host, f->path, TIMEOUT_MS, NULL), 0);
	assert_int_equal(cgroup_remove(&f->host, f->path, TIMEOUT_MS, NULL), 0);
}

static int note_name(void *data, const char *name)
{
	*(int *)data += streq(name, "c1") ? 1 : 1000;
	return 0;
}

static void test_children(void **state)
{
	struct fixture *f = *state;
	_cleanup_(fd_closep) int fd = -EBADF;
	char hidden[128];
	int found = 0;

	(void)snprintf(hidden, sizeof(hidden), "%s/.monitor/c1", f->tag);
	assert_int_equal(cgroup_create_plain(&f->host, hidden, &fd, NULL), 0);
	assert_int_equal(cgroup_for_each_child(&f->host, f->tag, note_name, &found), 0);
	assert_int_equal(found, 1 + (int)f->host.n_v1);
	assert_int_equal(cgroup_for_each_child(&f->host, "no-such-tag", note_name, &found), 0);
}

static void test_bad_paths(void **state)
{
	struct fixture *f = *state;
	static const char *const paths[] = { "", "/x", "a/../b", "..", "a//b", "a/" };
	struct cgroup cg;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		assert_int_equal(cgroup_create(&f->host, paths[i], &limits, owner, &cg, NULL),
				 -EINVAL);
		assert_int_equal(cgroup_remove(&f->host, paths[i], 0, NULL), -EINVAL);
	}
}

/* Returns: bits of what went wrong. */
static int use_devices(void)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool kmsg_refused =
		open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC) < 0 && errno == EPERM;
	char path[64];
	int made;

	(void)snprintf(path, sizeof(path), "/tmp/.osroot-%d", getpid());
	made = mknod(path, S_IFBLK | 0600, makedev(8, 0));
	(void)unlink(path);
	return (null_fd < 0 ? 1 : 0) | (kmsg_refused ? 0 : 2) | (made == 0 ? 4 : 0);
}

static void test_devices(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	for (int i = 0; i < 3; i++) /* again: in place of the earlier one */
		if (bpfdev_attach(f->cg.dir_fd, bpfdev_default_rules, bpfdev_n_default_rules,
				  &err) < 0)
			fail_msg("%s", err.msg);
	start_child(f, use_devices);
	assert_int_equal(finish_child(f), 0);
	assert_int_equal(bpfdev_attach(f->cg.dir_fd, NULL, 0, &err), 0);
	start_child(f, use_devices);
	assert_int_equal(finish_child(f) & 1, 1);
}

/* Two namespaces of our own: we stay in the first, the second is the container's. */
struct net_fixture {
	struct netlink *outer, *inner, *events;
	int inner_fd;
};

static int set_up_net(void **state)
{
	struct net_fixture *f = xcalloc(1, sizeof(*f));
	_cleanup_(fd_closep) int outer_fd = -EBADF;

	assert_int_equal(ns_unshare(CLONE_NEWNET), 0);
	outer_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(ns_unshare(CLONE_NEWNET), 0);
	f->inner_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(ns_join(outer_fd, CLONE_NEWNET), 0);
	assert_int_equal(netlink_open(-EBADF, 0, &f->outer, NULL), 0);
	assert_int_equal(netlink_open(f->inner_fd, 0, &f->inner, NULL), 0);
	assert_int_equal(netlink_open(f->inner_fd, NETLINK_EVENTS, &f->events, NULL), 0);
	assert_int_equal(netlink_bridge_create(f->outer, "osbr0", mac, 1400, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down_net(void **state)
{
	struct net_fixture *f = *state;

	netlink_freep(&f->outer);
	netlink_freep(&f->inner);
	netlink_freep(&f->events);
	(void)fd_close(f->inner_fd);
	free(f);
	return 0;
}

static const struct netlink_nic *find_nic(const struct netlink_table *table, const char *name)
{
	for (size_t i = 0; i < table->n_nics; i++)
		if (streq(table->nics[i].name, name))
			return &table->nics[i];
	return NULL;
}

static void test_veth(void **state)
{
	struct net_fixture *f = *state;
	struct netlink_veth veth = {
		.host_name = "os-a",
		.bridge = "osbr0",
		.peer_name = "eth0",
		.peer_netns_fd = f->inner_fd,
		.peer_mac = mac,
		.mtu = 1400,
	};
	_cleanup_(freep) struct netlink_table *table = xcalloc(1, sizeof(*table));
	const struct netlink_nic *nic;
	struct err err = { 0 };
	int index = 0;

	if (netlink_veth_create(f->outer, &veth, &index, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(netlink_link_set_up(f->inner, "eth0", true, NULL), 0);
	assert_int_equal(netlink_read_table(f->inner, table, NULL), 0);
	nic = find_nic(table, "eth0");
	assert_non_null(nic);
	assert_true(nic->up && nic->has_mac);
	assert_memory_equal(nic->mac, mac, sizeof(mac));
	assert_int_equal(nic->mtu, 1400);
	assert_int_equal(nic->peer_index, index);
	assert_int_equal(netlink_veth_create(f->outer, &veth, &index, &err), -EEXIST);
	veth.host_name = "os-b";
	veth.bridge = "no-bridge";
	assert_int_equal(netlink_veth_create(f->outer, &veth, &index, &err), -ENODEV);
	assert_non_null(strstr(err.msg, "no-bridge"));
	veth.host_name = "a-name-that-is-too-long";
	assert_int_equal(netlink_veth_create(f->outer, &veth, &index, &err), -EINVAL);
}

static void test_kernel_says_why(void **state)
{
	struct net_fixture *f = *state;
	struct err err = { 0 };

	assert_int_equal(netlink_link_set_mtu(f->outer, "osbr0", 100000, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "mtu greater than device maximum"));
	assert_int_equal(netlink_link_delete(f->outer, "nothing", &err), -ENODEV);
}

static void test_addresses(void **state)
{
	struct net_fixture *f = *state;
	struct netlink_addr v4 = { .family = AF_INET, .prefix_len = 24, .bytes = { 10, 9, 8, 1 } };
	struct netlink_addr v6 = { .family = AF_INET6, .prefix_len = 64, .bytes = { 0xfd, 1 } };
	_cleanup_(freep) struct netlink_table *table = xcalloc(1, sizeof(*table));
	int seen = 0;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(netlink_addr_add(f->outer, "osbr0", &v4, NULL), 0);
		assert_int_equal(netlink_addr_add(f->outer, "osbr0", &v6, NULL), 0);
	}
	assert_int_equal(netlink_read_table(f->outer, table, NULL), 0);
	for (size_t i = 0; i < table->n_addrs; i++) {
		const struct netlink_addr *addr = &table->addrs[i];

		seen += addr->family == AF_INET && memcmp(addr->bytes, v4.bytes, 4) == 0;
		seen += addr->family == AF_INET6 && memcmp(addr->bytes, v6.bytes, 16) == 0;
	}
	assert_int_equal(seen, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(netlink_addr_delete(f->outer, "osbr0", &v4, NULL), 0);
	v4.prefix_len = 33;
	assert_int_equal(netlink_addr_add(f->outer, "osbr0", &v4, NULL), -EINVAL);
}

/* A guest that flaps: the socket's buffer overflows, and that reads as one more change. */
static void test_events(void **state)
{
	struct net_fixture *f = *state;
	struct netlink_addr v4 = { .family = AF_INET, .prefix_len = 24, .bytes = { 10, 9, 8, 1 } };
	int reads = 0;

	while (netlink_read_events(f->events) == 1)
		continue;
	assert_int_equal(netlink_read_events(f->events), 0);
	for (int i = 0; i < FLAPS; i++) {
		(void)netlink_addr_add(f->inner, "lo", &v4, NULL);
		(void)netlink_addr_delete(f->inner, "lo", &v4, NULL);
	}
	while (netlink_read_events(f->events) == 1)
		reads++;
	assert_in_range(reads, 1, 100);
	assert_int_equal(netlink_read_events(f->events), 0);
}

static int note_link(void *data, const struct netlink_nic *nic)
{
	(void)nic;
	(*(int *)data)++;
	return 0;
}

static void test_many_links(void **state)
{
	struct net_fixture *f = *state;
	_cleanup_(freep) struct netlink_table *table = xcalloc(1, sizeof(*table));
	int found = 0;

	for (int i = 0; i < 100; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "many%d", i);
		assert_int_equal(netlink_bridge_create(f->inner, name, NULL, 0, NULL), 0);
	}
	assert_int_equal(netlink_read_table(f->inner, table, NULL), 0);
	assert_int_equal(table->n_nics, NETLINK_NICS_MAX);
	assert_true(table->left_out >= 100 - NETLINK_NICS_MAX);
	assert_int_equal(netlink_for_each_link(f->inner, "many", note_link, &found, NULL), 0);
	assert_int_equal(found, 100);
}

#define CGROUP_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
#define NET_TEST(fn)	cmocka_unit_test_setup_teardown(fn, set_up_net, tear_down_net)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CGROUP_TEST(test_delegation),	CGROUP_TEST(test_pids_limit),
		CGROUP_TEST(test_limits_live),	CGROUP_TEST(test_freeze_and_kill),
		CGROUP_TEST(test_leftovers),	CGROUP_TEST(test_remove_deep),
		CGROUP_TEST(test_children),	CGROUP_TEST(test_bad_paths),
		CGROUP_TEST(test_devices),	NET_TEST(test_veth),
		NET_TEST(test_kernel_says_why), NET_TEST(test_addresses),
		NET_TEST(test_events),		NET_TEST(test_many_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
