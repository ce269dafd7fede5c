/* os/netlink_route.c - see netlink_route.h */
#include "os/netlink_route.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "os/netlink_priv.h"

static size_t address_len(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

static int change_route(struct netlink *nl, uint16_t type, int index, const char *link,
			const struct netlink_route *route, struct err *err)
{
	const bool add = type == RTM_NEWROUTE;
	struct rtmsg info = {
		.rtm_family = route->family,
		.rtm_dst_len = route->prefix_len,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = route->via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
		.rtm_flags = route->via ? RTNH_F_ONLINK : 0,
	};
	struct nlmsg msg;

	netlink_begin(nl, &msg, type, add ? NLM_F_CREATE | NLM_F_EXCL : 0, &info, sizeof(info));
	if (route->prefix_len > 0)
		nlmsg_put(&msg, RTA_DST, route->dst, address_len(route->family));
	if (route->via)
		nlmsg_put(&msg, RTA_GATEWAY, route->via, address_len(route->family));
	nlmsg_put_u32(&msg, RTA_OIF, (uint32_t)index);
	return netlink_request(nl, &msg, add ? "add a route to link" : "take a route from link",
			       link, err);
}

int netlink_route_add(struct netlink *nl, const char *link, const struct netlink_route *route,
		      struct err *err)
{
	int index, r = netlink_link_index(nl, link, &index, err);

	return r < 0 ? r : change_route(nl, RTM_NEWROUTE, index, link, route, err);
}

int netlink_route_delete(struct netlink *nl, const char *link, const struct netlink_route *route,
			 struct err *err)
{
	int index, r = netlink_link_index(nl, link, &index, NULL);

	if (r == 0)
		r = change_route(nl, RTM_DELROUTE, index, link, route, NULL);
	if (r == 0 || r == -ESRCH || r == -ENODEV)
		return 0;
	return err_set(err, r, "take a route from link \"%s\"", link);
}

int netlink_proxy_set(struct netlink *nl, const char *link, uint8_t family,
		      const uint8_t address[16], bool add, struct err *err)
{
	struct ndmsg info = { .ndm_family = family, .ndm_flags = NTF_PROXY };
	struct nlmsg msg;
	int r = netlink_link_index(nl, link, &info.ndm_ifindex, add ? err : NULL);

	if (r < 0)
		return add ? r : 0;
	netlink_begin(nl, &msg, add ? RTM_NEWNEIGH : RTM_DELNEIGH,
		      add ? NLM_F_CREATE | NLM_F_REPLACE : 0, &info, sizeof(info));
	nlmsg_put(&msg, NDA_DST, address, address_len(family));
	r = netlink_request(nl, &msg, "answer for an address on link", link, add ? err : NULL);
	return r == -ENOENT && !add ? 0 : r;
}
