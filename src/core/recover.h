/*
 * core/recover.h - pools, instances and custom volumes back from what lies beside them, when the
 * database is gone
 *
 * Layer: core.
 *
 *   R1  Without apply nothing is changed, neither here nor on a disk.
 *   R2  What would reach the host is taken only when it is trusted; until then the whole is refused,
 *       so that nothing of it is lost.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct core;
struct op;

struct recover_request {
	const char *pool;   /* NULL for a lost one: as it says itself */
	const char *source; /* of a lost one: directory or block device; NULL: as is noted of it */
	const char *driver; /* of a lost one; NULL: as it says itself */
	bool apply;
	bool trusted;
};

/*
 * Look for instances and volumes in a pool that the database does not know; with apply take them in,
 * each for itself, after a pool that is not available was prepared again. The op's metadata has a
 * member for each: a word (below), then a note per line. An instance has its name, a volume
 * RECOVER_VOLUME before its, the pool RECOVER_POOL before its, where something came of that. The op
 * does not fail because of one instance or volume.
 *
 * Errors: ERR_NOT_FOUND; ERR_INVALID (source or driver); of the op: ERR_UNAVAILABLE.
 */
int recover_start(struct core *core, const struct recover_request *request, struct op **ret_op,
		  struct err *err);

/*
 * The same of a pool that the database does not know: with apply it is registered first.
 *
 * Errors: ERR_CONFLICT when another one has the name; ERR_NOT_FOUND when nothing is noted of it;
 * ERR_UNAVAILABLE (source); of the op also ERR_INVALID with what has to be given.
 */
int recover_lost_start(struct core *core, const struct recover_request *request, struct op **ret_op,
		       struct err *err);

#define RECOVER_POOL   "storage-pools/"
#define RECOVER_VOLUME "storage-volumes/"

/* What became, or would become, of one. */
#define RECOVER_CAN	"recoverable"
#define RECOVER_DONE	"recovered"
#define RECOVER_TAKEN	"name-taken" /* another one has its name */
#define RECOVER_LOST	"lost"	     /* its root file system or directory is not there */
#define RECOVER_BROKEN	"unreadable" /* the side file is */
#define RECOVER_REFUSED "refused"    /* what it says is not possible here */
