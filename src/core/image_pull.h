/*
 * core/image_pull.h - images of simplestreams servers: fetched, stored, found again
 *
 * Layer: core. Files on their way are <state>/images/cache/<fingerprint>[.rootfs].
 *
 *   P1  An instance's launch asks the server only when no image here came from that source.
 *   P2  An image that came by a launch is marked cached; asking for it by name takes the mark off.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "core/op.h"
#include "spec/image.h"

struct core;

/* Where an image is to come from: alias, or fingerprint (which may be its beginning), or both. */
struct image_source {
	char *server; /* URL; NULL: the local store */
	char *alias;
	char *fingerprint;
};
void image_source_done(struct image_source *source);
int image_source_check(const struct image_source *source, struct err *err);

/* The image that came from there; NULL: none. */
struct image_record *image_by_source(struct core *core, const struct image_source *source);

/* Wait, as the current step of @op, until image_by_source() has one. */
enum op_next image_ensure_pulled(struct op *op, const struct image_source *source);

/* The same, but always ask the server: then image_by_source() is what it has now. */
enum op_next image_ask_server(struct op *op, const struct image_source *source);

struct image_pull {
	struct image_source source;
	struct image_record *given; /* public, auto_update, properties, profiles, aliases */
};
void image_pull_free(struct image_pull *pull);

/*
 * Bring the image as the server has it now. Its aliases are taken away from who has them. Takes
 * @pull. The op's metadata gets fingerprint and size.
 */
int image_pull(struct core *core, struct image_pull *pull, struct op **ret_op, struct err *err);
