/* api/snapshots.h - snapshots as other resources show and use them (api) */
#pragma once

#include "api/request.h"
#include "spec/snapshot.h"

struct inst;

void write_snapshot(struct jsonw *w, const struct inst *inst, const struct snap_record *snapshot);

/* The member "snapshots" of a full instance. */
void write_snapshots(struct jsonw *w, const struct inst *inst);

/* "expires_at"; never is the zero time of those who read it. */
void write_expiry(struct jsonw *w, int64_t wall_ns);

/* Returns: 1 when a time (0: never) was given, 0 when not, -errno. */
int read_expiry(const json_t *body, int64_t *ret_wall_ns, struct err *err);

/* PUT of an instance with "restore": answers @req. */
void instance_restore(struct api_req *req, struct inst *inst);
