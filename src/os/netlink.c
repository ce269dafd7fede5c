/* os/netlink.c - see netlink.h */
#include "os/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/macro.h"
#include "base/str.h"
#include "os/fd.h"
#include "os/netlink_priv.h"
#include "os/nlmsg.h"
#include "os/ns.h"

enum {
	REQUEST_LEN = 2048,
	REPLY_LEN = 32768,
	EVENTS_RCVBUF = 65536,
	EVENTS_PER_READ = 16,
};

struct netlink {
	struct mnl_socket *sock;
	uint32_t seq;
	char request[REQUEST_LEN] __attribute__((aligned(8)));
	char reply[REPLY_LEN] __attribute__((aligned(8)));
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int netlink_parse_mac(const char *text, uint8_t ret_mac[NETLINK_MAC_LEN])
{
	static const uint8_t zero[NETLINK_MAC_LEN];
	uint8_t mac[NETLINK_MAC_LEN];

	if (!text || strlen(text) != 3 * NETLINK_MAC_LEN - 1)
		return -EINVAL;
	for (int i = 0; i < NETLINK_MAC_LEN; i++) {
		int high = hex_digit(text[3 * i]);
		int low = hex_digit(text[3 * i + 1]);

		if (high < 0 || low < 0 || (i < NETLINK_MAC_LEN - 1 && text[3 * i + 2] != ':'))
			return -EINVAL;
		mac[i] = (uint8_t)(high * 16 + low);
	}
	if ((mac[0] & 1) || memcmp(mac, zero, sizeof(mac)) == 0)
		return -EINVAL;
	memcpy(ret_mac, mac, sizeof(mac));
	return 0;
}

static int open_socket(uint32_t flags, struct mnl_socket **ret_sock)
{
	bool events = flags & NETLINK_EVENTS;
	unsigned int groups = events ? RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR : 0;
	struct mnl_socket *sock;
	int on = 1;

	sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | (events ? SOCK_NONBLOCK : 0));
	if (!sock)
		return -errno;
	if (mnl_socket_bind(sock, groups, MNL_SOCKET_AUTOPID) < 0) {
		int r = -errno;

		(void)mnl_socket_close(sock);
		return r;
	}
	/* without these, messages are shorter and errors have no words: no reason to fail */
	(void)mnl_socket_setsockopt(sock, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(sock, NETLINK_CAP_ACK, &on, sizeof(on));
	if (events) {
		int size = EVENTS_RCVBUF;

		(void)setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUF, &size,
				 sizeof(size));
	}
	*ret_sock = sock;
	return 0;
}

/* A socket belongs to the namespace it was made in: go there and come back. */
static int open_socket_in(int netns_fd, uint32_t flags, struct mnl_socket **ret_sock)
{
	_cleanup_(fd_closep) int own_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int back;
	int r;

	if (own_fd < 0)
		return -errno;
	r = ns_join(netns_fd, CLONE_NEWNET);
	if (r < 0)
		return r;
	r = open_socket(flags, ret_sock);
	back = ns_join(own_fd, CLONE_NEWNET);
	if (back < 0 && r == 0)
		(void)mnl_socket_close(*ret_sock);
	return back < 0 ? back : r;
}

int netlink_open(int netns_fd, uint32_t flags, struct netlink **ret_nl, struct err *err)
{
	struct netlink *nl = malloc(sizeof(*nl));
	int r;

	if (!nl)
		return err_set(err, -ENOMEM, "open a netlink socket");
	/* Not calloc: the buffers' pages are touched as messages need them. */
	nl->sock = NULL;
	nl->seq = 0;
	r = netns_fd < 0 ? open_socket(flags, &nl->sock)
			 : open_socket_in(netns_fd, flags, &nl->sock);
	if (r < 0) {
		free(nl);
		return err_set(err, r, "open a netlink socket");
	}
	*ret_nl = nl;
	return 0;
}

struct netlink *netlink_free(struct netlink *nl)
{
	if (nl)
		(void)mnl_socket_close(nl->sock);
	free(nl);
	return NULL;
}

void netlink_freep(struct netlink **nl)
{
	*nl = netlink_free(*nl);
}

int netlink_fd(const struct netlink *nl)
{
	return mnl_socket_get_fd(nl->sock);
}

static void begin_link(struct netlink *nl, struct nlmsg *msg, uint16_t type, uint16_t flags,
		       const struct ifinfomsg *info)
{
	nlmsg_init(msg, nl->request, sizeof(nl->request), type, NLM_F_REQUEST | flags, info,
		   sizeof(*info));
}

/* The kernel's words about a refused request, or NULL. Points into the message. */
static const char *ack_text(const struct nlmsghdr *header)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(header);
	size_t at = sizeof(*error);
	const struct nlattr *attr;

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		at += MNL_ALIGN(error->msg.nlmsg_len - MNL_NLMSG_HDRLEN);
	mnl_attr_for_each(attr, header, at)
	{
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			return mnl_attr_get_str(attr);
	}
	return NULL;
}

struct reply_reader {
	uint32_t seq;
	int (*fn)(void *data, const struct nlmsghdr *header);
	void *data;
	const char *words; /* the kernel's, on an error */
};

/*
 * Look at one message of a reply. Returns: 1 when it was the last, 0 to go on, -errno of the kernel
 * or of fn.
 */
static int read_message(struct reply_reader *reader, const struct nlmsghdr *header)
{
	const struct nlmsgerr *error;

	if (header->nlmsg_seq != reader->seq)
		return 0; /* of an earlier request that was given up */
	if (header->nlmsg_type == NLMSG_DONE)
		return 1;
	if (header->nlmsg_type != NLMSG_ERROR)
		return reader->fn ? reader->fn(reader->data, header) : 0;
	if (header->nlmsg_len < mnl_nlmsg_size(sizeof(*error)))
		return -EBADMSG;
	error = mnl_nlmsg_get_payload(header);
	if (error->error == 0)
		return 1;
	reader->words = ack_text(header);
	return error->error < 0 ? error->error : -error->error;
}

static int read_reply(struct netlink *nl, struct reply_reader *reader)
{
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(nl->sock, nl->reply, sizeof(nl->reply));
		const struct nlmsghdr *header = (const struct nlmsghdr *)nl->reply;
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		for (; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left)) {
			int r = read_message(reader, header);

			if (r != 0)
				return r < 0 ? r : 0;
		}
	}
}

/* Send what was built and read its answer to the end; *ret_words may be set on an error. */
static int exchange(struct netlink *nl, struct nlmsg *msg, struct reply_reader *reader)
{
	if (msg->error < 0)
		return msg->error;
	reader->seq = msg->header->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, msg->header, msg->header->nlmsg_len) < 0)
		return -errno;
	return read_reply(nl, reader);
}

/* A request that is only acknowledged. @what and @name are for the error: "delete link" "veth1". */
static int request(struct netlink *nl, struct nlmsg *msg, const char *what, const char *name,
		   struct err *err)
{
	struct reply_reader reader = { 0 };
	int r;

	msg->header->nlmsg_flags |= NLM_F_ACK;
	r = exchange(nl, msg, &reader);
	if (r < 0 && reader.words)
		return err_set(err, r, "%s \"%s\": %s", what, name, reader.words);
	return r < 0 ? err_set(err, r, "%s \"%s\"", what, name) : 0;
}

static int check_name(const char *name, struct err *err)
{
	if (str_empty(name) || strlen(name) >= IFNAMSIZ)
		return err_kind(err, ERR_INVALID, "\"%.32s\" is not the name of a link",
				name ? name : "");
	return 0;
}

static int take_index(void *data, const struct nlmsghdr *header)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);

	if (header->nlmsg_type == RTM_NEWLINK && header->nlmsg_len >= mnl_nlmsg_size(sizeof(*info)))
		*(int *)data = info->ifi_index;
	return 0;
}

int netlink_link_index(struct netlink *nl, const char *name, int *ret_index, struct err *err)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
	int index = 0;
	struct reply_reader reader = { .fn = take_index, .data = &index };
	struct nlmsg msg;
	int r = check_name(name, err);

	if (r < 0)
		return r;
	begin_link(nl, &msg, RTM_GETLINK, NLM_F_ACK, &info);
	nlmsg_put_str(&msg, IFLA_IFNAME, name);
	r = exchange(nl, &msg, &reader);
	if (r == 0 && index == 0)
		r = -ENODEV;
	if (r < 0)
		return err_set(err, r, "look up link \"%s\"", name);
	*ret_index = index;
	return 0;
}

int netlink_bridge_create(struct netlink *nl, const char *name, const uint8_t *mac, uint32_t mtu,
			  struct err *err)
{
	struct ifinfomsg info = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	size_t link_info, link_data;
	struct nlmsg msg;
	int r = check_name(name, err);

	if (r < 0)
		return r;
	begin_link(nl, &msg, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info);
	nlmsg_put_str(&msg, IFLA_IFNAME, name);
	if (mac)
		nlmsg_put(&msg, IFLA_ADDRESS, mac, NETLINK_MAC_LEN);
	if (mtu > 0)
		nlmsg_put_u32(&msg, IFLA_MTU, mtu);
	link_info = nlmsg_begin(&msg, IFLA_LINKINFO);
	nlmsg_put_str(&msg, IFLA_INFO_KIND, "bridge");
	link_data = nlmsg_begin(&msg, IFLA_INFO_DATA);
	nlmsg_put_u32(&msg, IFLA_BR_STP_STATE, 0);
	nlmsg_end(&msg, link_data);
	nlmsg_end(&msg, link_info);
	return request(nl, &msg, "create bridge", name, err);
}

static void put_veth_peer(struct nlmsg *msg, const struct netlink_veth *veth)
{
	struct ifinfomsg info = { 0 };
	size_t link_info = nlmsg_begin(msg, IFLA_LINKINFO);
	size_t link_data, peer;

	nlmsg_put_str(msg, IFLA_INFO_KIND, "veth");
	link_data = nlmsg_begin(msg, IFLA_INFO_DATA);
	peer = nlmsg_begin(msg, VETH_INFO_PEER);
	nlmsg_put_raw(msg, &info, sizeof(info));
	nlmsg_put_str(msg, IFLA_IFNAME, veth->peer_name);
	if (veth->peer_mac)
		nlmsg_put(msg, IFLA_ADDRESS, veth->peer_mac, NETLINK_MAC_LEN);
	if (veth->mtu > 0)
		nlmsg_put_u32(msg, IFLA_MTU, veth->mtu);
	if (veth->queue_len > 0)
		nlmsg_put_u32(msg, IFLA_TXQLEN, veth->queue_len);
	if (veth->peer_netns_fd >= 0)
		nlmsg_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)veth->peer_netns_fd);
	else if (veth->peer_pid > 0)
		nlmsg_put_u32(msg, IFLA_NET_NS_PID, (uint32_t)veth->peer_pid);
	nlmsg_end(msg, peer);
	nlmsg_end(msg, link_data);
	nlmsg_end(msg, link_info);
}

int netlink_veth_create(struct netlink *nl, const struct netlink_veth *veth, int *ret_index,
			struct err *err)
{
	struct ifinfomsg info = { .ifi_flags = veth->down ? 0 : IFF_UP, .ifi_change = IFF_UP };
	struct reply_reader reader = { .fn = take_index };
	int bridge_index = 0, index = 0;
	struct nlmsg msg;
	int r = check_name(veth->host_name, err);

	if (r == 0)
		r = check_name(veth->peer_name, err);
	if (r == 0 && veth->bridge)
		r = netlink_link_index(nl, veth->bridge, &bridge_index, err);
	if (r < 0)
		return r;
	/* NLM_F_ECHO: the answer says which index it got */
	begin_link(nl, &msg, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK | NLM_F_ECHO,
		   &info);
	nlmsg_put_str(&msg, IFLA_IFNAME, veth->host_name);
	if (veth->mtu > 0)
		nlmsg_put_u32(&msg, IFLA_MTU, veth->mtu);
	if (veth->queue_len > 0)
		nlmsg_put_u32(&msg, IFLA_TXQLEN, veth->queue_len);
	if (bridge_index > 0)
		nlmsg_put_u32(&msg, IFLA_MASTER, (uint32_t)bridge_index);
	put_veth_peer(&msg, veth);
	reader.data = &index;
	r = exchange(nl, &msg, &reader);
	if (r < 0)
		return err_set(err, r, "create veth \"%s\" with peer \"%s\"%s%s", veth->host_name,
			       veth->peer_name, reader.words ? ": " : "",
			       reader.words ? reader.words : "");
	if (index == 0) { /* kernels before 6.2 do not echo */
		r = netlink_link_index(nl, veth->host_name, &index, err);
		if (r < 0)
			return r;
	}
	*ret_index = index;
	return 0;
}

int netlink_link_delete(struct netlink *nl, const char *name, struct err *err)
{
	struct ifinfomsg info = { 0 };
	struct nlmsg msg;
	int r = check_name(name, err);

	if (r < 0)
		return r;
	begin_link(nl, &msg, RTM_DELLINK, 0, &info);
	nlmsg_put_str(&msg, IFLA_IFNAME, name);
	return request(nl, &msg, "delete link", name, err);
}

/* Change one attribute of a link: RTM_NEWLINK without NLM_F_CREATE. NULL @bytes: only the flags. */
static int set_link(struct netlink *nl, const char *name, const struct ifinfomsg *info,
		    uint16_t type, const void *bytes, struct err *err)
{
	struct nlmsg msg;
	int r = check_name(name, err);

	if (r < 0)
		return r;
	begin_link(nl, &msg, RTM_NEWLINK, 0, info);
	nlmsg_put_str(&msg, IFLA_IFNAME, name);
	if (bytes)
		nlmsg_put(&msg, type, bytes,
			  type == IFLA_ADDRESS ? NETLINK_MAC_LEN : sizeof(uint32_t));
	return request(nl, &msg, "change link", name, err);
}

int netlink_link_set_up(struct netlink *nl, const char *name, bool up, struct err *err)
{
	struct ifinfomsg info = { .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP };

	return set_link(nl, name, &info, 0, NULL, err);
}

int netlink_link_set_mtu(struct netlink *nl, const char *name, uint32_t mtu, struct err *err)
{
	struct ifinfomsg info = { 0 };

	return set_link(nl, name, &info, IFLA_MTU, &mtu, err);
}

int netlink_link_set_mac(struct netlink *nl, const char *name, const uint8_t *mac, struct err *err)
{
	struct ifinfomsg info = { 0 };

	return set_link(nl, name, &info, IFLA_ADDRESS, mac, err);
}

int netlink_link_set_master(struct netlink *nl, const char *name, const char *bridge,
			    struct err *err)
{
	struct ifinfomsg info = { 0 };
	int index = 0;
	uint32_t master;
	int r = bridge ? netlink_link_index(nl, bridge, &index, err) : 0;

	if (r < 0)
		return r;
	master = (uint32_t)index;
	return set_link(nl, name, &info, IFLA_MASTER, &master, err);
}

int netlink_port_set(struct netlink *nl, const char *name, const struct netlink_port *port,
		     struct err *err)
{
	struct ifinfomsg info = { .ifi_family = AF_BRIDGE };
	struct nlmsg msg;
	size_t port_info;
	int r = netlink_link_index(nl, name, &info.ifi_index, err);

	if (r < 0)
		return r;
	begin_link(nl, &msg, RTM_SETLINK, 0, &info);
	port_info = nlmsg_begin(&msg, IFLA_PROTINFO);
	nlmsg_put_u8(&msg, IFLA_BRPORT_ISOLATED, port->isolated);
	nlmsg_put_u8(&msg, IFLA_BRPORT_LEARNING, port->learning);
	nlmsg_put_u8(&msg, IFLA_BRPORT_UNICAST_FLOOD, port->flood);
	nlmsg_end(&msg, port_info);
	return request(nl, &msg, "change bridge port", name, err);
}

static int change_addr(struct netlink *nl, uint16_t type, const char *name,
		       const struct netlink_addr *addr, struct err *err)
{
	bool v4 = addr->family == AF_INET;
	size_t len = v4 ? 4 : 16;
	struct ifaddrmsg info = {
		.ifa_family = addr->family,
		.ifa_prefixlen = addr->prefix_len,
		.ifa_scope = addr->scope,
	};
	struct nlmsg msg;
	int index = 0;
	int r;

	if ((!v4 && addr->family != AF_INET6) || addr->prefix_len > len * 8)
		return err_set(err, -EINVAL, "change an address of link \"%.16s\"", name);
	r = netlink_link_index(nl, name, &index, err);
	if (r < 0)
		return r;
	info.ifa_index = (uint32_t)index;
	nlmsg_init(&msg, nl->request, sizeof(nl->request), type,
		   NLM_F_REQUEST | (type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_REPLACE : 0), &info,
		   sizeof(info));
	nlmsg_put(&msg, IFA_LOCAL, addr->bytes, len);
	nlmsg_put(&msg, IFA_ADDRESS, addr->bytes, len);
	if (addr->flags)
		nlmsg_put_u32(&msg, IFA_FLAGS, addr->flags);
	return request(nl, &msg,
		       type == RTM_NEWADDR ? "add an address to link" : "take an address from link",
		       name, err);
}

int netlink_addr_add(struct netlink *nl, const char *name, const struct netlink_addr *addr,
		     struct err *err)
{
	return change_addr(nl, RTM_NEWADDR, name, addr, err);
}

int netlink_addr_delete(struct netlink *nl, const char *name, const struct netlink_addr *addr,
			struct err *err)
{
	struct err own = { 0 };
	int r = change_addr(nl, RTM_DELADDR, name, addr, &own);

	if (r == -EADDRNOTAVAIL)
		return 0;
	if (r < 0 && err)
		*err = own;
	return r;
}

static void parse_stats(const struct nlattr *attr, struct netlink_nic *nic)
{
	struct rtnl_link_stats64 stats = { 0 };

	/* the struct grows with kernels: take what both know */
	memcpy(&stats, mnl_attr_get_payload(attr),
	       MIN(sizeof(stats), (size_t)mnl_attr_get_payload_len(attr)));
	nic->rx_bytes = stats.rx_bytes;
	nic->tx_bytes = stats.tx_bytes;
	nic->rx_packets = stats.rx_packets;
	nic->tx_packets = stats.tx_packets;
	nic->rx_errors = stats.rx_errors;
	nic->tx_errors = stats.tx_errors;
	nic->rx_dropped = stats.rx_dropped;
	nic->tx_dropped = stats.tx_dropped;
}

static void parse_link_attr(const struct nlattr *attr, struct netlink_nic *nic)
{
	bool is_u32 = mnl_attr_validate(attr, MNL_TYPE_U32) >= 0;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			(void)snprintf(nic->name, sizeof(nic->name), "%s", mnl_attr_get_str(attr));
		break;
	case IFLA_ADDRESS:
		nic->has_mac = mnl_attr_get_payload_len(attr) == NETLINK_MAC_LEN;
		if (nic->has_mac)
			memcpy(nic->mac, mnl_attr_get_payload(attr), NETLINK_MAC_LEN);
		break;
	case IFLA_MTU:
		nic->mtu = is_u32 ? mnl_attr_get_u32(attr) : 0;
		break;
	case IFLA_LINK:
		nic->peer_index = is_u32 ? (int)mnl_attr_get_u32(attr) : 0;
		break;
	case IFLA_STATS64:
		parse_stats(attr, nic);
		break;
	default:
		break;
	}
}

/* Returns: false when it is no link. */
static bool parse_link(const struct nlmsghdr *header, struct netlink_nic *ret_nic)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);
	const struct nlattr *attr;

	if (header->nlmsg_type != RTM_NEWLINK ||
	    header->nlmsg_len < mnl_nlmsg_size(sizeof(*info)) || info->ifi_family != AF_UNSPEC)
		return false;
	*ret_nic = (struct netlink_nic){
		.index = info->ifi_index,
		.up = info->ifi_flags & IFF_UP,
		.running = info->ifi_flags & IFF_RUNNING,
	};
	mnl_attr_for_each(attr, header, sizeof(*info)) parse_link_attr(attr, ret_nic);
	return !str_empty(ret_nic->name);
}

static int add_link(void *data, const struct nlmsghdr *header)
{
	struct netlink_table *table = data;
	struct netlink_nic nic;

	if (!parse_link(header, &nic))
		return 0;
	if (table->n_nics == NETLINK_NICS_MAX)
		table->left_out++;
	else
		table->nics[table->n_nics++] = nic;
	return 0;
}

/* The address as its owner sees it: the local one of a point-to-point link. */
static bool parse_addr_bytes(const struct nlmsghdr *header, struct netlink_addr *addr)
{
	size_t len = addr->family == AF_INET ? 4 : 16;
	bool found = false, found_local = false;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, header, sizeof(struct ifaddrmsg))
	{
		uint16_t type = mnl_attr_get_type(attr);

		if (type == IFA_FLAGS && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			addr->flags = mnl_attr_get_u32(attr);
		if ((type != IFA_LOCAL && type != IFA_ADDRESS) ||
		    mnl_attr_get_payload_len(attr) != len || (type == IFA_ADDRESS && found_local))
			continue;
		memcpy(addr->bytes, mnl_attr_get_payload(attr), len);
		found = true;
		found_local = found_local || type == IFA_LOCAL;
	}
	return found;
}

static int add_addr(void *data, const struct nlmsghdr *header)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(header);
	struct netlink_table *table = data;
	struct netlink_addr addr = { 0 };
	size_t nic = 0;

	if (header->nlmsg_type != RTM_NEWADDR ||
	    header->nlmsg_len < mnl_nlmsg_size(sizeof(*info)) ||
	    (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return 0;
	while (nic < table->n_nics && table->nics[nic].index != (int)info->ifa_index)
		nic++;
	addr.nic = (uint8_t)nic;
	addr.family = info->ifa_family;
	addr.prefix_len = info->ifa_prefixlen;
	addr.scope = info->ifa_scope;
	addr.flags = info->ifa_flags;
	if (!parse_addr_bytes(header, &addr))
		return 0;
	if (nic == table->n_nics || table->n_addrs == NETLINK_ADDRS_MAX)
		table->left_out++;
	else
		table->addrs[table->n_addrs++] = addr;
	return 0;
}

/* Dump links (RTM_GETLINK) or addresses (RTM_GETADDR). */
static int dump(struct netlink *nl, uint16_t type,
		int (*fn)(void *data, const struct nlmsghdr *header), void *data, struct err *err)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC }; /* ifaddrmsg begins alike */
	struct reply_reader reader = { .fn = fn, .data = data };
	struct nlmsg msg;
	int r;

	begin_link(nl, &msg, type, NLM_F_DUMP, &info);
	r = exchange(nl, &msg, &reader);
	if (r < 0)
		return err_set(err, r, "list %s", type == RTM_GETLINK ? "links" : "addresses");
	return 0;
}

int netlink_read_table(struct netlink *nl, struct netlink_table *ret_table, struct err *err)
{
	int r;

	ret_table->n_nics = ret_table->n_addrs = ret_table->left_out = 0;
	r = dump(nl, RTM_GETLINK, add_link, ret_table, err);
	return r < 0 ? r : dump(nl, RTM_GETADDR, add_addr, ret_table, err);
}

struct link_visitor {
	const char *prefix;
	int (*fn)(void *data, const struct netlink_nic *nic);
	void *data;
	int result; /* of fn, once it was not 0 */
};

static int visit_link(void *data, const struct nlmsghdr *header)
{
	struct link_visitor *visitor = data;
	struct netlink_nic nic;

	/* a dump is read to its end, so that the next request does not meet the rest of it */
	if (visitor->result == 0 && parse_link(header, &nic) &&
	    str_after(nic.name, visitor->prefix))
		visitor->result = visitor->fn(visitor->data, &nic);
	return 0;
}

int netlink_for_each_link(struct netlink *nl, const char *prefix,
			  int (*fn)(void *data, const struct netlink_nic *nic), void *data,
			  struct err *err)
{
	struct link_visitor visitor = { .prefix = prefix, .fn = fn, .data = data };
	int r = dump(nl, RTM_GETLINK, visit_link, &visitor, err);

	return r < 0 ? r : visitor.result;
}

static bool is_change(const struct nlmsghdr *header)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);

	switch (header->nlmsg_type) {
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return true;
	case RTM_NEWLINK:
	case RTM_DELLINK: /* bridges and IPv6 tell their own news by the same types */
		return header->nlmsg_len >= mnl_nlmsg_size(sizeof(*info)) &&
		       info->ifi_family == AF_UNSPEC;
	default:
		return false;
	}
}

int netlink_read_events(struct netlink *nl)
{
	bool changed = false;

	for (int i = 0; i < EVENTS_PER_READ; i++) {
		ssize_t n = mnl_socket_recvfrom(nl->sock, nl->reply, sizeof(nl->reply));
		const struct nlmsghdr *header = (const struct nlmsghdr *)nl->reply;
		int left = (int)n;

		if (n < 0 && (errno == ENOBUFS || errno == ENOSPC || errno == EINTR)) {
			changed = true; /* some were lost */
			continue;
		}
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (n <= 0)
			break;
		for (; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left))
			changed = changed || is_change(header);
	}
	return changed;
}

void netlink_begin(struct netlink *nl, struct nlmsg *msg, uint16_t type, uint16_t flags,
		   const void *fixed, size_t fixed_len)
{
	nlmsg_init(msg, nl->request, sizeof(nl->request), type, NLM_F_REQUEST | flags, fixed,
		   fixed_len);
}

int netlink_request(struct netlink *nl, struct nlmsg *msg, const char *what, const char *name,
		    struct err *err)
{
	return request(nl, msg, what, name, err);
}

int netlink_ask(struct netlink *nl, struct nlmsg *msg,
		int (*fn)(void *data, const struct nlmsghdr *header), void *data)
{
	struct reply_reader reader = { .fn = fn, .data = data };

	return exchange(nl, msg, &reader);
}
