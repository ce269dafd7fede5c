/*
 * storage/mock.h - a driver that keeps its volumes in memory and fails where it is told to
 *
 * Layer: storage. For tests of what uses drivers; keeps the contract of storage/driver.h.
 */
#pragma once

#include "base/strmap.h"
#include "storage/driver.h"

struct mock {
	struct strmap volumes[VOLUME_KIND_MAX]; /* name -> image or "" */
	struct strmap used;			/* names of instances that are in use */
	struct strmap trash;
	struct strmap stages;
	bool quotas;	       /* the pool has them */
	uint64_t used_bytes;   /* by each volume */
	const char *fail_slot; /* "volume_create": fails once with fail_code, then unset */
	int fail_code;
};

/* Make *@ret_pool an empty pool of this driver; @mock is borrowed, all zero. */
void mock_pool_init(struct mock *mock, struct pool *ret_pool);
void mock_done(struct mock *mock);
