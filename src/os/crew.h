/*
 * os/crew.h - processes that take work of one kind off the one that finds it
 *
 * Layer: os. Helper programs. One process has one thread, so what several processors can do at once is
 * done by several processes. They are copies of this one (fork(2)), so what the work needs is there;
 * each takes the next message when it is through with the last one.
 *
 *   C1  They live no longer than the one that started them (PR_SET_PDEATHSIG), and have ended when
 *       crew_finish() or crew_abort() returns.
 *   C2  The first one that fails ends it all; a killed one counts as failed.
 */
#pragma once

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	CREW_MAX = 4, /* processes */
	CREW_FDS_MAX = 3,
	CREW_BYTES_MAX = 16 << 10 /* of a message */
};

struct crew {
	size_t n; /* 0: there is none */
	pid_t pids[CREW_MAX];
	int work_fd, failure_fd;
};

/*
 * Work on one message, in a process of the crew. @bytes and @fds are the crew's again afterwards.
 * @ret_what: PATH_MAX bytes for what failed. Returns: 0 or -errno.
 */
typedef int crew_fn(void *data, const char *bytes, size_t len, const int *fds, size_t n_fds,
		    char *ret_what);

/* One for each processor that this process may use, at most CREW_MAX. */
size_t crew_size(void);

/* Start @n processes (1 to CREW_MAX). Errors: of socketpair(2) and fork(2); there is none then. */
int crew_start(struct crew *ret_crew, size_t n, crew_fn *work, void *data);

/*
 * Hand over @bytes and copies of @fds. @ret_what: PATH_MAX bytes.
 * Errors: -EAGAIN: all are busy, for @timeout_ms now; of the work, of any message, with what failed;
 * -EIO: one was killed.
 */
int crew_hand(struct crew *crew, const char *bytes, size_t len, const int *fds, size_t n_fds,
	      int timeout_ms, char *ret_what);

/*
 * Nothing more comes: wait until all is done. Errors: as crew_hand(); after -EAGAIN it may be called
 * again, else they have ended.
 */
int crew_finish(struct crew *crew, int timeout_ms, char *ret_what);

/* Kill them; for one that is not there, too. */
void crew_abort(struct crew *crew);
