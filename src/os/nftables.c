/* os/nftables.c - see nftables.h */
#include "os/nftables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macro.h"
#include "os/fd.h"

enum {
	MESSAGE_MAX = 32 * 1024, /* what the kernel puts in one datagram of a dump */
	WATCH_READS_MAX = 64,
	DUMP_READS_MAX = 4096,
	ANSWER_TIMEOUT_S = 2
};

static const struct {
	uint8_t family;
	const char *name;
} families[] = {
	{ NFPROTO_INET, "inet" }, { NFPROTO_IPV4, "ip" },	{ NFPROTO_IPV6, "ip6" },
	{ NFPROTO_ARP, "arp" },	  { NFPROTO_NETDEV, "netdev" }, { NFPROTO_BRIDGE, "bridge" },
};

const char *nftables_family_name(uint8_t family)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (families[i].family == family)
			return families[i].name;
	return "?";
}

static int open_socket(int flags)
{
	const struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_NETFILTER);
	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int r = -errno;
		(void)fd_close(fd);
		return r;
	}
	return fd;
}

int nftables_watch_open(void)
{
	const int group = NFNLGRP_NFTABLES;
	int fd = open_socket(SOCK_NONBLOCK);
	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
		int r = -errno;
		(void)fd_close(fd);
		return r;
	}
	return fd;
}

/*
 * As mnl_nlmsg_ok(), which takes lengths of 2 GiB and more for negative ones, and lets the walk over
 * attributes go to the end of a padding that need not be there.
 */
static bool message_ok(const struct nlmsghdr *message, int len)
{
	return mnl_nlmsg_ok(message, len) && message->nlmsg_len <= (unsigned int)len &&
	       MNL_ALIGN(message->nlmsg_len) <= (unsigned int)len;
}

/* @table itself, or a part of it: "sysctr-nics" of "sysctr". */
static bool is_name_of(const char *name, const char *table)
{
	size_t len = strlen(table);
	return strncmp(name, table, len) == 0 && (name[len] == '\0' || name[len] == '-');
}

/* Whether the first attribute of kind 1, the table's name in all objects of a table, is @table. */
static bool message_is_of_table(const struct nlmsghdr *message, const char *table)
{
	const struct nlattr *attr;
	mnl_attr_for_each(attr, message, sizeof(struct nfgenmsg)) if (
		mnl_attr_get_type(attr) ==
		NFTA_TABLE_NAME) return mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0 &&
		is_name_of(mnl_attr_get_str(attr), table);
	return false;
}

static unsigned int judge_change(const struct nlmsghdr *message, const char *table)
{
	if (message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
	    message->nlmsg_len < sizeof(*message) + sizeof(struct nfgenmsg))
		return 0;
	switch (message->nlmsg_type & 0xff) {
	case NFT_MSG_DELTABLE:
	case NFT_MSG_DELCHAIN:
	case NFT_MSG_NEWTABLE:
	case NFT_MSG_NEWCHAIN:
		if (!message_is_of_table(message, table))
			return NFTABLES_CHAINS;
		return NFTABLES_OURS;
	case NFT_MSG_DELRULE:
	case NFT_MSG_DELSET:
	case NFT_MSG_DELSETELEM:
		return message_is_of_table(message, table) ? NFTABLES_OURS : 0;
	default:
		return 0;
	}
}

int nftables_watch_read(int fd, const char *table, unsigned int *ret_changes)
{
	_Alignas(struct nlmsghdr) char bytes[MESSAGE_MAX];
	unsigned int changes = 0;
	for (int i = 0; i < WATCH_READS_MAX; i++) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			changes |= NFTABLES_LOST;
			continue;
		}
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (n < 0) {
			*ret_changes = changes;
			return 0;
		}
		int left = (int)n;
		const struct nlmsghdr *message = (const struct nlmsghdr *)bytes;
		for (; message_ok(message, left); message = mnl_nlmsg_next(message, &left))
			changes |= judge_change(message, table);
	}
	*ret_changes = changes | NFTABLES_MORE_LEFT;
	return 0;
}

static int send_request(int fd, uint16_t kind, uint16_t flags, uint8_t family, const char *table)
{
	_Alignas(struct nlmsghdr) char bytes[MNL_NLMSG_HDRLEN + 256];
	const struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_S };
	struct nlmsghdr *message = mnl_nlmsg_put_header(bytes);
	struct nfgenmsg *head = mnl_nlmsg_put_extra_header(message, sizeof(*head));
	message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | kind);
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	head->nfgen_family = family;
	head->version = NFNETLINK_V0;
	if (table && !mnl_attr_put_strz_check(message, sizeof(bytes), NFTA_TABLE_NAME, table))
		return -ENAMETOOLONG;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    send(fd, bytes, message->nlmsg_len, 0) < 0)
		return -errno;
	return 0;
}

static int read_error(const struct nlmsghdr *message)
{
	if (message->nlmsg_len < sizeof(*message) + sizeof(struct nlmsgerr))
		return -EBADMSG;
	return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(message))->error;
}

/* Count the rules of one datagram. Returns: 0 go on, 1 the dump is over, or -errno. */
static int count_datagram(const char *bytes, int len, int *count)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)bytes;
	for (; message_ok(message, len); message = mnl_nlmsg_next(message, &len)) {
		if (message->nlmsg_type == NLMSG_DONE)
			return 1;
		if (message->nlmsg_type == NLMSG_ERROR)
			return read_error(message);
		(*count)++;
	}
	return 0;
}

int nftables_count_rules(uint8_t family, const char *table)
{
	_Alignas(struct nlmsghdr) char bytes[MESSAGE_MAX];
	_cleanup_(fd_closep) int fd = open_socket(0);
	int count = 0;
	if (fd < 0)
		return fd;
	int r = send_request(fd, NFT_MSG_GETRULE, NLM_F_DUMP, family, table);
	for (int i = 0; r == 0 && i < DUMP_READS_MAX; i++) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
		if (n < 0)
			return -errno;
		r = count_datagram(bytes, (int)n, &count);
	}
	return r < 0 && r != -ENOENT ? r : count;
}

static int copy_name(const struct nlattr *attr, char out[NFTABLES_NAME_LEN])
{
	if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return -EBADMSG;
	(void)snprintf(out, NFTABLES_NAME_LEN, "%s", mnl_attr_get_str(attr));
	return 0;
}

static int parse_hook(const struct nlattr *nest, struct nftables_chain *chain)
{
	const struct nlattr *attr;
	if (mnl_attr_validate(nest, MNL_TYPE_NESTED) < 0)
		return -EBADMSG;
	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) != NFTA_HOOK_HOOKNUM)
			continue;
		if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
			return -EBADMSG;
		chain->forward_hook = ntohl(mnl_attr_get_u32(attr)) == NF_INET_FORWARD;
	}
	return 0;
}

int nftables_parse_chain(const void *message, size_t len, struct nftables_chain *ret_chain)
{
	const struct nlmsghdr *head = message;
	struct nftables_chain chain = { 0 };
	const struct nlattr *attr;
	int r = 0;
	if (len > INT32_MAX || !message_ok(head, (int)len) ||
	    head->nlmsg_len < sizeof(*head) + sizeof(struct nfgenmsg))
		return -EBADMSG;
	chain.family = ((const struct nfgenmsg *)mnl_nlmsg_get_payload(head))->nfgen_family;
	mnl_attr_for_each(attr, head, sizeof(struct nfgenmsg))
	{
		switch (mnl_attr_get_type(attr)) {
		case NFTA_CHAIN_TABLE:
			r = copy_name(attr, chain.table);
			break;
		case NFTA_CHAIN_NAME:
			r = copy_name(attr, chain.name);
			break;
		case NFTA_CHAIN_HOOK:
			r = parse_hook(attr, &chain);
			break;
		case NFTA_CHAIN_POLICY:
			if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
				return -EBADMSG;
			chain.policy_drop = ntohl(mnl_attr_get_u32(attr)) == NF_DROP;
			break;
		default:
			break;
		}
		if (r < 0)
			return r;
	}
	*ret_chain = chain;
	return 0;
}

static bool drops_forwarded(const struct nftables_chain *chain, const char *own_table)
{
	bool ip = chain->family == NFPROTO_IPV4 || chain->family == NFPROTO_IPV6 ||
		  chain->family == NFPROTO_INET;
	return ip && chain->forward_hook && chain->policy_drop &&
	       strcmp(chain->table, own_table) != 0;
}

/* Returns: 1 found, 0 go on, 2 the dump is over, or -errno. */
static int scan_datagram(const char *bytes, int len, const char *own_table,
			 struct nftables_chain *ret_chain)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)bytes;
	for (; message_ok(message, len); message = mnl_nlmsg_next(message, &len)) {
		struct nftables_chain chain;
		if (message->nlmsg_type == NLMSG_DONE)
			return 2;
		if (message->nlmsg_type == NLMSG_ERROR)
			return read_error(message);
		if (nftables_parse_chain(message, message->nlmsg_len, &chain) < 0)
			return -EBADMSG;
		if (!drops_forwarded(&chain, own_table))
			continue;
		*ret_chain = chain;
		return 1;
	}
	return 0;
}

int nftables_find_forward_drop(const char *own_table, struct nftables_chain *ret_chain)
{
	_Alignas(struct nlmsghdr) char bytes[MESSAGE_MAX];
	_cleanup_(fd_closep) int fd = open_socket(0);
	if (fd < 0)
		return fd;
	int r = send_request(fd, NFT_MSG_GETCHAIN, NLM_F_DUMP, NFPROTO_UNSPEC, NULL);
	for (int i = 0; r == 0 && i < DUMP_READS_MAX; i++) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
		if (n < 0)
			return -errno;
		r = scan_datagram(bytes, (int)n, own_table, ret_chain);
	}
	return r == 2 ? 0 : r;
}
