/*
 * core/recover.h - instances back from what lies beside their volumes, when the database is gone
 *
 * Layer: core.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct core;
struct op;

/*
 * Look for instances in @pool that the database does not know; with @apply take them in, each for
 * itself. The op's metadata has a member for each: a word (enum below), then a note per line. It
 * does not fail because of one of them.
 *
 * Errors: ERR_NOT_FOUND; ERR_UNAVAILABLE.
 */
int recover_start(struct core *core, const char *pool, bool apply, struct op **ret_op,
		  struct err *err);

/* What became, or would become, of an instance. */
#define RECOVER_CAN	"recoverable"
#define RECOVER_DONE	"recovered"
#define RECOVER_TAKEN	"name-taken" /* an instance in another pool has its name */
#define RECOVER_LOST	"lost"	     /* its root file system is not there */
#define RECOVER_BROKEN	"unreadable" /* the side file is */
#define RECOVER_REFUSED "refused"    /* what it says is not possible here */
