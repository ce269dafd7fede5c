/* storage/policy.c - see policy.h; pure, so that sysctrd needs nothing else of this layer */
#include "storage/policy.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

struct driver_row {
	const char *name;
	uint32_t caps;
	enum root_kind root; /* of a volume that stands on an image */
};

/* Best first; the drivers themselves say the same (a unit test compares). */
static const struct driver_row rows[] = {
	{ "overlay", STORAGE_CAP_SHARED_IMAGE, ROOT_OVERLAY },
	{ "btrfs", STORAGE_CAP_SNAPSHOT, ROOT_DIR },
	{ "dir", 0, ROOT_DIR },
};

static const char *const names[] = { "overlay", "btrfs", "dir", NULL };

static const struct driver_row *find_row(const char *driver)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (streq(rows[i].name, driver))
			return &rows[i];
	return NULL;
}

static int unknown_driver(const char *driver, struct err *err)
{
	const char *near = driver ? str_nearest(driver, names) : NULL;
	_cleanup_(freep) char *offered = strv_join(names, ", ");

	if (near)
		return err_kind(err, ERR_INVALID,
				"unknown storage driver \"%s\", did you mean \"%s\"?", driver,
				near);
	return err_kind(err, ERR_INVALID, "unknown storage driver \"%s\"; there are %s",
			driver ? driver : "", offered);
}

int storage_driver_caps(const char *driver, uint32_t *ret_caps, struct err *err)
{
	const struct driver_row *row = find_row(driver);

	if (!row)
		return unknown_driver(driver, err);
	*ret_caps = row->caps;
	return 0;
}

const char *const *storage_driver_names(void)
{
	return names;
}

int storage_fill_root(const char *driver, const char *pool_dir, const char *instance,
		      const char *image, struct inst_spec *spec, struct err *err)
{
	const struct driver_row *row = find_row(driver);

	if (!row)
		return unknown_driver(driver, err);
	free(spec->root_path);
	free(spec->root_lower);
	spec->root_lower = NULL;
	if (row->root == ROOT_OVERLAY && image) {
		spec->root_kind = ROOT_OVERLAY;
		spec->root_path = xasprintf("%s/instances/%s", pool_dir, instance);
		spec->root_lower = xasprintf("%s/images/%s/rootfs", pool_dir, image);
		return 0;
	}
	spec->root_kind = ROOT_DIR;
	spec->root_path = xasprintf("%s/instances/%s/rootfs", pool_dir, instance);
	return 0;
}

char *storage_custom_root(const char *pool_dir, const char *volume)
{
	return xasprintf("%s/custom/%s/rootfs", pool_dir, volume);
}
