/* monitor/setup_clone.c - phases: make the container's first process, lead it to its exec */
#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "monitor/child.h"
#include "monitor/mon.h"
#include "monitor/setup.h"
#include "monitor/sync.h"
#include "os/fd.h"
#include "os/idmap.h"
#include "os/ns.h"
#include "os/sock.h"

enum {
	SETUP_TIMEOUT_MS = 30000,
	NS_FLAGS = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
};

int setup_clone(void *data, struct err *err)
{
	struct mon *mon = data;
	struct life *life = &mon->life;
	struct ns_clone args = {
		.flags = NS_FLAGS | (mon->spec.privileged ? 0 : CLONE_NEWUSER),
		.cgroup_fd = mon->cgroup.payload_fd,
	};
	int pair[2];
	pid_t pid;
	int r = notify_socket(&life->notify_fd);

	if (r == 0)
		r = sock_pair(pair);
	if (r < 0)
		return err_set(err, r, "make sockets");
	pid = ns_clone(&args);
	if (pid == 0) {
		(void)fd_close(pair[0]);
		child_main(mon, pair[1]);
	}
	(void)fd_close(pair[1]);
	life->sync_fd = pair[0];
	if (pid < 0)
		return err_set(err, pid, "clone into new namespaces");
	life->init_pid = pid;
	life->init_pidfd = args.pidfd;
	return 0;
}

static int write_maps(pid_t pid, const struct inst_spec *spec)
{
	struct idrange own = { spec->id_base, spec->id_count };
	_cleanup_(freep) char *uid_map = idmap_text(&spec->idmaps, IDMAP_UID, &own);
	_cleanup_(freep) char *gid_map = idmap_text(&spec->idmaps, IDMAP_GID, &own);

	return idmap_write_text(pid, uid_map, gid_map);
}

int setup_map_ids(void *data, struct err *err)
{
	struct mon *mon = data;
	struct life *life = &mon->life;
	const struct inst_spec *spec = &mon->spec;
	int r;

	if (!spec->privileged) {
		r = write_maps(life->init_pid, spec);
		if (r < 0)
			return err_set(err, r, "map %u ids from %u", spec->id_count, spec->id_base);
		life->userns_fd = ns_open(life->init_pid, "user");
		if (life->userns_fd < 0)
			return err_set(err, life->userns_fd, "open user namespace");
	}
	life->netns_fd = ns_open(life->init_pid, "net");
	if (life->netns_fd < 0)
		return err_set(err, life->netns_fd, "open network namespace");
	r = sync_send(life->sync_fd, SYNC_IDS, -EBADF, NULL);
	return r < 0 ? err_set(err, r, "tell the child") : 0;
}

/* Nothing of the set-up can fail any more. */
static void take_listener(struct mon *mon, int fd)
{
	struct log_keys keys = mon_keys(mon, "await-exec");

	mon->life.exec_announced = true;
	if (fd >= 0)
		intercept_add(mon, fd);
	else if (intercept_wanted(mon))
		log_info(keys, "its system calls are the kernel's: no listener here");
}

/* One message of the child. Returns: 1 to go on, 0 when exec has happened. */
static int take_message(struct mon *mon, struct err *err)
{
	_cleanup_(fd_closep) int fd = -EBADF;
	struct sync_msg msg;
	int r = sync_recv(mon->life.sync_fd, SETUP_TIMEOUT_MS, &msg, &fd);

	if (r < 0)
		return err_set(err, r, "await-exec: wait for the child");
	if (r == 0 && !mon->life.exec_announced)
		return err_set(err, -ECHILD, "await-exec: the child died during its set-up");
	if (r == 0)
		return 0;
	if (msg.kind == SYNC_FAILED) {
		*err = msg.err;
		return msg.err.code < 0 ? msg.err.code : -EIO;
	}
	if (msg.kind == SYNC_CONSOLE && fd >= 0) {
		r = console_set_master(&mon->console, TAKE_FD(fd));
		if (r < 0)
			return err_set(err, r, "await-exec: take the console");
	}
	if (msg.kind == SYNC_PIVOTED)
		mon->life.root_ready = true;
	if (msg.kind == SYNC_EXEC)
		take_listener(mon, TAKE_FD(fd));
	return 1;
}

/* The child's own words when it fails meanwhile. */
int setup_await_root(void *data, struct err *err)
{
	struct mon *mon = data;
	int r = 1;

	while (r > 0 && !mon->life.root_ready)
		r = take_message(mon, err);
	if (r < 0)
		return r;
	mon->life.mntns_fd = ns_open(mon->life.init_pid, "mnt");
	if (mon->life.mntns_fd < 0)
		return err_set(err, mon->life.mntns_fd, "await-root: open mount namespace");
	return 0;
}

int setup_attach_devices(void *data, struct err *err)
{
	return devices_attach(data, err);
}

int setup_release(void *data, struct err *err)
{
	struct mon *mon = data;
	int r = sync_send(mon->life.sync_fd, SYNC_GO, -EBADF, NULL);

	/* A child that failed has closed its end; await-exec has its reason. */
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return err_set(err, r, "tell the child");
	return 0;
}

int setup_await_exec(void *data, struct err *err)
{
	struct mon *mon = data;
	int r;

	do
		r = take_message(mon, err);
	while (r > 0);
	mon->life.sync_fd = fd_close(mon->life.sync_fd);
	return r;
}

int setup_announce(void *data, struct err *err)
{
	struct mon *mon = data;
	struct life *life = &mon->life;
	int r;

	life->started_mono_ns = time_mono_ns();
	life->started_wall_ns = (uint64_t)time_wall_ns();
	mon->was_started = true;
	r = notify_start(&mon->notify, TAKE_FD(life->notify_fd), life->init_pid);
	return r < 0 ? err_set(err, r, "listen for readiness") : 0;
}
