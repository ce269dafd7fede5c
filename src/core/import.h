/*
 * core/import.h - instances out of backups: what is uploaded becomes an instance with its snapshots
 *
 * Layer: core. The bytes are stored in a file without a name and read by helpers in a sandbox only.
 *
 *   P1  Nothing that a backup says reaches the host: what would, and what is not known here, is left
 *       out and told.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "core/op.h"
#include "core/upload.h"
#include "spec/backup.h"
#include "spec/instance.h"
#include "spec/snapshot.h"

struct core;

struct import {
	char *name;	      /* NULL: as the backup says */
	char *pool;	      /* NULL: where its root disk says, or the default */
	bool trusted;	      /* devices and keys that reach the host are taken as well */
	struct upload upload; /* this and the rest is import_start()'s */
	char **left_out;      /* sentences */
	struct inst_record *record;
	struct snap_list snapshots;
};
void import_free(struct import *import);
void import_freep(struct import **import);

/*
 * @import: taken. @ret_body_fd: where the backup is to be written to, the caller's to close.
 * Errors: ERR_INVALID, ERR_CONFLICT (name), ERR_NOT_FOUND (pool).
 */
int import_start(struct core *core, struct import *import, int *ret_body_fd, struct op **ret_op,
		 struct err *err);

/*
 * What of @item, which import->trusted would take, reaches the host: sentences added to *@list. Custom
 * volumes of @pool do not.
 */
void import_tell_reach(const struct backup_item *item, const char *pool, char ***list);

/*
 * What @index becomes here: import->record, import->snapshots, import->left_out.
 * Errors: ERR_INVALID, ERR_CONFLICT, ERR_NOT_FOUND.
 */
int import_make_records(struct core *core, const struct backup_index *index, struct import *import,
			struct err *err);
