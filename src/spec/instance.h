/*
 * spec/instance.h - an instance as asked for, and as the monitor gets it
 *
 * struct inst_record is the row (what the user asked); struct inst_spec is resolved and constant:
 * nothing is left to look up. core/inst_spec makes the second from the first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "base/vec.h"
#include "codec/wire.h"
#include "spec/idmap.h"
#include "spec/limits.h"
#include "spec/rlimit.h"

/* The row. Strings are owned; free with inst_record_free(). */
struct inst_record {
	int64_t id; /* 0: not stored yet */
	char *name;
	char *description;
	char *architecture; /* "x86_64" */
	char *pool;
	char *image_fingerprint; /* what its root stands on; NULL: made empty */
	bool ephemeral;
	int64_t created_wall_ns;
	int64_t last_used_wall_ns; /* 0: never started */
	char **profiles;	   /* in order, last wins */
	struct strmap config;	   /* local keys, volatile.* included */
	struct strmap devices;	   /* local devices, spec/device.h */
	uint32_t id_base;	   /* first host id of its own range; 0: none yet */
	uint32_t id_count;
	char *power; /* last wanted state: "running" or "stopped" */
};

struct inst_record *inst_record_new(const char *name);
struct inst_record *inst_record_copy(const struct inst_record *record);
void inst_record_free(struct inst_record *record);
void inst_record_freep(struct inst_record **record);

enum root_kind {
	ROOT_DIR,     /* root_path is the root file system */
	ROOT_OVERLAY, /* root_lower below root_path/upper, root_path/work */
	ROOT_KIND_MAX
};

struct spec_nic {
	char *device;	 /* name of the device in the configuration: "eth0" */
	char *name;	 /* inside */
	char *host_name; /* of the veth's outer end; begins with the daemon's prefix; NULL: none */
	char *parent;	 /* bridge, or what the kind needs; NULL: not connected */
	char *hwaddr;	 /* "00:16:3e:.." */
	uint32_t mtu;	 /* 0: the parent's */
	bool given_name; /* host_name is somebody's choice: never delete what has it already */
	bool isolated;	 /* not to be reached by other isolated ports of the bridge */
	uint32_t kind;	 /* enum nic_kind of spec/nictype.h */
	uint32_t macvlan_mode;
	bool disconnected; /* of a pair: its outer end is down, and so there is no carrier inside */
	uint32_t queue_len;	       /* of a pair, both ends, in packets; 0: the kernel's */
	char *address4, *address6;     /* of a routed one; NULL: none */
	bool no_gateway4, no_gateway6; /* of a routed one: no default route through it */
	uint32_t vlan;		       /* spec/vlan.h: of a bridge's port, or of the parent */
	char *vlan_tagged;	       /* of a bridge's port: "10,20-30"; NULL: none */
	bool own_bridge; /* the parent is ours: its filter of VLANs may be turned on */
	char **subnets;	 /* behind it, "10.1.2.0/24", to which the host gets routes; strv */
};
extern const struct wire_schema spec_nic_schema;

/* A directory or file of the host, or a file system of its own, inside. */
struct spec_disk {
	char *device;
	char *path;	     /* inside, absolute */
	char *source;	     /* absolute, on the host; NULL: a new tmpfs */
	uint64_t size_bytes; /* of the tmpfs; 0: the kernel's default */
	bool shift;	     /* the container's ids instead of the host's */
	bool readonly;
	bool recursive;	 /* mounts below the source too */
	bool follow;	 /* what the host mounts below it later appears */
	bool optional;	 /* a source that is missing is no error */
	uint32_t spread; /* to other mounts inside: MS_SHARED, MS_UNBINDABLE of mount(2); 0 */
	uint64_t attrs;	 /* MOUNT_ATTR_* of mount_setattr(2), beside what the others ask for */
};
extern const struct wire_schema spec_disk_schema;

/* A device node inside. */
struct spec_node {
	char *device;
	char *path;   /* inside, absolute */
	char *source; /* of the host, whose number it gets; NULL: numbered */
	bool block;
	bool numbered;
	uint32_t major, minor;
	uint32_t uid, gid, mode; /* inside */
	bool optional;		 /* a source that is missing is no error */
};
extern const struct wire_schema spec_node_schema;

/* Connections taken on one side and made on the other; addresses as of spec/proxy.h. */
struct spec_proxy {
	char *device;
	char *listen;
	char *connect;
	bool bind_instance; /* listens inside, connects on the host */
	bool proxy_protocol;
	uint32_t uid, gid, mode;	     /* of the socket file it listens on */
	uint32_t security_uid, security_gid; /* who connects to a socket file */
};
extern const struct wire_schema spec_proxy_schema;

/* How an init is told to go. Signal numbers as in signal(7). */
struct spec_init {
	char **argv;	      /* "/sbin/init" */
	uint32_t halt_signal; /* asks for power-off */
	uint32_t reboot_signal;
};
extern const struct wire_schema spec_init_schema;

struct inst_spec {
	char *name;
	char *uuid;
	char *hostname;
	char *cgroup; /* below the cgroup root: "sysctr/web1" */
	bool privileged;
	bool nesting;
	uint32_t id_base;
	uint32_t id_count;
	struct spec_idmaps idmaps; /* ids of the host in the place of its own */
	uint32_t root_kind;	   /* enum root_kind */
	char *root_path;	   /* absolute; the volume's directory */
	char *root_lower;	   /* absolute; the image's root file system */
	struct spec_init init;
	struct strmap environment; /* for init and for every session */
	struct limits limits;
	VEC(struct spec_nic) nics;
	struct buf seccomp;	     /* struct sock_filter[], compiled by sysctrd */
	char *console_log;	     /* absolute path */
	uint64_t console_log_max;    /* bytes, one rotated generation more */
	char *log_dir;		     /* absolute */
	char *runtime_dir;	     /* absolute; holds ctl.sock, status */
	uint64_t generation;	     /* grows with every resolved spec of this instance */
	struct strmap sysctls;	     /* linux.sysctl.* */
	VEC(struct spec_disk) disks; /* without the root; outer paths first */
	VEC(struct spec_proxy) proxies;
	VEC(struct spec_node) nodes;
	struct spec_rlimits rlimits;
	int32_t oom_score_adj;	/* -1000..1000 */
	char **modules;		/* the kernel's, to be there before the start */
	char *lxcfs;		/* program for the container's view of /proc; NULL: none */
	bool intercept_sysinfo; /* answer it with the limits */
	bool intercept_mknod;	/* make the harmless devices */
	struct strmap seed;	/* NoCloud: name of a file -> its content; empty: none */
};
extern const struct wire_schema inst_spec_schema;
