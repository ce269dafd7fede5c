/*
 * core/pool_files.h - what the database says of storage pools, in files beside it, for the day on
 * which it is lost: <state>/backups/pools/<pool>.yaml
 *
 * Layer: core. Written by sysctrd itself with each change, since they are where the database is. Only
 * root can write there, so that their word is taken; what is on the pool is another matter.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "spec/pool.h"

struct core;

#define POOL_FILES_DIR "backups/pools"

/* It is as @pool says from then on. A failure is a warning in the log: the database has it. */
void pool_file_keep(struct core *core, const struct pool_record *pool);

void pool_file_drop(struct core *core, const char *name);

/* Whether the pool was whole once. */
bool pool_file_is_there(const struct core *core, const char *name);

/*
 * @ret_pool: new, with a valid name and configuration.
 * Errors: ERR_NOT_FOUND when there is none; ERR_INVALID with what is wrong in it.
 */
int pool_file_read(struct core *core, const char *name, struct pool_record **ret_pool,
		   struct err *err);

/* Valid names of pools that have a file, or a place in the state directory, and no row: strv. */
char **pool_files_lost(struct core *core);
