/*
 * image/metadata.h - metadata.yaml of an image, every field validated (image, pure, fuzzed)
 *
 * Read only inside a sandbox: the text is a stranger's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"

enum {
	METADATA_PROPERTIES_MAX = 64,
	METADATA_VALUE_MAX = 1024 /* bytes of a property */
};

struct image_metadata {
	char *architecture; /* kernel name: "x86_64" */
	int64_t created_s;  /* 0: not said */
	int64_t expiry_s;   /* 0: never */
	struct strmap properties;
};

/*
 * Fill the zeroed *@ret_metadata; free it with image_metadata_done() also after a failure.
 * Errors: ERR_INVALID 'metadata.yaml: ...' naming the field.
 */
int image_metadata_parse(const void *text, size_t len, struct image_metadata *ret_metadata,
			 struct err *err);
void image_metadata_done(struct image_metadata *metadata);

/* Check and copy properties that a client gave. Errors: ERR_INVALID. */
int image_metadata_set_properties(struct image_metadata *metadata, const struct strmap *properties,
				  struct err *err);

/* The kernel's name for "amd64", "arm64", ...; NULL for an architecture nobody knows. Static. */
const char *image_architecture(const char *name);

/* The architecture in an ELF header of at least 20 bytes; NULL when it is none or unknown. */
const char *image_elf_architecture(const void *bytes, size_t len);
