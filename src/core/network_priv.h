/*
 * core/network_priv.h - inside of the network manager: what its six files share
 *
 * network.c: records and the life of a netman; network_up.c: bridge and dnsmasq of one network;
 * network_firewall.c: our tables, and those of others; network_filter.c: the table of what nics may
 * send; network_lease.c: addresses of nics; network_hosts.c: files between us and dnsmasq.
 *
 *   N5  A dnsmasq is either our child (proc) or was adopted (pidfd), never both; it is alive while
 *       one of them is set.
 */
#pragma once

#include "aio/loop.h"
#include "aio/poll.h"
#include "aio/proc.h"
#include "aio/timer.h"
#include "core/network.h"
#include "core/network_filter.h"
#include "db/db.h"
#include "network/dnsmasq.h"
#include "network/lease.h"
#include "network/plan.h"
#include "spec/network.h"

struct netman_net {
	struct netman *nm;
	struct network_record *record;
	struct net_plan plan;
	bool up;			  /* the bridge is there and right */
	bool held_down;			  /* netman_down(): until it is asked for again */
	char *warned[NETMAN_WARNING_MAX]; /* last text, NULL: none */

	char *dir;	 /* <runtime>/networks/<name> */
	char *state_dir; /* <state>/networks/<name> */

	/* dnsmasq */
	struct aio_proc *proc; /* our child */
	int pidfd;	       /* or somebody's that we found */
	struct aio_poll *poll; /* for its end */
	bool looked;	       /* for one that runs already */
	bool stopping;	       /* was told to end */
	bool restart;	       /* start again as soon as it has ended */
	bool dns_given_up;     /* port 53 is somebody else's */
	uint64_t started_ns;
	uint64_t backoff_ns;
	struct aio_timer
		retry; /* while dead: until the next start; just started: until it is trusted */
	struct aio_timer hup;
};

struct netman_row {
	struct lease_record *record;
	char *hostname; /* of the instance */
};

struct netman_filter_waiter {
	netman_filters_fn done;
	void *data;
};

struct netman {
	struct aio_loop *loop;
	struct db *db;
	char *tag;
	char *runtime_dir;
	char *state_dir;
	struct netman_hooks hooks;
	VEC(struct netman_net *) nets; /* by name */
	VEC(struct netman_row) rows;
	bool started;
	bool closing;
	void (*closed)(void *data);
	void *closed_data;
	struct aio_timer slow;

	/* links of the host */
	struct netlink *events;
	struct aio_poll *events_poll;
	struct aio_timer settle;

	/* firewall */
	struct aio_run *nft;
	bool nft_dirty; /* run again when the current one has ended */
	bool nft_names; /* this kernel's nft does not know whose port a nic is */
	int nft_rules;	/* our table is to have so many; -1: not applied */
	int watch_fd;
	struct aio_poll *watch_poll;
	struct aio_timer watch_settle;

	/* network_filter.c */
	bool filter_due;      /* look again when nothing runs */
	char *filter_text;    /* what runs makes this of the table */
	char *filter_applied; /* what the table is; NULL: not known */
	VEC(struct netman_filter_waiter) filter_waiters;
	size_t filter_served; /* so many of them wait for what runs */
};

struct netman_net *netman_find(const struct netman *nm, const char *name);
struct netman_net *netman_find_id(const struct netman *nm, int64_t network_id);

/* Set or (message NULL) end a warning; tells the hook when that is news. Takes @message. */
void netman_warn(struct netman_net *net, enum netman_warning kind, char *message_taken);
void netman_event(struct netman *nm, const char *network, const char *action);

/* network_up.c */

/* Bring up and warn on failure. Returns: 0 or what was warned of. */
int netman_net_up(struct netman_net *net, struct err *err);

/* Bring dnsmasq in line with plan and rows: start, adopt, restart or stop it. */
void netman_net_sync(struct netman_net *net);

/* Stop dnsmasq and remove the bridge. */
int netman_net_down(struct netman_net *net, struct err *err);

/* For good: the lease file. */
void netman_net_remove_state(const struct netman_net *net);

/* Make dnsmasq read its host files again, soon. */
void netman_net_hup(struct netman_net *net);

/* End it and start it again, with leases of nobody dropped from its file. */
void netman_net_restart(struct netman_net *net);

/* Let go of timers, watchers and descriptors; dnsmasq stays. */
void netman_net_detach(struct netman_net *net);
bool netman_net_wants_dnsmasq(const struct netman_net *net);
char *netman_net_path(const struct netman_net *net, const char *file);
char *netman_net_lease_file(const struct netman_net *net);

/* Bridges with our mark that have no row. */
void netman_remove_strays(const struct netman *nm);

/* Bridges that went away, dnsmasq that failed: try again. */
void netman_net_check(struct netman_net *net);
void netman_watch_links(struct netman *nm);

/* network_firewall.c */
void netman_firewall_apply(struct netman *nm);
void netman_firewall_watch(struct netman *nm);
void netman_firewall_check(struct netman *nm); /* rules still there? others' drops? */
/* The last step of netman_close(): when no nft runs any more. */
void netman_finish(struct netman *nm);
void netman_firewall_detach(struct netman *nm);
/* An nft has ended: run what is due. */
void netman_firewall_next(struct netman *nm);

/* network_filter.c */

/* Run nft when something is due; no other runs. Returns: whether it does. */
bool netman_filter_run(struct netman *nm);
void netman_filter_check(struct netman *nm); /* rules still there? */
void netman_filter_done(struct netman *nm);

/* network_lease.c */
int netman_leases_load(struct netman *nm, struct err *err);
void netman_row_done(struct netman_row *row);
bool netman_net_has_rows(const struct netman_net *net);

/* Errors: ERR_CONFLICT when an address in use would be outside of @plan. */
int netman_rows_fit(const struct netman_net *net, const struct net_plan *plan, struct err *err);

/* network_hosts.c */

/* Write the files of all instances of the network, remove those of others. */
int netman_write_hosts(struct netman_net *net, struct err *err);

/*
 * Write those of one, after a change of rows. A failure is a warning, because the database has the
 * change already.
 */
void netman_tell_dnsmasq(struct netman_net *net, const char *hostname);

/* Who has this IPv4 address on the network by our rows; NULL for none. */
const struct netman_row *netman_owner4(const struct netman_net *net, uint32_t addr);

/* Current content of dnsmasq's lease file; empty when there is none. */
void netman_read_leases(const struct netman_net *net, struct net_leases *ret_leases);

/* A lease there holds an address of a nic of ours for somebody else. */
bool netman_has_stale_lease(const struct netman_net *net);

/* Drop such leases; dnsmasq is not running. */
void netman_clean_leases(const struct netman_net *net);
