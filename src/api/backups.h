/* api/backups.h - backups of instances as other resources show them (api) */
#pragma once

#include "codec/jsonw.h"

struct inst;

/* The member "backups" of a full instance. */
void write_backups(struct jsonw *w, const struct inst *inst);
