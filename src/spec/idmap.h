/*
 * spec/idmap.h - raw.idmap: ids of a container that are ids of the host (spec, pure)
 *
 * One piece a line, as LXD and Incus have it: "both 1000 1000", "uid 50-60 500-510": whose ids,
 * those of the host, those inside. A piece takes the place of the ids inside that it names; all
 * others stay in the container's own range.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "base/vec.h"
#include "codec/wire.h"
#include "spec/idrange.h"

#define IDMAP_KEY      "raw.idmap"
#define IDMAP_SIZE_KEY "security.idmap.size"

enum {
	IDMAP_SIZE_MAX = 1 << 30,
	IDMAP_PIECES_MAX = 32 /* the kernel takes a page of text: user_namespaces(7) */
};

enum idmap_kind {
	IDMAP_UID = 1 << 0,
	IDMAP_GID = 1 << 1
};

struct spec_idmap {
	uint32_t kinds;	 /* of enum idmap_kind */
	uint32_t host;	 /* first id there; never 0 */
	uint32_t inside; /* all below IDRANGE_COUNT */
	uint32_t count;
};
extern const struct wire_schema spec_idmap_schema;
struct spec_idmaps {
	VEC(struct spec_idmap) list;
};

/* Check the lines: their form, no id twice on a side, no root of the host. For the table of keys. */
int idmap_check(const char *key, const char *value, struct err *err);

/* Errors: ERR_INVALID when a host id is one that *@own gives to containers as their own. */
int idmap_check_outside(const struct strmap *config, const struct idrange *own, struct err *err);

/* How many ids an expanded, checked configuration asks for: a multiple of IDRANGE_COUNT. */
uint32_t idmap_size(const struct strmap *config);

/* Append the pieces of an expanded, checked configuration. */
void idmaps_from_config(const struct strmap *config, struct spec_idmaps *maps);

/* Order counts. */
bool idmaps_equal(const struct spec_idmaps *a, const struct spec_idmaps *b);

/* The host id of @id inside (below IDRANGE_COUNT), where *@own are the container's own ids. */
uint32_t idmap_to_host(const struct spec_idmaps *maps, enum idmap_kind kind,
		       const struct idrange *own, uint32_t id);

/* The map as /proc/PID/uid_map or gid_map takes it: user_namespaces(7). Free with free(). */
char *idmap_text(const struct spec_idmaps *maps, enum idmap_kind kind, const struct idrange *own);
