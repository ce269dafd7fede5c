/*
 * spec/vlan.h - VLANs of nics: vlan= and vlan.tagged= (spec, pure; IEEE 802.1Q)
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"

enum {
	VLAN_UNSET = 0,
	VLAN_ID_MAX = 4094,
	VLAN_NONE = 4096 /* "none": in no VLAN but those of vlan.tagged */
};

struct vlan_range {
	uint16_t first, last;
};
struct vlan_ranges {
	VEC(struct vlan_range) list;
};

/* For the table of options: "10" or "none"; "10,20-30". */
int vlan_check(const char *key, const char *value, struct err *err);
int vlan_check_tagged(const char *key, const char *value, struct err *err);

/* Of checked values, "" included: VLAN_UNSET, an id or VLAN_NONE. */
uint32_t vlan_parse(const char *value);

/* Appends. Returns: 0 or -EINVAL. */
int vlan_parse_tagged(const char *value, struct vlan_ranges *ranges);
