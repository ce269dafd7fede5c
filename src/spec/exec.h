/*
 * spec/exec.h - what sysctr-monitor hands to sysctr-exec, and what comes back
 *
 * Both are of one version: the monitor holds the program open since the container started. Numbers
 * of descriptors are fixed; the parameters are the first datagram on EXEC_FD_REPORT.
 */
#pragma once

#include <stdint.h>

enum exec_fd {
	/* 0 to 2: the command's, or /dev/null when it gets a terminal */
	EXEC_FD_SPEC = 3, /* sealed memfd with a struct session_spec */
	EXEC_FD_INIT,	  /* pidfd of the container's init */
	EXEC_FD_CGROUP,	  /* directory of the session's own cgroup */
	EXEC_FD_REPORT,	  /* SEQPACKET: parameters in, reports out; its end of file says "runs" */
	EXEC_FD_SECCOMP,  /* sealed memfd with struct sock_filter[]; may be empty */
	EXEC_FD_ENVIRON,  /* sealed memfd with "KEY=VALUE\0" of the container */
	EXEC_FD_TASKS,	  /* and on: open tasks files of v1 cgroups */
	EXEC_FD_MAX = EXEC_FD_TASKS + 16
};

enum {
	EXEC_RLIMITS_MAX = 16
};

struct exec_rlimit {
	uint64_t soft; /* UINT64_MAX: unlimited */
	uint64_t hard;
	uint32_t resource; /* RLIMIT_* */
	uint32_t zero;
};

struct exec_params {
	uint64_t cap_bounding; /* 1 << CAP_*: what the command may ever have */
	uint32_t n_tasks;      /* descriptors from EXEC_FD_TASKS on */
	uint32_t joins_userns; /* 0: a privileged container, which has none of its own */
	uint32_t intercepts;   /* enum unotify_calls: they wait for the monitor */
	int32_t oom_score_adj;
	uint32_t n_rlimits;
	struct exec_rlimit rlimits[EXEC_RLIMITS_MAX]; /* over the usual ones */
};

enum exec_report_kind {
	EXEC_REPORT_HELLO,    /* from the future command: its pid is the sender's */
	EXEC_REPORT_MASTER,   /* with the master of its terminal */
	EXEC_REPORT_FAILED,   /* the last one */
	EXEC_REPORT_LISTENER, /* with the listener of its system calls */
	EXEC_REPORT_KIND_MAX
};

struct exec_report {
	uint32_t kind;	      /* enum exec_report_kind */
	int32_t code;	      /* FAILED: -errno */
	uint32_t err_kind;    /* FAILED: enum err_kind */
	uint32_t exit_status; /* FAILED: 126 or 127 when the command itself could not be run */
	char text[504];	      /* FAILED: step and reason */
};
