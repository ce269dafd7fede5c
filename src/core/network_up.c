/*
 * core/network_up.c - bridge and dnsmasq of one network: brought up, supervised, taken down
 *
 * Layer core, in sysctrd. dnsmasq:
 *
 *     absent --sync--> alive --died--> absent (retry with back-off, or at once when restart is set)
 *        ^               |
 *        +---- ended ----+-- stop / restart: stopping
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/network_priv.h"
#include "network/apply.h"
#include "network/host.h"
#include "network/port.h"
#include "network/process.h"
#include "os/fd.h"
#include "os/netlink.h"
#include "os/path.h"
#include "os/pidfd.h"

enum {
	CONF_MAX = 64 * 1024,
	LOG_TEXT = 384,
	DNS_PORT = 53,
	DNSMASQ_BAD_NETWORK = 2 /* its exit status when a socket cannot be bound */
};

#define TRUST_NS       (1 * (uint64_t)NS_PER_S) /* alive so long after its start: it works */
#define CALM_NS	       (60 * (uint64_t)NS_PER_S)
#define BACKOFF_MIN_NS (100 * (uint64_t)NS_PER_MS)
#define BACKOFF_MAX_NS (30 * (uint64_t)NS_PER_S)
#define HUP_DELAY_NS   (20 * (uint64_t)NS_PER_MS)
#define SETTLE_NS      (200 * (uint64_t)NS_PER_MS)

static void start(struct netman_net *net);

char *netman_net_path(const struct netman_net *net, const char *file)
{
	return xasprintf("%s/%s", net->dir, file);
}

char *netman_net_lease_file(const struct netman_net *net)
{
	return xasprintf("%s/dnsmasq.leases", net->state_dir);
}

bool netman_net_wants_dnsmasq(const struct netman_net *net)
{
	const struct net_plan *p = &net->plan;
	return net->up && !net->held_down && (p->v4.enabled || p->v6.enabled);
}

static bool is_alive(const struct netman_net *net)
{
	return net->proc || net->pidfd >= 0;
}

static void signal_dnsmasq(struct netman_net *net, int signum)
{
	if (net->proc)
		(void)aio_proc_kill(net->proc, signum); /* it may have just ended */
	else if (net->pidfd >= 0)
		(void)pidfd_signal(net->pidfd, signum);
}

static void let_go(struct netman_net *net)
{
	net->proc = aio_proc_free(net->proc);
	net->poll = aio_poll_free(net->poll);
	net->pidfd = fd_close(net->pidfd);
}

void netman_net_detach(struct netman_net *net)
{
	aio_timer_stop(&net->retry);
	aio_timer_stop(&net->hup);
	let_go(net);
}

static void stop(struct netman_net *net)
{
	aio_timer_stop(&net->retry);
	net->restart = false;
	if (!is_alive(net) || net->stopping)
		return;
	net->stopping = true;
	signal_dnsmasq(net, SIGTERM);
}

void netman_net_restart(struct netman_net *net)
{
	if (!is_alive(net))
		return;
	stop(net);
	net->restart = true;
}

static void on_hup_timer(void *data)
{
	struct netman_net *net = data;
	if (!net->stopping)
		signal_dnsmasq(net, SIGHUP);
}

void netman_net_hup(struct netman_net *net)
{
	if (is_alive(net) && !aio_timer_armed(&net->hup))
		aio_timer_start(net->nm->loop, &net->hup, HUP_DELAY_NS, on_hup_timer, net);
}

/* What it said last on standard error, fit for a message. Returns: new string, maybe "". */
static char *read_log(const struct netman_net *net)
{
	_cleanup_(freep) char *path = netman_net_path(net, "dnsmasq.log");
	char text[LOG_TEXT] = "";
	(void)fd_read_file_at(AT_FDCWD, path, text, sizeof(text)); /* "" then */
	for (char *p = text; *p; p++)
		if (*p == '\n')
			*p = ' ';
	return str_printable(text[0] == ' ' ? text + 1 : text, false);
}

static char *describe_holder(const struct net_port_holder *holder)
{
	if (holder->pid == 0)
		return xstrdup("another process");
	return xasprintf("%s (pid %d)", holder->name, (int)holder->pid);
}

/* Returns: whether that was the reason of its end, so that it can start without DNS. */
static bool give_up_dns(struct netman_net *net)
{
	struct net_port_holder holder;
	if (net->dns_given_up || !net_port_find_holder(DNS_PORT, net->plan.ip4.addr, &holder))
		return false;
	_cleanup_(freep) char *who = describe_holder(&holder);
	net->dns_given_up = true;
	netman_warn(net, NETMAN_WARN_DNS_PORT_IN_USE,
		    xasprintf("port 53 is held by %s: DHCP works, names of instances do not", who));
	return true;
}

static void on_retry_timer(void *data)
{
	start(data);
}

static void retry_later(struct netman_net *net)
{
	net->backoff_ns =
		net->backoff_ns == 0 ? BACKOFF_MIN_NS : MIN(net->backoff_ns * 2, BACKOFF_MAX_NS);
	aio_timer_start(net->nm->loop, &net->retry, net->backoff_ns, on_retry_timer, net);
}

/* It ended by itself. */
static void died(struct netman_net *net, const char *how, int exit_status)
{
	uint64_t lived_ns = aio_now(net->nm->loop) - net->started_ns;
	if (lived_ns > CALM_NS)
		net->backoff_ns = 0;
	if (lived_ns < TRUST_NS && exit_status == DNSMASQ_BAD_NETWORK && give_up_dns(net)) {
		start(net);
		return;
	}
	if (lived_ns < TRUST_NS) {
		_cleanup_(freep) char *log = read_log(net);
		netman_warn(net, NETMAN_WARN_DHCP, xasprintf("dnsmasq %s: %s", how, log));
	}
	retry_later(net);
}

static void ended(struct netman_net *net, const char *how, int exit_status)
{
	bool stopping = net->stopping;
	bool again = net->restart;
	let_go(net);
	aio_timer_stop(&net->retry);
	net->stopping = false;
	net->restart = false;
	if (again)
		start(net);
	else if (!stopping)
		died(net, how, exit_status);
}

static void on_child_end(void *data, int wait_status)
{
	char how[AIO_STATUS_LEN];
	ended(data, aio_status_text(how, wait_status),
	      WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1);
}

static void on_adopted_end(void *data, unsigned int ready)
{
	(void)ready; /* a pidfd knows only one event */
	ended(data, "ended", -1);
}

static void on_trusted(void *data)
{
	netman_warn(data, NETMAN_WARN_DHCP, NULL);
}

static int make_conf(const struct netman_net *net, struct buf *out, struct err *err)
{
	_cleanup_(freep) char *pid_file = netman_net_path(net, "dnsmasq.pid");
	_cleanup_(freep) char *lease_file = netman_net_lease_file(net);
	_cleanup_(freep) char *dhcp_hosts = netman_net_path(net, "dhcp-hosts");
	_cleanup_(freep) char *hosts = netman_net_path(net, "hosts");
	_cleanup_(strv_freep) char **others = net->dns_given_up ? net_host_nameservers() : NULL;
	const struct net_dnsmasq_paths paths = { pid_file, lease_file, dhcp_hosts, hosts };
	if (!net_dnsmasq_path_is_safe(net->dir) || !net_dnsmasq_path_is_safe(net->state_dir))
		return err_kind(err, ERR_UNSUPPORTED,
				"dnsmasq cannot use a path with special characters: %s", net->dir);
	net_dnsmasq_conf(&net->plan, &paths, net_process_user(), !net->dns_given_up,
			 (const char *const *)others, out);
	return 0;
}

/* The whole path, relative to /. */
static int make_dir(const char *path, struct err *err)
{
	_cleanup_(fd_closep) int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	if (root_fd < 0)
		return err_set(err, -errno, "open /");
	dir_fd = path_make_dir(root_fd, path + strspn(path, "/"), 0755);
	return dir_fd < 0 ? err_set(err, dir_fd, "make directory %s", path) : 0;
}

static int make_dirs(const struct netman_net *net, struct err *err)
{
	_cleanup_(freep) char *dhcp_hosts = netman_net_path(net, "dhcp-hosts");
	_cleanup_(freep) char *hosts = netman_net_path(net, "hosts");
	int r = make_dir(net->dir, err);
	if (r == 0)
		r = make_dir(dhcp_hosts, err);
	if (r == 0)
		r = make_dir(hosts, err);
	return r == 0 ? make_dir(net->state_dir, err) : r;
}

/* Whether the file on disk, which a running dnsmasq has read, is just this text. */
static bool conf_is(const char *path, const struct buf *text)
{
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf now = { 0 };
	bool same = fd >= 0 && fd_read_all(fd, CONF_MAX, &now) == 0 &&
		    streq(buf_str(&now), buf_str(text));
	buf_done(&now);
	return same;
}

static int write_conf(const char *path, struct netman_net *net, struct err *err)
{
	struct buf text = { 0 };
	int r = make_conf(net, &text, err);
	_cleanup_(fd_closep) int dir_fd = open(net->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r == 0 && dir_fd < 0)
		r = err_set(err, -errno, "open %s", net->dir);
	if (r == 0) {
		r = fd_replace_file_at(dir_fd, "dnsmasq.conf", buf_str(&text), 0644);
		if (r < 0)
			(void)err_set(err, r, "write %s", path);
	}
	buf_done(&text);
	return r;
}

static int spawn(struct netman_net *net, struct err *err)
{
	_cleanup_(freep) char *conf = netman_net_path(net, "dnsmasq.conf");
	_cleanup_(freep) char *log = netman_net_path(net, "dnsmasq.log");
	_cleanup_(strv_freep) char **argv = net_process_argv(conf);
	int r = make_dirs(net, err);
	if (r == 0)
		r = write_conf(conf, net, err);
	if (r < 0)
		return r;
	netman_clean_leases(net);
	_cleanup_(fd_closep) int log_fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	const int fds[] = { -1, -1, log_fd };
	const struct aio_proc_spec spec = { .program = argv[0],
					    .argv = (const char *const *)argv,
					    .fds = fds,
					    .n_fds = ARRAY_LEN(fds) };
	r = aio_proc_spawn(net->nm->loop, &spec, on_child_end, net, &net->proc, err);
	if (r < 0)
		return err_wrap(err, "start dnsmasq");
	net_process_set_apart(net->nm->tag, net->record->name, aio_proc_pid(net->proc));
	return 0;
}

static void start(struct netman_net *net)
{
	struct err err = { 0 };
	if (net->nm->closing || is_alive(net) || !netman_net_wants_dnsmasq(net))
		return;
	net->started_ns = aio_now(net->nm->loop);
	if (spawn(net, &err) < 0) {
		netman_warn(net, NETMAN_WARN_DHCP, xstrdup(err_text(&err, -EIO)));
		retry_later(net);
		return;
	}
	aio_timer_start(net->nm->loop, &net->retry, TRUST_NS, on_trusted, net);
}

/* Look once for one that an earlier sysctrd started. */
static void adopt(struct netman_net *net)
{
	_cleanup_(freep) char *conf = netman_net_path(net, "dnsmasq.conf");
	_cleanup_(freep) char *pid_file = netman_net_path(net, "dnsmasq.pid");
	int pidfd = -EBADF;
	if (net->looked)
		return;
	net->looked = true;
	if (net_process_find(pid_file, conf, &pidfd) < 0)
		return;
	net->poll = aio_poll_new(net->nm->loop, pidfd, on_adopted_end, net);
	if (!net->poll) {
		(void)fd_close(pidfd);
		return;
	}
	net->pidfd = pidfd;
	aio_poll_set(net->poll, AIO_READ);
	netman_net_hup(net);
}

void netman_net_sync(struct netman_net *net)
{
	_cleanup_(freep) char *conf = netman_net_path(net, "dnsmasq.conf");
	struct buf text = { 0 };
	struct err err = { 0 };
	if (net->nm->closing)
		return;
	adopt(net);
	if (!netman_net_wants_dnsmasq(net)) {
		stop(net);
		return;
	}
	if (make_dirs(net, &err) < 0 || netman_write_hosts(net, &err) < 0 ||
	    make_conf(net, &text, &err) < 0)
		netman_warn(net, NETMAN_WARN_DHCP, xstrdup(err_text(&err, -EIO)));
	else if (!is_alive(net))
		start(net);
	else if (net->stopping)
		net->restart = true;
	else if (!conf_is(conf, &text))
		netman_net_restart(net);
	buf_done(&text);
}

int netman_net_up(struct netman_net *net, struct err *err)
{
	struct err own = { 0 };
	bool was_there = if_nametoindex(net->record->name) != 0;
	bool was_up = net->up;
	net->held_down = false;
	if (!net->plan.bridge)
		return err_kind(err, ERR_UNAVAILABLE, "%s", net->warned[NETMAN_WARN_UNAVAILABLE]);
	int r = net_apply_bridge(&net->plan, &own);
	net->up = r == 0;
	netman_warn(net, NETMAN_WARN_UNAVAILABLE, r < 0 ? xstrdup(err_text(&own, r)) : NULL);
	if (r < 0) {
		if (err)
			*err = own;
		return r;
	}
	if (!was_there)
		netman_net_restart(net); /* its sockets belong to the bridge that was */
	netman_net_sync(net);
	if (!was_up || !was_there)
		netman_event(net->nm, net->record->name, "up");
	return 0;
}

void netman_net_remove_state(const struct netman_net *net)
{
	_cleanup_(freep) char *leases = netman_net_lease_file(net);
	(void)unlink(leases);
	(void)rmdir(net->state_dir);
}

static void remove_files(const struct netman_net *net)
{
	static const char *const files[] = { "dnsmasq.conf", "dnsmasq.pid", "dnsmasq.log" };
	_cleanup_(fd_closep) int dir_fd =
		open(net->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir_fd < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		(void)unlinkat(dir_fd, files[i], 0);
	/* Not empty while instances have addresses there: then it is needed again. */
	(void)unlinkat(dir_fd, "dhcp-hosts", AT_REMOVEDIR);
	(void)unlinkat(dir_fd, "hosts", AT_REMOVEDIR);
	(void)unlinkat(AT_FDCWD, net->dir, AT_REMOVEDIR);
}

int netman_net_down(struct netman_net *net, struct err *err)
{
	int r = 0;
	net->up = false;
	adopt(net);
	stop(net);
	remove_files(net);
	r = net_remove_bridge(net->nm->tag, net->record->name, err);
	net_process_forget(net->nm->tag, net->record->name);
	return r;
}

/* What a daemon left that died between forgetting a network and taking it down. */
static void remove_stray(const struct netman *nm, const char *name)
{
	_cleanup_(freep) char *dir = xasprintf("%s/networks/%s", nm->runtime_dir, name);
	const struct netman_net stray = { .dir = dir };
	_cleanup_(freep) char *conf = netman_net_path(&stray, "dnsmasq.conf");
	_cleanup_(freep) char *pid_file = netman_net_path(&stray, "dnsmasq.pid");
	_cleanup_(fd_closep) int pidfd = -EBADF;
	if (net_process_find(pid_file, conf, &pidfd) > 0)
		(void)pidfd_signal(pidfd, SIGTERM); /* it may have just ended */
	remove_files(&stray);
	(void)net_remove_bridge(nm->tag, name, NULL); /* tried again at the next start */
	net_process_forget(nm->tag, name);
}

void netman_remove_strays(const struct netman *nm)
{
	_cleanup_(strv_freep) char **bridges = net_list_bridges(nm->tag);
	for (size_t i = 0; bridges && bridges[i]; i++)
		if (!netman_find(nm, bridges[i]))
			remove_stray(nm, bridges[i]);
}

void netman_net_check(struct netman_net *net)
{
	struct net_port_holder holder;
	if (net->held_down || !net->nm->started)
		return;
	if (!net->up || if_nametoindex(net->record->name) == 0) {
		(void)netman_net_up(net, NULL); /* warned of there */
		return;
	}
	if (net->dns_given_up && !net_port_find_holder(DNS_PORT, net->plan.ip4.addr, &holder)) {
		net->dns_given_up = false;
		netman_warn(net, NETMAN_WARN_DNS_PORT_IN_USE, NULL);
		netman_net_sync(net);
	}
	if (!is_alive(net) && !aio_timer_armed(&net->retry))
		netman_net_sync(net);
}

static void on_links_settled(void *data)
{
	struct netman *nm = data;
	vec_for_each(net, &nm->nets)
		if ((*net)->up && if_nametoindex((*net)->record->name) == 0)
			netman_net_check(*net);
}

static void on_link_event(void *data, unsigned int ready)
{
	struct netman *nm = data;
	(void)ready;
	if (netlink_read_events(nm->events) != 0 && !aio_timer_armed(&nm->settle))
		aio_timer_start(nm->loop, &nm->settle, SETTLE_NS, on_links_settled, nm);
}

void netman_watch_links(struct netman *nm)
{
	/* Without events the slow timer sees to it. */
	if (nm->events || netlink_open(-EBADF, NETLINK_EVENTS, &nm->events, NULL) < 0)
		return;
	nm->events_poll = aio_poll_new(nm->loop, netlink_fd(nm->events), on_link_event, nm);
	if (nm->events_poll)
		aio_poll_set(nm->events_poll, AIO_READ);
}
