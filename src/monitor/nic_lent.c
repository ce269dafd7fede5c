/* monitor/nic_lent.c - see nic_lent.h */
#include "monitor/nic_lent.h"

#include <errno.h>
#include <time.h>

#include "base/time.h"
#include "monitor/devices.h"
#include "monitor/mon.h"
#include "os/netlink_link.h"
#include "os/nicloan.h"
#include "spec/nictype.h"

static int parse_mac(const struct spec_nic *nic, uint8_t mac[NETLINK_MAC_LEN],
		     const uint8_t **ret_mac, struct err *err)
{
	int r;

	*ret_mac = NULL;
	if (!nic->hwaddr)
		return 0;
	r = netlink_parse_mac(nic->hwaddr, mac);
	if (r < 0)
		return err_set(err, r, "address \"%s\"", nic->hwaddr);
	*ret_mac = mac;
	return 0;
}

int nic_attach_child(struct mon *mon, struct netlink *nl, const struct spec_nic *nic,
		     struct err *err)
{
	_cleanup_(netlink_freep) struct netlink *inner = NULL;
	uint8_t mac[NETLINK_MAC_LEN];
	struct netlink_child child = {
		.parent = nic->parent,
		.name = nic->name,
		.vlan = nic->kind == NIC_VLAN ? (uint16_t)nic->vlan : 0,
		.mode = nic->macvlan_mode,
		.mtu = nic->mtu,
		.netns_fd = mon->life.netns_fd,
	};
	int index, r = parse_mac(nic, mac, &child.mac, err);

	if (r == 0)
		r = netlink_open(mon->life.netns_fd, 0, &inner, err);
	if (r == 0)
		r = netlink_child_create(nl, &child, err);
	if (r == -ENODEV)
		return err_kind(err, ERR_INVALID, "parent: the host has no interface \"%s\"",
				nic->parent);
	/* Its number stays the same whatever the guest calls it. */
	if (r == 0)
		r = netlink_link_index(inner, nic->name, &index, err);
	/* In passthru mode it was born with the parent's address. */
	if (r == 0 && child.mac)
		r = netlink_link_change(inner, index, &(struct netlink_change){ .mac = child.mac },
					err);
	if (r == 0)
		(void)devices_remember(mon, nic->device, (uint64_t)index);
	return r;
}

int nic_detach_child(struct mon *mon, const struct spec_nic *nic, struct err *err)
{
	_cleanup_(netlink_freep) struct netlink *inner = NULL;
	struct netlink_link link;
	uint64_t index;
	int r;

	if (!devices_take(mon, nic->device, &index))
		return 0;
	r = netlink_open(mon->life.netns_fd, 0, &inner, err);
	if (r < 0)
		return r;
	if (netlink_link_read(inner, (int)index, NULL, &link, NULL) < 0)
		return 0;
	r = netlink_link_delete(inner, link.name, err);
	netlink_link_done(&link);
	return r == -ENODEV ? 0 : r;
}

int nic_attach_physical(struct mon *mon, const struct spec_nic *nic, struct err *err)
{
	uint8_t mac[NETLINK_MAC_LEN];
	struct nicloan loan = {
		.name = nic->parent,
		.inner = nic->name,
		.mtu = nic->mtu,
		.pid = mon->life.init_pid,
		.netns_fd = mon->life.netns_fd,
		.dir_fd = mon->runtime_fd,
	};
	int r = parse_mac(nic, mac, &loan.mac, err);

	return r < 0 ? r : nicloan_give(&loan, err);
}

int nic_detach_physical(struct mon *mon, const struct spec_nic *nic, struct err *err)
{
	int r = nicloan_take_back(mon->runtime_fd, nic->parent, mon->life.netns_fd, err);

	/* Software made it, and the guest deleted it; else the kernel brings it at the end. */
	return r == -ENODEV ? 0 : r;
}

void nics_give_back(struct mon *mon)
{
	vec_for_each(nic, &mon->spec.nics) {
		struct log_keys keys = mon_keys(mon, "nics");
		struct err err = { 0 };

		if (nic->kind != NIC_PHYSICAL || mon->life.netns_fd < 0)
			continue;
		if (nicloan_take_back(mon->runtime_fd, nic->parent, mon->life.netns_fd, &err) < 0)
			log_warn(keys, "device=%s give back: %s", nic->device, err.msg);
	}
}

int nics_await_back(struct mon *mon, uint32_t timeout_ms, struct err *err)
{
	const struct timespec pause = { .tv_nsec = 5 * NS_PER_MS };
	uint64_t end_ns = time_mono_ns() + (uint64_t)timeout_ms * NS_PER_MS;

	vec_for_each(nic, &mon->spec.nics) {
		if (nic->kind != NIC_PHYSICAL)
			continue;
		while (nicloan_take_back(mon->runtime_fd, nic->parent, -EBADF, err) < 0) {
			if (time_mono_ns() > end_ns) {
				nicloan_forget(mon->runtime_fd, nic->parent);
				return -ETIMEDOUT;
			}
			(void)nanosleep(&pause, NULL);
		}
	}
	return 0;
}
