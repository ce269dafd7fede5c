/* monitor/setup_net.c - phase: network devices, made inside the container's namespace at once */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "base/parse.h"
#include "base/time.h"
#include "monitor/devices.h"
#include "monitor/mon.h"
#include "monitor/nic_lent.h"
#include "monitor/nic_routed.h"
#include "monitor/nic_vlan.h"
#include "monitor/setup.h"
#include "os/fd.h"
#include "os/netlink.h"
#include "spec/nictype.h"

enum {
	NAME_WAIT_MS = 1000 /* a namespace that dies frees its names 5 ms later */
};

static uint32_t parent_mtu(const char *parent)
{
	char path[64], text[16];
	uint32_t mtu;

	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/mtu", parent);
	if (fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) < 0 || parse_u32(text, &mtu) < 0)
		return 0;
	return mtu;
}

/* The name may still belong to this container's last life. */
static int create_veth(struct netlink *nl, const struct netlink_veth *veth, bool given_name,
		       struct err *err)
{
	const struct timespec pause = { .tv_nsec = NS_PER_MS };
	int index, r;

	for (int i = 0;; i++) {
		r = netlink_veth_create(nl, veth, &index, err);
		if (r != -EEXIST)
			return r;
		if (i == NAME_WAIT_MS)
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (given_name)
		return err_kind(err, ERR_CONFLICT,
				"host_name=%s: the host has an interface of that name",
				veth->host_name);
	/* Nobody else makes names of our own prefix: it was left by a crash. */
	(void)netlink_link_delete(nl, veth->host_name, NULL);
	return netlink_veth_create(nl, veth, &index, err);
}

/* Whom it may talk to is settled before anything passes. */
static bool begins_down(const struct spec_nic *nic)
{
	return nic->disconnected || nic->isolated || nic_has_vlans(nic);
}

static int join_host(struct mon *mon, struct netlink *nl, const struct spec_nic *nic,
		     struct err *err)
{
	const struct netlink_port isolated = { .isolated = true, .learning = true, .flood = true };
	int r = 0;

	if (nic->isolated)
		r = netlink_port_set(nl, nic->host_name, &isolated, err);
	if (r == 0 && nic->kind == NIC_PAIR)
		r = nic_join_vlans(nl, nic, err);
	if (r == 0 && begins_down(nic) && !nic->disconnected)
		r = netlink_link_set_up(nl, nic->host_name, true, err);
	if (r == 0 && nic_has_routes(nic))
		r = nic_route(mon, nl, nic, err);
	return r;
}

static int attach_pair(struct mon *mon, struct netlink *nl, const struct spec_nic *nic,
		       struct err *err)
{
	uint8_t mac[NETLINK_MAC_LEN];
	struct netlink_veth veth = {
		.host_name = nic->host_name,
		.bridge = nic->kind == NIC_PAIR ? nic->parent : NULL,
		.peer_name = nic->name,
		.peer_netns_fd = mon->life.netns_fd,
		.mtu = nic->mtu,
		.queue_len = nic->queue_len,
		.down = begins_down(nic),
	};
	int r;

	if (nic->hwaddr) {
		r = netlink_parse_mac(nic->hwaddr, mac);
		if (r < 0)
			return err_set(err, r, "address \"%s\"", nic->hwaddr);
		veth.peer_mac = mac;
	}
	if (!veth.mtu && nic->parent)
		veth.mtu = parent_mtu(nic->parent);
	r = create_veth(nl, &veth, nic->given_name, err);
	if (r < 0)
		return r;
	r = join_host(mon, nl, nic, err);
	if (r < 0)
		(void)netlink_link_delete(nl, nic->host_name, NULL);
	return r;
}

static int attach_nic(struct mon *mon, struct netlink *nl, const struct spec_nic *nic,
		      struct err *err)
{
	int r;

	if (nic->kind == NIC_MACVLAN || nic->kind == NIC_VLAN)
		r = nic_attach_child(mon, nl, nic, err);
	else if (nic->kind == NIC_PHYSICAL)
		r = nic_attach_physical(mon, nic, err);
	else
		r = attach_pair(mon, nl, nic, err);
	return r < 0 ? err_wrap(err, "nic \"%s\"", nic->name) : 0;
}

int setup_attach_nics(void *data, struct err *err)
{
	struct mon *mon = data;
	_cleanup_(netlink_freep) struct netlink *nl = NULL;
	int r = 0;

	if (mon->spec.nics.len > 0)
		r = netlink_open(-EBADF, 0, &nl, err);
	if (r < 0)
		return r;
	vec_for_each(nic, &mon->spec.nics) {
		r = attach_nic(mon, nl, nic, err);
		if (r < 0)
			return r;
	}
	return addresses_start(&mon->addresses, mon->life.netns_fd, err);
}

static int add_nic(struct mon *mon, const void *item, struct err *err)
{
	_cleanup_(netlink_freep) struct netlink *nl = NULL;
	int r = netlink_open(-EBADF, 0, &nl, err);

	return r < 0 ? r : attach_nic(mon, nl, item, err);
}

/* The guest may have deleted its end, and ours with it. */
static int remove_nic(struct mon *mon, const void *item, struct err *err)
{
	const struct spec_nic *nic = item;
	_cleanup_(netlink_freep) struct netlink *nl = NULL;
	int r;

	if (nic->kind == NIC_MACVLAN || nic->kind == NIC_VLAN)
		return nic_detach_child(mon, nic, err);
	if (nic->kind == NIC_PHYSICAL)
		return nic_detach_physical(mon, nic, err);
	r = netlink_open(-EBADF, 0, &nl, err);
	if (r == 0 && nic_has_routes(nic))
		nic_unroute(nl, nic);
	if (r == 0)
		r = netlink_link_delete(nl, nic->host_name, err);
	return r == -ENODEV ? 0 : r;
}

/* Its cable alone: nobody inside has to do anything then. */
static bool can_alter_nic(const void *old, const void *new)
{
	struct spec_nic changed = *(const struct spec_nic *)old;

	changed.disconnected = ((const struct spec_nic *)new)->disconnected;
	return !nic_carries_routes(old) && devices_same(&spec_nic_schema, &changed, new);
}

static int alter_nic(struct mon *mon, const void *item, struct err *err)
{
	const struct spec_nic *nic = item;
	_cleanup_(netlink_freep) struct netlink *nl = NULL;
	int r = netlink_open(-EBADF, 0, &nl, err);

	(void)mon;
	return r < 0 ? r : netlink_link_set_up(nl, nic->host_name, !nic->disconnected, err);
}

const struct device_kind device_kind_nic = {
	.what = "nic",
	.offset = offsetof(struct inst_spec, nics),
	.schema = &spec_nic_schema,
	.add = add_nic,
	.remove = remove_nic,
	.can_alter = can_alter_nic,
	.alter = alter_nic,
};
