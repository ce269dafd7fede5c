/* monitor/nic_routed.c - see nic_routed.h */
#include "monitor/nic_routed.h"

#include <errno.h>

#include "monitor/mon.h"
#include "os/netlink.h"
#include "os/nicroute.h"
#include "spec/nictype.h"

static bool is_bridged(const struct spec_nic *nic)
{
	return nic->kind == NIC_PAIR && nic->parent;
}

static struct nicroute route_of(const struct spec_nic *nic)
{
	bool bridged = is_bridged(nic);

	return (struct nicroute){
		.host_name = nic->host_name,
		.parent = bridged ? NULL : nic->parent,
		.subnet_link = bridged ? nic->parent : nic->host_name,
		.subnets = (const char *const *)nic->subnets,
		.address4 = nic->address4,
		.address6 = nic->address6,
	};
}

bool nic_carries_routes(const struct spec_nic *nic)
{
	return nic->kind == NIC_ROUTED || (nic->subnets && !is_bridged(nic));
}

bool nic_has_routes(const struct spec_nic *nic)
{
	if (nic_carries_routes(nic))
		return !nic->disconnected;
	return nic->subnets;
}

int nic_route(struct mon *mon, struct netlink *nl, const struct spec_nic *nic, struct err *err)
{
	_cleanup_(netlink_freep) struct netlink *inner = NULL;
	const struct nicroute route = route_of(nic);
	int r = nicroute_up(nl, &route, err);

	if (r < 0 || nic->kind != NIC_ROUTED)
		return r;
	r = netlink_open(mon->life.netns_fd, 0, &inner, err);
	if (r == 0)
		r = nicroute_up_inside(inner, nic->name, &route, !nic->no_gateway4,
				       !nic->no_gateway6, err);
	if (r < 0)
		nicroute_down(nl, &route);
	return r;
}

void nic_unroute(struct netlink *nl, const struct spec_nic *nic)
{
	const struct nicroute route = route_of(nic);

	nicroute_down(nl, &route);
}

void nics_unroute(struct mon *mon)
{
	_cleanup_(netlink_freep) struct netlink *nl = NULL;
	struct log_keys keys = mon_keys(mon, "nics");
	struct err err = { 0 };

	vec_for_each(nic, &mon->spec.nics) {
		if (!nic_has_routes(nic))
			continue;
		if (!nl && netlink_open(-EBADF, 0, &nl, &err) < 0) {
			log_warn(keys, "device=%s unroute: %s", nic->device, err.msg);
			return;
		}
		nic_unroute(nl, nic);
	}
}
