/* monitor/device_proxy.c - see device_proxy.h */
#include "monitor/device_proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "monitor/devices.h"
#include "monitor/mon.h"
#include "monitor/proxy_open.h"
#include "monitor/proxy_relay.h"
#include "os/caps.h"
#include "os/fd.h"
#include "os/ns.h"
#include "os/pidfd.h"
#include "os/sandbox_filter.h"
#include "os/sock.h"

enum {
	NOBODY = 65534,
	READY_TIMEOUT_MS = 10000,
	FILES_MAX = 16 + PROXY_PORTS_MAX + 6 * RELAY_CONNS_MAX
};

/* What the process says once: it is ready, or why not. */
struct report {
	int result;
	struct err err;
};

struct setup {
	struct mon *mon;
	const struct spec_proxy *proxy;
	struct proxy_addr listen, connect;
	int listen_fds[PROXY_PORTS_MAX];
};

/* ---- in the process ---- */

/* Listen on the side of the container: another process goes there, and hands the sockets back. */
static _Noreturn void opener_main(struct setup *setup, int out_fd)
{
	const struct life *life = &setup->mon->life;
	struct report report = { 0 };
	struct iovec iov = { .iov_base = &report, .iov_len = sizeof(report) };
	int r = proxy_enter(life->userns_fd, life->mntns_fd, life->netns_fd, &report.err);

	(void)umask(077);
	if (r == 0)
		r = proxy_open_sockets(setup->proxy, &setup->listen, setup->listen_fds,
				       &report.err);
	report.result = r;
	r = sock_send(out_fd, &iov, 1, NULL, 0);
	for (uint32_t i = 0; report.result == 0 && r == 0 && i < setup->listen.n_ports; i++)
		r = sock_send(out_fd, &iov, 1, &setup->listen_fds[i], 1);
	_exit(r < 0);
}

static int receive_sockets(struct setup *setup, int fd, struct err *err)
{
	struct report report;
	size_t n_fds = 0;
	int unused, r = (int)sock_recv(fd, &report, sizeof(report), &unused, 0, NULL);

	if (r != (int)sizeof(report))
		return err_set(err, -EIO, "listen inside: no answer");
	if (report.result < 0) {
		*err = report.err;
		return report.result;
	}
	for (uint32_t i = 0; i < setup->listen.n_ports; i++)
		if (sock_recv(fd, &report, sizeof(report), &setup->listen_fds[i], 1, &n_fds) <= 0 ||
		    n_fds != 1)
			return err_set(err, -EIO, "listen inside: no socket");
	return 0;
}

static int listen_inside(struct setup *setup, struct err *err)
{
	struct ns_clone args = { .cgroup_fd = -EBADF };
	int pair[2], status, r = sock_pair(pair);
	pid_t pid;

	if (r < 0)
		return err_set(err, r, "make sockets");
	pid = ns_clone(&args);
	if (pid == 0)
		opener_main(setup, pair[1]);
	(void)fd_close(pair[1]);
	if (pid < 0)
		r = err_set(err, pid, "start a process");
	else
		r = receive_sockets(setup, pair[0], err);
	(void)fd_close(pair[0]);
	if (pid > 0)
		(void)pidfd_reap(args.pidfd, true, &status);
	return r;
}

/* Keep the listening sockets and the two of @keep; all else is the monitor's. */
static void close_others(struct setup *setup, int keep[2])
{
	uint32_t n = setup->listen.n_ports;

	/* Above everything there is, then down to the beginning. */
	for (uint32_t i = 0; i < n; i++)
		setup->listen_fds[i] = fd_copy(setup->listen_fds[i], 1024);
	keep[0] = fd_copy(keep[0], 1024);
	keep[1] = fd_copy(keep[1], 1024);
	for (int fd = 3; fd < 1024; fd++)
		(void)fd_close(fd);
	for (uint32_t i = 0; i < n; i++)
		setup->listen_fds[i] = fd_copy(setup->listen_fds[i], 3);
	keep[0] = fd_copy(keep[0], 3);
	keep[1] = fd_copy(keep[1], 3);
	(void)fd_close_from(1024);
}

/* Nothing is left after this but to carry bytes. */
static int give_up_rights(const struct setup *setup, struct err *err)
{
	bool file = setup->connect.kind == PROXY_UNIX;
	uid_t uid = file ? setup->proxy->security_uid : NOBODY;
	gid_t gid = file ? setup->proxy->security_gid : NOBODY;
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int r = caps_keep_over_setuid(true); /* so that the bounding set can go as well */

	if (r == 0)
		r = caps_become(uid, gid);
	if (r == 0)
		r = caps_drop(UINT64_MAX);
	if (r == 0)
		r = caps_set_nondumpable();
	if (r < 0)
		return err_set(err, r, "become user %u, group %u", uid, gid);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	r = sandbox_filter_install(SANDBOX_FILTER_RELAY);
	return r < 0 ? err_set(err, r, "install the filter") : 0;
}

/* What is needed of the container may be its network only: then its users and files are not. */
static int join_other_side(const struct setup *setup, struct err *err)
{
	const struct life *life = &setup->mon->life;

	if (setup->proxy->bind_instance)
		return 0;
	if (setup->connect.kind == PROXY_UNIX)
		return proxy_enter(life->userns_fd, life->mntns_fd, life->netns_fd, err);
	return proxy_enter(-EBADF, -EBADF, life->netns_fd, err);
}

static int prepare(struct setup *setup, int keep[2], struct err *err)
{
	const struct rlimit files = { FILES_MAX, FILES_MAX };
	int r;

	(void)umask(077);
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		return err_set(err, -errno, "limit of files");
	r = ns_join(setup->mon->host_mntns_fd, CLONE_NEWNS);
	if (r < 0)
		return err_set(err, r, "join the host's mount namespace");
	if (setup->proxy->bind_instance)
		r = listen_inside(setup, err);
	else
		r = proxy_open_sockets(setup->proxy, &setup->listen, setup->listen_fds, err);
	if (r == 0)
		r = join_other_side(setup, err);
	if (r < 0)
		return r;
	close_others(setup, keep);
	return give_up_rights(setup, err);
}

static _Noreturn void process_main(struct setup *setup, int report_fd, int control_fd)
{
	struct report report = { 0 };
	int keep[2] = { report_fd, control_fd };
	struct relay relay;

	(void)prctl(PR_SET_NAME, "sysctr-proxy");
	title_set(&setup->mon->title, "sysctr-proxy", setup->mon->name, setup->proxy->device);
	report.result = prepare(setup, keep, &report.err);
	if (fd_write_all(keep[0], &report, sizeof(report)) < 0 || report.result < 0)
		_exit(1);
	(void)fd_close(keep[0]);
	relay = (struct relay){
		.connect = &setup->connect,
		.listen_fds = setup->listen_fds,
		.n_listen = setup->listen.n_ports,
		.datagrams = setup->listen.kind == PROXY_UDP,
		.tell_origin = setup->proxy->proxy_protocol,
		.control_fd = keep[1],
	};
	_exit(relay_run(&relay) < 0);
}

/* ---- in the monitor ---- */

static int await_ready(int fd, struct err *err)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct report report;
	int r;

	do
		r = poll(&pfd, 1, READY_TIMEOUT_MS);
	while (r < 0 && errno == EINTR);
	if (r <= 0 || read(fd, &report, sizeof(report)) != (ssize_t)sizeof(report))
		return err_set(err, -EIO, "its process died or hangs");
	if (report.result < 0) {
		report.err.msg[sizeof(report.err.msg) - 1] = '\0';
		if (err)
			*err = report.err;
	}
	return report.result;
}

static void stop_process(struct proxy_process *process)
{
	int status;

	process->control_fd = fd_close(process->control_fd);
	if (process->pid > 0) {
		(void)pidfd_signal(process->pidfd, SIGKILL);
		(void)pidfd_reap(process->pidfd, true, &status);
	}
	process->pid = 0;
	process->pidfd = fd_close(process->pidfd);
}

static int start_process(struct setup *setup, struct proxy_process *process, struct err *err)
{
	struct ns_clone args = { .cgroup_fd = -EBADF };
	int report_fds[2], control_fds[2];
	int r = fd_pipe(report_fds);

	if (r < 0)
		return err_set(err, r, "make a pipe");
	r = fd_pipe(control_fds);
	if (r < 0) {
		(void)fd_close(report_fds[0]);
		(void)fd_close(report_fds[1]);
		return err_set(err, r, "make a pipe");
	}
	process->pid = ns_clone(&args);
	if (process->pid == 0)
		process_main(setup, report_fds[1], control_fds[0]);
	(void)fd_close(report_fds[1]);
	(void)fd_close(control_fds[0]);
	process->pidfd = process->pid > 0 ? args.pidfd : -EBADF;
	process->control_fd = control_fds[1];
	process->started_ns = time_mono_ns();
	if (process->pid < 0)
		r = err_set(err, process->pid, "start a process");
	else
		r = await_ready(report_fds[0], err);
	(void)fd_close(report_fds[0]);
	if (r < 0)
		stop_process(process);
	return r;
}

static int parse(struct mon *mon, const struct spec_proxy *proxy, struct setup *ret_setup,
		 struct err *err)
{
	int r;

	*ret_setup = (struct setup){ .mon = mon, .proxy = proxy };
	r = proxy_addr_parse(proxy->listen, &ret_setup->listen, err);
	return r < 0 ? r : proxy_addr_parse(proxy->connect, &ret_setup->connect, err);
}

static int add_proxy(struct mon *mon, const void *item, struct err *err)
{
	const struct spec_proxy *proxy = item;
	struct proxy_process process = { 0 };
	struct setup setup;
	int r = parse(mon, proxy, &setup, err);

	if (r == 0)
		r = start_process(&setup, &process, err);
	if (r < 0)
		return r;
	process.device = xstrdup(proxy->device);
	*vec_push(&mon->proxies.list) = process;
	return 0;
}

/* A file on the host is removed by us; one inside is the guest's, and goes with its life. */
static void remove_file(struct mon *mon, const struct spec_proxy *proxy)
{
	struct ns_clone args = { .cgroup_fd = -EBADF };
	struct setup setup;
	pid_t pid;
	int status;

	if (parse(mon, proxy, &setup, NULL) < 0 || setup.listen.kind != PROXY_UNIX)
		return;
	pid = ns_clone(&args);
	if (pid == 0) {
		const struct life *life = &mon->life;

		if ((proxy->bind_instance
			     ? proxy_enter(life->userns_fd, life->mntns_fd, -EBADF, NULL)
			     : ns_join(mon->host_mntns_fd, CLONE_NEWNS)) == 0)
			proxy_unlink(&setup.listen);
		_exit(0);
	}
	if (pid > 0) {
		(void)pidfd_reap(args.pidfd, true, &status);
		(void)fd_close(args.pidfd);
	}
}

static int remove_proxy(struct mon *mon, const void *item, struct err *err)
{
	const struct spec_proxy *proxy = item;

	(void)err; /* cannot fail */
	for (size_t i = 0; i < mon->proxies.list.len; i++) {
		struct proxy_process *process = &mon->proxies.list.items[i];

		if (!streq(process->device, proxy->device))
			continue;
		stop_process(process);
		free(process->device);
		*process = mon->proxies.list.items[--mon->proxies.list.len];
		break;
	}
	remove_file(mon, proxy);
	return 0;
}

static const struct spec_proxy *find_spec(const struct mon *mon, const char *device)
{
	vec_for_each(proxy, &mon->spec.proxies) {
		if (streq(proxy->device, device))
			return proxy;
	}
	return NULL;
}

bool proxies_reaped(struct mon *mon, pid_t pid, int wait_status)
{
	struct log_keys keys = mon_keys(mon, "devices");

	vec_for_each(process, &mon->proxies.list) {
		const struct spec_proxy *proxy;
		struct err err = { 0 };
		struct setup setup;

		if (process->pid != pid)
			continue;
		log_error(keys, "device=%s: its process ended status=0x%x", process->device,
			  (unsigned int)wait_status);
		process->pid = 0;
		stop_process(process);
		proxy = find_spec(mon, process->device);
		/* One that ends at once would do so for ever. */
		if (proxy && time_mono_ns() - process->started_ns > NS_PER_S &&
		    (parse(mon, proxy, &setup, &err) < 0 ||
		     start_process(&setup, process, &err) < 0))
			log_error(keys, "device=%s: %s", process->device, err.msg);
		return true;
	}
	return false;
}

void proxies_stop(struct mon *mon)
{
	while (mon->proxies.list.len > 0) {
		struct proxy_process *process = &mon->proxies.list.items[0];
		const struct spec_proxy *proxy = find_spec(mon, process->device);

		/* What is inside goes with its mounts. */
		if (proxy && !proxy->bind_instance) {
			(void)remove_proxy(mon, proxy, NULL);
			continue;
		}
		stop_process(process);
		free(process->device);
		*process = mon->proxies.list.items[--mon->proxies.list.len];
	}
}

const struct device_kind device_kind_proxy = {
	.what = "proxy",
	.offset = offsetof(struct inst_spec, proxies),
	.schema = &spec_proxy_schema,
	.late = true,
	.add = add_proxy,
	.remove = remove_proxy,
};
