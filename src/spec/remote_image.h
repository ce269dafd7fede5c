/*
 * spec/remote_image.h - what an image server has, as a list (spec, pure)
 *
 * Made in the sandbox of sysctr-fetch from what a server sent, written there by its schema; sysctrd
 * takes every word of it for a stranger's and checks it once more.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "base/vec.h"
#include "codec/wire.h"

enum {
	REMOTE_IMAGES_MAX = 10000,
	REMOTE_IMAGES_BYTES_MAX = 16 << 20, /* encoded */
	REMOTE_TEXT_MAX = 255		    /* of a version or a property */
};

/* The newest version of one image. */
struct remote_image {
	char *fingerprint;
	char *architecture; /* the kernel's name */
	char *version;
	char **aliases; /* NULL: it has none */
	struct strmap properties;
	uint64_t size_bytes;
	int64_t created_wall_ns; /* 0: the version does not say */
};
extern const struct wire_schema remote_image_schema;

/* Encodings of several lists, one after the other, are the encoding of them all. */
struct remote_images {
	VEC(struct remote_image) images;
};
extern const struct wire_schema remote_images_schema; /* free with wire_free() */

/* Errors: ERR_INVALID. */
int remote_images_validate(const struct remote_images *images, struct err *err);
