/*
 * aio/proc.h - child programs (aio, sysctrd)
 *
 * A child gets exactly the listed descriptors, the listed environment, default signal dispositions
 * and its own session. (All descriptors here are close-on-exec; what a program inherited itself
 * it marks with fd_cloexec_from() in its main.) Spawning waits for the exec itself (about 1 ms), never for the child.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "aio/loop.h"
#include "base/err.h"

enum {
	AIO_PROC_FDS_MAX = 16,
	AIO_RUN_OUTPUT_MAX = 16 * 1024 /* bytes of a stream kept by aio_run_text() */
};

struct aio_proc_spec {
	const char *program; /* with a slash: a path; else looked up in the system's directories */
	const char *const *argv; /* NULL-terminated, argv[0] included */
	const char *const *env;	 /* NULL: a PATH and LC_ALL=C.UTF-8 only */
	const int *fds;		 /* become 0..n_fds-1; a negative one becomes /dev/null; borrowed */
	size_t n_fds;		 /* missing 0 and 1 are /dev/null, missing 2 is ours */
	const char *cwd;	 /* NULL: / */
};

struct aio_proc;

/* @wait_status: as from waitpid(2). The object stays until aio_proc_free(). */
typedef void (*aio_proc_fn)(void *data, int wait_status);

int aio_proc_spawn(struct aio_loop *loop, const struct aio_proc_spec *spec, aio_proc_fn fn,
		   void *data, struct aio_proc **ret_proc, struct err *err);

/* 0 once it has ended. */
pid_t aio_proc_pid(const struct aio_proc *proc);

/* Returns: 0, or -ESRCH once it has ended. */
int aio_proc_kill(struct aio_proc *proc, int signum);

/* Forget it: a child that still runs is left alone, but reaped. Returns: NULL. */
struct aio_proc *aio_proc_free(struct aio_proc *proc);

/* "exited with 3", "was killed by signal 9": for messages; a fixed array that is returned. */
enum {
	AIO_STATUS_LEN = 48
};
const char *aio_status_text(char out[AIO_STATUS_LEN], int wait_status);

struct aio_run;

/*
 * @err: NULL when it ended with exit status 0; else what happened, with the first lines of its
 * standard error. @output: standard output, text, borrowed. The object is freed after this.
 */
typedef void (*aio_run_fn)(void *data, const char *output, const struct err *err);

/*
 * Run @spec (its fds are ignored) with @text on standard input and collect its output: nft -f -.
 * It is killed after @timeout_ns (0: 30 s). An error before that is reported through @fn, too.
 * Returns: for aio_run_cancel().
 */
struct aio_run *aio_run_text(struct aio_loop *loop, const struct aio_proc_spec *spec,
			     const char *text, uint64_t timeout_ns, aio_run_fn fn, void *data);

/* Kill it; @fn is not called. */
void aio_run_cancel(struct aio_run *run);
