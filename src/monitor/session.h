/*
 * monitor/session.h - commands run inside the container (exec, shell)
 *
 * Layer monitor. Never blocks: the helper's report is waited for by the monitor's loop, because a
 * guest can make each step inside its file system hang. Only fallible allocations (style M4).
 *
 *     start()            report: EOF after pid               reaped()
 *   ────────► STARTING ────────────────────────► RUNNING ─────────────► EXITED ──► forget()
 *                │  report: error, or timeout, or died unseen               (kept until told,
 *                └────────► FAILED ──► forgotten after the callback          or the grace is over)
 *
 *   N1  A session in STARTING ends in exactly one `started` callback.
 *   N2  A pid of ours is signalled only while it is not reaped, so never a stranger's.
 *   N3  A leaf cgroup outlives its session while a process it left behind lives there.
 *   N4  A client that has a link and closes it ends its session, whatever sysctrd does.
 *   N5  A session with an operation goes on when sysctrd dies (session_keep.h), and its end is kept
 *       until somebody is told.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/strmap.h"
#include "monitor/session_keep.h"
#include "os/cgroup.h"

enum {
	SESSIONS_MAX = 512, /* per container */
	SESSION_START_TIMEOUT_MS = 20000,
	SESSION_GRACE_MS = 120000, /* an exit that nobody asked for, without an operation */
};

/* The container that sessions join; borrowed for the time of the call. */
struct session_env {
	int init_pidfd;
	const struct cgroup *cgroup;
	int program_fd;	       /* session_open_program() */
	int seccomp_fd;	       /* session_make_seccomp_fd() */
	int environment_fd;    /* session_make_environment_fd() */
	uint64_t cap_bounding; /* 1 << CAP_*: the same set as init's */
	bool joins_userns;     /* false: privileged, it has none of its own */
	uint32_t intercepts;   /* intercept_wanted() */
	int oom_score_adj;
	const struct spec_rlimits *rlimits;
	uid_t root_id[2]; /* host uid and gid of the container's root: owners of the leaf */
};

/* What to run; all descriptors are borrowed. */
struct session_request {
	int spec_fd;	      /* memfd with a wire-encoded struct session_spec */
	const int *stdio_fds; /* 0, 1 and 2 of the command; NULL: interactive, it gets a terminal */
	uint64_t cookie;      /* comes back in the callback */
	bool link;	      /* the client gets a link of its own: spec/link.h */
	const char *op;	      /* what sessions_prepare() was told; NULL: it is not kept */
};

/* What a start became. */
struct session_started {
	uint64_t id;
	uint64_t cookie; /* of the request */
	bool ok;
	int master_fd; /* interactive: the pty; the callback takes it with TAKE_FD or it is closed */
	int link_fd;   /* the client's end, the same */
	int exit_status;       /* of a shell, when the command could not be run: 126, 127; else 0 */
	const struct err *err; /* NULL when ok */
};

/* Called back from the functions below; may sessions_forget() the session told of, no other. */
struct sessions_callbacks {
	void (*started)(void *data, struct session_started *started);
	/* RUNNING became EXITED; wait status as of waitpid(2). */
	void (*exited)(void *data, uint64_t id, int wait_status);
	/* What asks for answers to the command's system calls; taken. */
	void (*listener)(void *data, int listener_fd);
	void *data;
};

struct session;

struct sessions {
	struct list list; /* struct session, oldest first */
	size_t count;
	uint64_t last_id;
	int epoll_fd; /* reports and the timer */
	int timer_fd;
	struct keep prepared; /* for the next start */
	struct sessions_callbacks callbacks;
};

int sessions_init(struct sessions *sessions, const struct sessions_callbacks *callbacks);

/*
 * Forget all: the container's init is dead, and its commands with it. The callbacks are called for
 * those that were being started, because somebody waits for them; for no others.
 */
void sessions_done(struct sessions *sessions);

/* For the monitor's loop: readable means call sessions_dispatch(). */
int sessions_fd(const struct sessions *sessions);
void sessions_dispatch(struct sessions *sessions);

/* A session whose end somebody has to be told. */
struct session_end {
	uint64_t id;
	bool ended;
	int wait_status; /* when ended */
	const char *op;	 /* borrowed; NULL: it has none */
	bool record;
};

/* The next start with @op is to be kept. Arguments and errors: keep_prepare(). */
int sessions_prepare(struct sessions *sessions, const char *op, bool record, int *fds,
		     size_t n_fds);

/*
 * Begin to run what @request says. The container must not be frozen: the command would be, too.
 *
 * Errors: ERR_UNAVAILABLE at SESSIONS_MAX; ERR_INVALID: another operation was prepared; -errno of
 * making the leaf or of the spawn.
 */
int sessions_start(struct sessions *sessions, const struct session_env *env,
		   const struct session_request *request, uint64_t *ret_id, struct err *err);

/* Give every pid that waitpid() returned. Returns: whether it was one of ours. */
bool sessions_reaped(struct sessions *sessions, pid_t pid, int wait_status);

/* Errors of these three: ERR_NOT_FOUND, ERR_CONFLICT (exited). */
int sessions_signal(struct sessions *sessions, uint64_t id, int signal, struct err *err);
int sessions_resize(struct sessions *sessions, uint64_t id, uint32_t width, uint32_t height,
		    struct err *err);

/* The client does not read stream @index (0 output, 1 errors) any more. Errors: ERR_NOT_FOUND. */
int sessions_release(struct sessions *sessions, uint64_t id, size_t index, struct err *err);

/* The client is gone: hang up, SIGKILL to the process group and to all in the leaf. */
int sessions_end(struct sessions *sessions, uint64_t id, struct err *err);

/*
 * sysctrd is gone. Sessions with an operation go on without a client. Of the others a client holds
 * its own pty master, and without ours its death hangs up the session; one with a link is known to
 * live, and may still resize.
 */
void sessions_alone(struct sessions *sessions);

/*
 * The next session whose id is larger than @after (start with 0) and that a new client has to know:
 * it has ended, or has an operation. Returns: false when there is none.
 */
bool sessions_next_known(const struct sessions *sessions, uint64_t after,
			 struct session_end *ret_end);

/* Told: drop an EXITED session. */
void sessions_forget(struct sessions *sessions, uint64_t id);

/* A read-only view of sysctr-exec that no container can write through; SYSCTR_LIBEXECDIR or beside us. */
int session_open_program(int *ret_fd, struct err *err);

/* Sealed memfds, made before init runs: these allocate. */
int session_make_seccomp_fd(const struct buf *filter, int *ret_fd, struct err *err);
int session_make_environment_fd(const struct strmap *environment, int *ret_fd, struct err *err);
