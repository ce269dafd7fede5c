/*
 * os/nftables.h - what is in the kernel's nftables, and that somebody changed it
 *
 * Layer os; sysctrd (core/network). Reads only, over nfnetlink; rules are written by nft(8). Queries
 * block for the kernel's answer, which comes at once.
 *
 *   F1  However many foreign rules there are or change, a call reads a bounded number of messages.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NFTABLES_NAME_LEN = 64
};

enum nftables_change {
	NFTABLES_OURS = 1 << 0,	    /* something was deleted from the named table or "<it>-..." */
	NFTABLES_CHAINS = 1 << 1,   /* a chain or table of others came, went or changed */
	NFTABLES_LOST = 1 << 2,	    /* events were lost: anything may have happened */
	NFTABLES_MORE_LEFT = 1 << 3 /* call again later */
};

struct nftables_chain {
	uint8_t family; /* NFPROTO_* */
	char table[NFTABLES_NAME_LEN];
	char name[NFTABLES_NAME_LEN];
	bool forward_hook; /* a base chain of type filter there */
	bool policy_drop;
};

/* A non-blocking socket that becomes readable on changes. Returns: descriptor or -errno. */
int nftables_watch_open(void);

/* @ret_changes: enum nftables_change. Returns: 0 or -errno. */
int nftables_watch_read(int fd, const char *table, unsigned int *ret_changes);

/*
 * How many rules the table has; 0 when there is no such table.
 * @family: NFPROTO_*. Returns: count, or -errno (-EPERM, -EPROTONOSUPPORT: no nftables here).
 */
int nftables_count_rules(uint8_t family, const char *table);

/*
 * The first base chain that drops forwarded IP packets by policy and is not in a table @own_table.
 * Returns: 1 with *@ret_chain set, 0 for none, -errno.
 */
int nftables_find_forward_drop(const char *own_table, struct nftables_chain *ret_chain);

/* "ip", "inet" ... of a chain. */
const char *nftables_family_name(uint8_t family);

/*
 * The pure half: one NFT_MSG_NEWCHAIN message of @len bytes, header included.
 * Returns: 0 or -EBADMSG.
 */
int nftables_parse_chain(const void *message, size_t len, struct nftables_chain *ret_chain);
