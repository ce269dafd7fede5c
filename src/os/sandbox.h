/*
 * os/sandbox.h - run a function where hostile bytes can do no harm
 *
 * Layer: os. Process: sysctr-unpack, sysctr-worker (single-threaded, root). sandbox_start() blocks
 * for a few milliseconds.
 *
 *   X1  The function runs as root of a user namespace of its own, with host ids nobody else has.
 *   X2  It sees the mounts of the plan and nothing else; no descriptor but 0-2 and those named.
 *   X3  It is in its own pid, ipc, uts and cgroup namespace, and net unless asked otherwise.
 *   X4  It dies with its parent, and everything it started dies with it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum sandbox_filter {
	SANDBOX_FILTER_PARSER, /* allow-list: files below the root, memory; no exec, no sockets */
	SANDBOX_FILTER_BUILD,  /* deny-list: programs run, but not modules, keys, bpf, ... */
	SANDBOX_FILTER_RELAY,  /* allow-list: sockets, splice, memory; no files, no namespaces */
	SANDBOX_FILTER_MAX
};

struct sandbox_bind {
	const char *src; /* absolute path on the host; for messages when src_fd is set */
	int src_fd;	 /* what to bind instead of opening src; -EBADF: none. Borrowed */
	const char *dst; /* inside; "/" for the root */
	bool ro;	 /* read-only, all mounts below it too */
	bool idmap;	 /* ids on disk are unshifted: owner 0 there is the sandbox's root */
	bool recursive;	 /* with the mounts below src */
};

/* Zero means "no" everywhere; nothing is copied, so it must live until sandbox_start() returned. */
struct sandbox_plan {
	const char *name; /* process and host name */
	uint32_t id_base; /* host ids; never 0 */
	uint32_t id_count;
	const struct sandbox_bind *binds; /* in order; without a "/" the root is an empty tmpfs */
	size_t n_binds;
	const char *const *tmpfs; /* directories inside that get a tmpfs of their own */
	size_t n_tmpfs;
	bool proc;     /* a procfs of its own on /proc (the root must have that directory) */
	bool keep_net; /* the host's network */
	enum sandbox_filter filter;
	const int *keep_fds; /* stay open under their numbers, besides 0-2 */
	size_t n_keep_fds;
	uint64_t memory_bytes; /* address space of each process; 0: no bound */
	uint64_t file_bytes;   /* largest file; 0: no bound */
};

/* Body of the sandbox. Returns: its exit status, 0 to 255. */
typedef int sandbox_fn(void *data);

struct sandbox {
	pid_t pid;
	int pidfd;
};

/*
 * Start @fn(@data) in a copy of this process.
 *
 * Errors: -EOPNOTSUPP naming path and file system when that has no idmapped mounts.
 */
int sandbox_start(const struct sandbox_plan *plan, sandbox_fn *fn, void *data,
		  struct sandbox *ret_sandbox, struct err *err);

/*
 * Wait for the end; poll pidfd (readable) to know when this does not block.
 *
 * Returns: exit status of the body, or 128 + signal.
 */
int sandbox_wait(struct sandbox *sandbox, struct err *err);

/* Kill everything in it and wait; nothing to do for one that was waited for. */
void sandbox_kill(struct sandbox *sandbox);

/* For _cleanup_(sandbox_done): kill. */
void sandbox_done(struct sandbox *sandbox);
