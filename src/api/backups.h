/* api/backups.h - backups of instances as other resources show them (api) */
#pragma once

#include "codec/jsonw.h"

struct api_req;
struct inst;

/* The member "backups" of a full instance. */
void write_backups(struct jsonw *w, const struct inst *inst);

/*
 * async, of a backup's change that is done: the operation names the backup, and the instance of the
 * path where @owners is "instances".
 */
void reply_backup_op(struct api_req *req, const char *description, const char *owners,
		     const char *name);
