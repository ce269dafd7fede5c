/* api/backups.h - backups of instances as other resources show them (api) */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "codec/jsonw.h"

struct api_req;
struct backup_record;
struct inst;

/* The member "backups" of a full instance. */
void write_backups(struct jsonw *w, const struct inst *inst);

/*
 * What a request for a backup says of any: compression, expiry; its name is checked for its type
 * only. Errors: ERR_INVALID, ERR_UNSUPPORTED (optimized_storage).
 */
int read_backup(const json_t *body, struct backup_record *backup, struct err *err);

/*
 * async, of a backup's change that is done: the operation names the backup, and the instance of the
 * path where @owners is "instances".
 */
void reply_backup_op(struct api_req *req, const char *description, const char *owners,
		     const char *name);
