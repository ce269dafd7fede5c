/* spec/vlan.c - see vlan.h */
#include "spec/vlan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

static int parse_id(const char *text, uint16_t *ret_id)
{
	uint32_t id;

	if (parse_u32(text, &id) < 0 || id == 0 || id > VLAN_ID_MAX)
		return -EINVAL;
	*ret_id = (uint16_t)id;
	return 0;
}

uint32_t vlan_parse(const char *value)
{
	uint16_t id;

	if (streq(value, "none"))
		return VLAN_NONE;
	return parse_id(value, &id) == 0 ? id : VLAN_UNSET;
}

static int parse_range(const char *text, struct vlan_range *ret_range)
{
	const char *dash = strchr(text, '-');
	_cleanup_(freep) char *first = xstrndup(text, strcspn(text, "-"));
	int r = parse_id(first, &ret_range->first);

	if (r == 0)
		r = parse_id(dash ? dash + 1 : text, &ret_range->last);
	return r == 0 && ret_range->last < ret_range->first ? -EINVAL : r;
}

int vlan_parse_tagged(const char *value, struct vlan_ranges *ranges)
{
	_cleanup_(strv_freep) char **parts = strv_split(value, ", ");

	for (char **part = parts; part && *part; part++) {
		struct vlan_range range;

		if (parse_range(*part, &range) < 0)
			return -EINVAL;
		*vec_push(&ranges->list) = range;
	}
	return 0;
}

int vlan_check(const char *key, const char *value, struct err *err)
{
	(void)key; /* in the caller's words */
	if (vlan_parse(value) != VLAN_UNSET)
		return 0;
	return err_kind(err, ERR_INVALID, "must be a number from 1 to %d, or none", VLAN_ID_MAX);
}

int vlan_check_tagged(const char *key, const char *value, struct err *err)
{
	struct vlan_ranges ranges = { 0 };
	int r = vlan_parse_tagged(value, &ranges);

	(void)key; /* in the caller's words */
	free(ranges.list.items);
	if (r == 0)
		return 0;
	return err_kind(err, ERR_INVALID, "must be numbers from 1 to %d and ranges: 10,20-30",
			VLAN_ID_MAX);
}
