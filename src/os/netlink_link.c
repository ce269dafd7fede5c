/* os/netlink_link.c - see netlink_link.h */
#include "os/netlink_link.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "os/netlink_priv.h"

void netlink_link_done(struct netlink_link *link)
{
	link->altnames = strv_free(link->altnames);
}

static void take_text(const struct nlattr *attr, char *out, size_t size)
{
	if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		(void)snprintf(out, size, "%s", mnl_attr_get_str(attr));
}

static void take_mac(const struct nlattr *attr, uint8_t mac[NETLINK_MAC_LEN], bool *ret_has)
{
	*ret_has = mnl_attr_get_payload_len(attr) == NETLINK_MAC_LEN;
	if (*ret_has)
		memcpy(mac, mnl_attr_get_payload(attr), NETLINK_MAC_LEN);
}

static uint32_t u32_of(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_U32) >= 0 ? mnl_attr_get_u32(attr) : 0;
}

static void take_altnames(const struct nlattr *list, struct netlink_link *link)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, list)
	{
		if (mnl_attr_get_type(attr) == IFLA_ALT_IFNAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			strv_push(&link->altnames, mnl_attr_get_str(attr));
	}
}

static void take_attr(const struct nlattr *attr, struct netlink_link *link)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		take_text(attr, link->name, sizeof(link->name));
		break;
	case IFLA_IFALIAS:
		take_text(attr, link->alias, sizeof(link->alias));
		break;
	case IFLA_ADDRESS:
		take_mac(attr, link->mac, &link->has_mac);
		break;
	case IFLA_PERM_ADDRESS:
		take_mac(attr, link->permanent, &link->has_permanent);
		break;
	case IFLA_MTU:
		link->mtu = u32_of(attr);
		break;
	case IFLA_MASTER:
		link->master = (int)u32_of(attr);
		break;
	case IFLA_PROP_LIST:
		take_altnames(attr, link);
		break;
	default:
		break;
	}
}

static int take_link(void *data, const struct nlmsghdr *header)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);
	struct netlink_link *link = data;
	const struct nlattr *attr;

	if (header->nlmsg_type != RTM_NEWLINK || header->nlmsg_len < mnl_nlmsg_size(sizeof(*info)))
		return 0;
	link->index = info->ifi_index;
	link->flags = info->ifi_flags;
	mnl_attr_for_each(attr, header, sizeof(*info)) take_attr(attr, link);
	return 0;
}

int netlink_link_read(struct netlink *nl, int index, const char *name,
		      struct netlink_link *ret_link, struct err *err)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct nlmsg msg;
	int r;

	*ret_link = (struct netlink_link){ 0 };
	if (index == 0 && (str_empty(name) || strlen(name) >= IFNAMSIZ))
		return err_set(err, -ENODEV, "look up link \"%.32s\"", name ? name : "");
	netlink_begin(nl, &msg, RTM_GETLINK, NLM_F_ACK, &info, sizeof(info));
	if (index == 0)
		nlmsg_put_str(&msg, IFLA_IFNAME, name);
	r = netlink_ask(nl, &msg, take_link, ret_link);
	if (r == 0 && ret_link->index == 0)
		r = -ENODEV;
	if (r == 0)
		return 0;
	netlink_link_done(ret_link);
	return name ? err_set(err, r, "look up link \"%s\"", name)
		    : err_set(err, r, "look up link %d", index);
}

int netlink_link_change(struct netlink *nl, int index, const struct netlink_change *change,
			struct err *err)
{
	const struct ifinfomsg info = {
		.ifi_index = index,
		.ifi_flags = change->flags,
		.ifi_change = change->flags_mask,
	};
	char shown[IFNAMSIZ];
	struct nlmsg msg;

	(void)snprintf(shown, sizeof(shown), "%d", index);
	netlink_begin(nl, &msg, RTM_SETLINK, 0, &info, sizeof(info));
	if (change->name)
		nlmsg_put_str(&msg, IFLA_IFNAME, change->name);
	if (change->mac)
		nlmsg_put(&msg, IFLA_ADDRESS, change->mac, NETLINK_MAC_LEN);
	if (change->mtu > 0)
		nlmsg_put_u32(&msg, IFLA_MTU, change->mtu);
	if (change->alias)
		nlmsg_put(&msg, IFLA_IFALIAS, change->alias, strlen(change->alias));
	if (change->moves)
		nlmsg_put_u32(&msg, IFLA_NET_NS_FD, (uint32_t)change->netns_fd);
	if (change->new_index > 0)
		nlmsg_put_u32(&msg, IFLA_NEW_IFINDEX, (uint32_t)change->new_index);
	return netlink_request(nl, &msg, change->moves ? "move link" : "change link",
			       change->name ? change->name : shown, err);
}

int netlink_altname(struct netlink *nl, int index, const char *altname, bool add, struct err *err)
{
	const struct ifinfomsg info = { .ifi_index = index };
	struct err own = { 0 };
	struct nlmsg msg;
	size_t list;
	int r;

	netlink_begin(nl, &msg, add ? RTM_NEWLINKPROP : RTM_DELLINKPROP,
		      add ? NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND : 0, &info, sizeof(info));
	list = nlmsg_begin(&msg, IFLA_PROP_LIST);
	nlmsg_put_str(&msg, IFLA_ALT_IFNAME, altname);
	nlmsg_end(&msg, list);
	r = netlink_request(nl, &msg, add ? "add name" : "delete name", altname, &own);
	if (r == (add ? -EEXIST : -ENOENT))
		return 0;
	if (r < 0 && err)
		*err = own;
	return r;
}

int netlink_macvlan_create(struct netlink *nl, const struct netlink_macvlan *macvlan,
			   struct err *err)
{
	const struct ifinfomsg info = { 0 };
	size_t link_info, link_data;
	struct nlmsg msg;
	int parent;
	int r = netlink_link_index(nl, macvlan->parent, &parent, err);

	if (r < 0)
		return r;
	netlink_begin(nl, &msg, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	nlmsg_put_str(&msg, IFLA_IFNAME, macvlan->name);
	nlmsg_put_u32(&msg, IFLA_LINK, (uint32_t)parent);
	nlmsg_put_u32(&msg, IFLA_NET_NS_FD, (uint32_t)macvlan->netns_fd);
	if (macvlan->mac)
		nlmsg_put(&msg, IFLA_ADDRESS, macvlan->mac, NETLINK_MAC_LEN);
	if (macvlan->mtu > 0)
		nlmsg_put_u32(&msg, IFLA_MTU, macvlan->mtu);
	link_info = nlmsg_begin(&msg, IFLA_LINKINFO);
	nlmsg_put_str(&msg, IFLA_INFO_KIND, "macvlan");
	link_data = nlmsg_begin(&msg, IFLA_INFO_DATA);
	nlmsg_put_u32(&msg, IFLA_MACVLAN_MODE, macvlan->mode);
	nlmsg_end(&msg, link_data);
	nlmsg_end(&msg, link_info);
	return netlink_request(nl, &msg, "create macvlan", macvlan->name, err);
}
