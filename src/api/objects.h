/*
 * api/objects.h - objects as the API shows them: the only place where members have names
 *
 * Layer: api. Each function writes one JSON value.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "codec/jsonw.h"

struct core;
struct image_alias;
struct image_record;
struct inst;
struct msg;
struct network_record;
struct op;
struct pool_record;
struct profile_record;
struct warning_record;

/* @secrets: the reader made the operation, so it sees the streams' secrets. */
void write_op(struct jsonw *w, const struct op *op, bool secrets);
void write_instance(struct jsonw *w, const struct inst *inst);
/* @stats: the monitor's answer to MSG_STATS; NULL: usage is shown as 0. */
void write_instance_full(struct jsonw *w, const struct inst *inst, const struct msg *stats);
void write_profile(struct jsonw *w, struct core *core, const struct profile_record *profile);
void write_image(struct jsonw *w, const struct image_record *image);
void write_alias(struct jsonw *w, const struct image_record *image,
		 const struct image_alias *alias);
void write_network(struct jsonw *w, struct core *core, const struct network_record *network);
void write_pool(struct jsonw *w, struct core *core, const struct pool_record *pool);
void write_warning(struct jsonw *w, const struct warning_record *warning);

/* Wall-clock nanoseconds as RFC 3339. */
void write_time(struct jsonw *w, const char *key, int64_t wall_ns);

/*
 * "/1.0/<collection>/<name>", the name encoded; or as resources are called: "instances_snapshots" with
 * "web1/snap0", "storage_volumes" with "pool/volume", "storage_volume_backups" with a third part.
 */
void write_url(struct jsonw *w, const char *collection, const char *name);

/* "/1.0/<collection>/<instance>/<kind>/<name>", the name encoded. */
void write_url_below(struct jsonw *w, const char *collection, const char *instance,
		     const char *kind, const char *name);

/* A set of devices: {"eth0": {"type": "nic", ...}}. */
void write_devices(struct jsonw *w, const char *key, const struct strmap *devices);
