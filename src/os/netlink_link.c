/* os/netlink_link.c - see netlink_link.h */
#include "os/netlink_link.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>
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

static void put_kind(struct nlmsg *msg, const struct netlink_child *child)
{
	size_t link_info = nlmsg_begin(msg, IFLA_LINKINFO), link_data;

	nlmsg_put_str(msg, IFLA_INFO_KIND, child->vlan ? "vlan" : "macvlan");
	link_data = nlmsg_begin(msg, IFLA_INFO_DATA);
	if (child->vlan)
		nlmsg_put(msg, IFLA_VLAN_ID, &child->vlan, sizeof(child->vlan));
	else
		nlmsg_put_u32(msg, IFLA_MACVLAN_MODE, child->mode);
	nlmsg_end(msg, link_data);
	nlmsg_end(msg, link_info);
}

int netlink_child_create(struct netlink *nl, const struct netlink_child *child, struct err *err)
{
	const char *kind = child->vlan ? "VLANs" : "macvlans";
	const struct ifinfomsg info = { 0 };
	struct nlmsg msg;
	int parent, r = netlink_link_index(nl, child->parent, &parent, err);

	if (r < 0)
		return r;
	netlink_begin(nl, &msg, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	nlmsg_put_str(&msg, IFLA_IFNAME, child->name);
	nlmsg_put_u32(&msg, IFLA_LINK, (uint32_t)parent);
	nlmsg_put_u32(&msg, IFLA_NET_NS_FD, (uint32_t)child->netns_fd);
	if (child->mac)
		nlmsg_put(&msg, IFLA_ADDRESS, child->mac, NETLINK_MAC_LEN);
	if (child->mtu > 0)
		nlmsg_put_u32(&msg, IFLA_MTU, child->mtu);
	put_kind(&msg, child);
	r = netlink_request(nl, &msg, child->vlan ? "create VLAN" : "create macvlan", child->name,
			    err);
	if (r == -EOPNOTSUPP)
		return err_kind(err, ERR_UNSUPPORTED, "the host's kernel has no %s", kind);
	return r;
}

static void put_vlan(struct nlmsg *msg, uint16_t vid, uint16_t flags)
{
	const struct bridge_vlan_info info = { .flags = flags, .vid = vid };

	nlmsg_put(msg, IFLA_BRIDGE_VLAN_INFO, &info, sizeof(info));
}

int netlink_port_vlans(struct netlink *nl, const char *name, uint16_t first, uint16_t last,
		       bool native, bool add, struct err *err)
{
	uint16_t flags = native ? BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED : 0;
	struct ifinfomsg info = { .ifi_family = AF_BRIDGE };
	struct nlmsg msg;
	size_t spec;
	int r = netlink_link_index(nl, name, &info.ifi_index, err);

	if (r < 0)
		return r;
	netlink_begin(nl, &msg, add ? RTM_SETLINK : RTM_DELLINK, 0, &info, sizeof(info));
	spec = nlmsg_begin(&msg, IFLA_AF_SPEC);
	if (first == last) {
		put_vlan(&msg, first, flags);
	} else {
		put_vlan(&msg, first, flags | BRIDGE_VLAN_INFO_RANGE_BEGIN);
		put_vlan(&msg, last, flags | BRIDGE_VLAN_INFO_RANGE_END);
	}
	nlmsg_end(&msg, spec);
	return netlink_request(nl, &msg, "change VLANs of bridge port", name, err);
}
