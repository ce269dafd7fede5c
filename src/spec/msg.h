/*
 * spec/msg.h - what sysctrd and sysctr-monitor say to each other (docs/protocol-monitor.md)
 *
 * One SOCK_SEQPACKET datagram is { u32 type, u32 serial } followed by the wire encoding of struct
 * msg, plus at most MSG_FDS_MAX descriptors. A request's answer carries its serial; events carry 0.
 *
 *   P1  Append-only: types, tags and meanings are never changed, so that a sysctrd of any version
 *       drives a monitor of any version. An unknown request is answered MSG_ERROR/-EOPNOTSUPP.
 *   P2  Whatever can be larger than MSG_BYTES_MAX travels in a sealed memfd (specs, argv).
 *   P3  On connect the monitor sends the current MSG_STATE and MSG_ADDRESSES unasked; then changes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/strmap.h"
#include "base/vec.h"
#include "codec/wire.h"
#include "spec/files.h"

enum {
	MSG_FDS_MAX = 4,
	MSG_BYTES_MAX = 64 * 1024,
	MSG_HEADER_LEN = 8
};

enum msg_type {
	MSG_NONE,
	/* requests; fd = descriptors that go with them */
	MSG_STOP,	   /* send the halt signal (signal 0: the spec's); answered when sent */
	MSG_KILL,	   /* cgroup.kill; answered when sent */
	MSG_FREEZE,	   /* answered when frozen; force: thaw it when nobody is connected */
	MSG_THAW,	   /* answered when thawed */
	MSG_NEXT_SPEC,	   /* fd: spec memfd. Live limits are applied now, the rest at a reboot */
	MSG_SESSION_START, /* fd: session memfd, then stdin, stdout, stderr unless interactive; text:
			       the operation that SESSION_KEEP was told of */
	MSG_SESSION_SIGNAL, /* session, number: to the session's foreground process group */
	MSG_SESSION_RESIZE, /* session, width, height */
	MSG_SESSION_END,    /* session: kill its process group; the client is gone */
	MSG_CONSOLE_ATTACH, /* width, height, force; answer has fd: a SOCK_STREAM of console bytes */
	MSG_CONSOLE_RESIZE, /* width, height */
	MSG_CONSOLE_LOG,    /* answer has fd: memfd with the ring's content */
	MSG_CONSOLE_CLEAR,  /* empty ring and log file */
	MSG_STATS,	    /* answer has the usage fields */
	/* answers */
	MSG_OK,	   /* SESSION_START: session (and fd: the pty master when interactive) */
	MSG_ERROR, /* code, kind, text; SESSION_START: number = 126, 127 as of a shell, else 0 */
	/* events */
	MSG_STATE,	  /* state, pid, number = exit_kind when stopped */
	MSG_ADDRESSES,	  /* nics: the whole list, whenever it changed (rate-limited) */
	MSG_READY,	  /* init said READY=1 */
	MSG_SESSION_EXIT, /* session, number = wait status, text and record as in SESSION_KEPT;
			     kept until told or the grace is over */
	MSG_WARNING,	  /* text */
	/* requests that came later */
	MSG_APPLY_SPEC =
		42,	  /* fd 0: memfd, inst_spec: devices and limits at once, all or nothing */
	MSG_SESSION_KEEP, /* text: operation of the next SESSION_START; fds: docs/protocol-monitor.md */
	MSG_SESSION_RELEASE, /* session, number: nobody reads its stream 1 or 2 any more */
	MSG_SESSION_KEPT,    /* event: session, text, record: it runs without its operation */
	MSG_TYPE_MAX
};

/* State of a container as its monitor sees it. */
enum mon_state {
	MON_STARTING,
	MON_RUNNING,
	MON_FROZEN,
	MON_STOPPING,  /* halt asked for, init still lives */
	MON_REBOOTING, /* init is gone, the next one is being set up; mounts stay */
	MON_STOPPED,   /* init is dead */
	MON_RELEASED,  /* mounts are gone; the monitor exits after saying so */
	MON_STATE_MAX
};
const char *mon_state_name(enum mon_state state);

/* Why the container is not running, in MSG_STATE with MON_STOPPED. */
enum mon_exit {
	MON_EXIT_FAILED, /* never ran: text says which phase and why */
	MON_EXIT_POWEROFF,
	MON_EXIT_REBOOT, /* a reboot whose set-up failed */
	MON_EXIT_KILLED,
	MON_EXIT_CRASHED, /* init ended by itself or by another signal */
	MON_EXIT_MAX
};

struct msg_addr {
	uint32_t family; /* AF_INET, AF_INET6 */
	uint32_t prefix_len;
	char *address;
	uint32_t scope; /* RT_SCOPE_* of rtnetlink(7) */
};
extern const struct wire_schema msg_addr_schema;

struct msg_nic {
	char *name; /* inside; "lo" included */
	char *hwaddr;
	char *host_name;
	uint32_t mtu;
	bool up;
	VEC(struct msg_addr) addrs;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets; /* MSG_STATS only */
	uint64_t rx_errors, tx_errors, rx_dropped, tx_dropped;
};
extern const struct wire_schema msg_nic_schema;

struct msg {
	uint32_t state; /* enum mon_state */
	int32_t pid;	/* of init, in the sender's pid namespace */
	int32_t number;
	uint64_t session;
	uint32_t width, height;
	bool force;
	int32_t code;  /* -errno */
	uint32_t kind; /* enum err_kind */
	char *text;
	VEC(struct msg_nic) nics;
	uint64_t memory_bytes, memory_peak_bytes, swap_bytes, cpu_usage_ns, processes; /* STATS */
	uint64_t generation; /* STATE: of the spec it runs; READY, NEXT_SPEC answer */
	uint64_t started_wall_ns;
	bool ready;  /* STATE: READY=1 was seen */
	bool link;   /* SESSION_START: answer with a link too, the last descriptor (spec/link.h) */
	bool record; /* SESSION_KEEP: its output goes into files */
};
extern const struct wire_schema msg_schema;

const char *msg_type_name(enum msg_type type);

/* Append header and encoding of a whole datagram to *@out. @msg: NULL for an empty one. */
void msg_encode(enum msg_type type, uint32_t serial, const struct msg *msg, struct buf *out);

/*
 * Take a datagram apart. *@ret_type may be one that this version does not know (P1). Free *@ret_msg
 * with wire_free(&msg_schema, ...) also after a failure. Errors: -EBADMSG.
 */
int msg_decode(const void *bytes, size_t len, uint32_t *ret_type, uint32_t *ret_serial,
	       struct msg *ret_msg, struct err *err);

/* The session memfd of MSG_SESSION_START. */
struct session_spec {
	char **argv;
	struct strmap environment;
	char *cwd; /* inside; NULL: /root, else / */
	uint32_t uid, gid;
	bool interactive;
	uint32_t width, height;
	char *user;	  /* name to be looked up inside (shell -u); NULL: uid and gid count */
	bool login_shell; /* argv[0] becomes the user's shell, run as a login shell */
	char *group;	  /* name or gid in place of the user's; NULL: that, or gid */
	struct files_request files; /* op set: no command but a file server, see spec/files.h */
};
extern const struct wire_schema session_spec_schema;
