/* api/snapshots.h - snapshots as other resources show and use them (api) */
#pragma once

#include "api/request.h"
#include "spec/snapshot.h"

struct inst;

void write_snapshot(struct jsonw *w, const struct inst *inst, const struct snap_record *snapshot);

/* The member "snapshots" of a full instance. */
void write_snapshots(struct jsonw *w, const struct inst *inst);
void write_snapshot_url(struct jsonw *w, const char *collection, const char *instance,
			const char *name);

/* PUT of an instance with "restore": answers @req. */
void instance_restore(struct api_req *req, struct inst *inst);
