/*
 * spec/filter.h - the "filter=" parameter of lists (spec, pure)
 *
 * Clauses "[not] field op value" joined by and/or, strictly left to right; op is eq or ne; a value
 * with blanks is in double quotes. Values are case-insensitive regular expressions, anchored unless
 * they hold ^ or $; what is not a valid expression is compared as text.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

enum {
	FILTER_CLAUSES_MAX = 32,
	FILTER_TEXT_MAX = 4096
};

struct filter;

/* The value of @field ("name", "config.image.os"), borrowed until the next call; NULL: unset. */
typedef const char *filter_get_fn(void *object, const char *field);

/* "" and NULL give a filter that matches everything. Errors: ERR_INVALID naming the place. */
int filter_parse(const char *text, struct filter **ret_filter, struct err *err);
bool filter_match(const struct filter *filter, filter_get_fn *get, void *object);
void filter_free(struct filter *filter);
void filter_freep(struct filter **filter);
