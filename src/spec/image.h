/* spec/image.h - an image of the local store (spec, pure) */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "base/vec.h"

enum image_format {
	IMAGE_UNIFIED, /* one tarball */
	IMAGE_SPLIT,   /* metadata and root file system apart */
	IMAGE_FORMAT_MAX
};

struct image_alias {
	char *name;
	char *description;
};

/* Strings are owned; free with image_record_free(). */
struct image_record {
	int64_t id; /* 0: not stored yet */
	char *fingerprint;
	uint64_t size_bytes;
	enum image_format format;
	char *architecture;
	char *filename; /* as uploaded */
	bool public;
	bool cached; /* came by launching from a remote; expires when unused */
	bool auto_update;
	int64_t created_wall_ns;
	int64_t expires_wall_ns; /* 0: never */
	int64_t uploaded_wall_ns;
	int64_t last_used_wall_ns; /* 0: never */
	struct strmap properties;
	char **profiles; /* names; given to new instances when these name none */
	VEC(struct image_alias) aliases;
	char *source_protocol; /* "template", "simplestreams", "url"; NULL: uploaded or published */
	char *source_server;   /* URL; NULL for templates */
	char *source_alias;    /* "debian/trixie" */
};

struct image_record *image_record_new(const char *fingerprint);
struct image_record *image_record_copy(const struct image_record *record);
void image_record_free(struct image_record *record);
void image_record_freep(struct image_record **record);

void image_record_add_alias(struct image_record *record, const char *name, const char *description);

/* Returns: whether it was there. */
bool image_record_remove_alias(struct image_record *record, const char *name);

const char *image_format_name(enum image_format format); /* "unified", "split" */
int image_format_parse(const char *name, enum image_format *ret_format);

/* Fingerprint, aliases, properties (single-line keys), profile names. */
int image_record_validate(const struct image_record *record, struct err *err);
