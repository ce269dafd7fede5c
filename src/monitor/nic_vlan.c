/* monitor/nic_vlan.c - see nic_vlan.h */
#include "monitor/nic_vlan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "os/fd.h"
#include "os/netlink_link.h"
#include "spec/instance.h"
#include "spec/vlan.h"

enum {
	NUMBER_LEN = 16
};

/* A file of the bridge in sysfs: a number and a line break. */
static int read_bridge(const char *bridge, const char *file, uint32_t *ret_number)
{
	_cleanup_(freep) char *path = xasprintf("/sys/class/net/%s/bridge/%s", bridge, file);
	char text[NUMBER_LEN];
	ssize_t n = fd_read_file_at(AT_FDCWD, path, text, sizeof(text));

	return n < 0 ? (int)n : parse_u32(text, ret_number);
}

static int tell_apart(const struct spec_nic *nic, struct err *err)
{
	_cleanup_(freep) char *path =
		xasprintf("/sys/class/net/%s/bridge/vlan_filtering", nic->parent);
	uint32_t on = 0;
	int r = read_bridge(nic->parent, "vlan_filtering", &on);

	if (r == -ENOENT)
		return err_kind(err, ERR_UNSUPPORTED,
				"vlan: \"%s\" is no bridge of a kernel that tells VLANs apart",
				nic->parent);
	if (r < 0 || on)
		return r < 0 ? err_set(err, r, "read \"%s\"", path) : 0;
	if (!nic->own_bridge)
		return err_kind(
			err, ERR_INVALID,
			"vlan: bridge \"%s\" does not tell VLANs apart: ip link set %s type "
			"bridge vlan_filtering 1",
			nic->parent, nic->parent);
	r = fd_write_file_at(AT_FDCWD, path, "1");
	return r < 0 ? err_set(err, r, "write \"%s\"", path) : 0;
}

/* A new port is in the bridge's default VLAN. */
static int set_native(struct netlink *nl, const struct spec_nic *nic, struct err *err)
{
	uint32_t before = 0;
	int r = read_bridge(nic->parent, "default_pvid", &before);

	if (r < 0)
		return err_set(err, r, "default VLAN of \"%s\"", nic->parent);
	if (nic->vlan != VLAN_NONE)
		r = netlink_port_vlans(nl, nic->host_name, (uint16_t)nic->vlan, (uint16_t)nic->vlan,
				       true, true, err);
	if (r == 0 && before > 0 && before != nic->vlan)
		r = netlink_port_vlans(nl, nic->host_name, (uint16_t)before, (uint16_t)before,
				       false, false, err);
	return r;
}

bool nic_has_vlans(const struct spec_nic *nic)
{
	return nic->vlan != VLAN_UNSET || !str_empty(nic->vlan_tagged);
}

int nic_join_vlans(struct netlink *nl, const struct spec_nic *nic, struct err *err)
{
	struct vlan_ranges tagged = { 0 };
	int r = 0;

	if (!nic_has_vlans(nic))
		return 0;
	r = tell_apart(nic, err);
	if (r == 0 && nic->vlan != VLAN_UNSET)
		r = set_native(nl, nic, err);
	if (r == 0 && vlan_parse_tagged(nic->vlan_tagged ?: "", &tagged) < 0)
		r = err_kind(err, ERR_INVALID, "vlan.tagged \"%s\"", nic->vlan_tagged);
	vec_for_each(range, &tagged.list) {
		if (r == 0)
			r = netlink_port_vlans(nl, nic->host_name, range->first, range->last, false,
					       true, err);
	}
	free(tagged.list.items);
	return r;
}
