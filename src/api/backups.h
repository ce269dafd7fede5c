/* api/backups.h - backups as other resources show and read them (api) */
#pragma once

#include <stdbool.h>

#include "api/request.h"

struct inst;

/* The member "backups" of a full instance. */
void write_backups(struct jsonw *w, const struct inst *inst);

/*
 * What the query of an export asks for: ?compression=, borrowed, and ?@only=, whether the snapshots
 * stay out. Errors: ERR_INVALID.
 */
int read_export_query(struct api_req *req, const char *only, bool *ret_alone,
		      const char **ret_compression);
