/*
 * image/form.h - the two files of a split image in a multipart/form-data upload (image, pure)
 *
 * "metadata" first, then "rootfs"; other names and orders are refused before a byte is stored.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

enum {
	FORM_FILES = 2
};

/* Each returns 0 or -errno with *err set, which ends the parse. @index: 0 metadata, 1 rootfs. */
struct form_sink {
	int (*begin)(void *data, size_t index, struct err *err);
	int (*add)(void *data, size_t index, const void *bytes, size_t len, struct err *err);
	void *data;
};

struct form;

/* @sink: copied. */
struct form *form_new(const char *boundary, const struct form_sink *sink);
struct form *form_free(struct form *form); /* returns NULL */
void form_freep(struct form **form);

int form_feed(struct form *form, const void *bytes, size_t len, struct err *err);

/* Errors: ERR_INVALID when the closing boundary or a part is missing. */
int form_end(struct form *form, struct err *err);
