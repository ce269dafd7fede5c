/*
 * codec/jsonw.h - JSON that we write, streamed into a buf without building a tree
 *
 * Any process; never blocks. Commas come by themselves; control characters are escaped, invalid
 * UTF-8 becomes U+FFFD, so that whatever a guest named something the answer is valid JSON.
 *
 *	struct jsonw w = jsonw_new(&buf);
 *	jsonw_begin_object(&w);
 *	jsonw_add_str(&w, "name", name);
 *	jsonw_key(&w, "profiles");
 *	jsonw_strv(&w, profiles);
 *	jsonw_end_object(&w);
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strmap.h"

struct mask;

enum {
	JSONW_DEPTH_MAX = 32 /* of what is written under a mask */
};

struct jsonw {
	struct buf *out;
	size_t start; /* length of out when writing began */
	/* under a mask: */
	const struct mask *root;
	const struct mask *levels[JSONW_DEPTH_MAX]; /* of the objects and arrays that are open */
	size_t depth;				    /* how many of them */
	size_t skipped;				    /* open ones that are left out */
	const struct mask *value;		    /* of the value whose key came last */
	bool keyed;				    /* its key has come, itself not */
};

struct jsonw jsonw_new(struct buf *out);

/*
 * From the next value on, which is an object or an array of objects, only members that @mask (which
 * is borrowed) has are written. The writer's callers need not know.
 */
void jsonw_set_mask(struct jsonw *w, const struct mask *mask);

/* Whether a member @key would be written now: to save the making of a value that would not. */
bool jsonw_wants(const struct jsonw *w, const char *key);

void jsonw_begin_object(struct jsonw *w);
void jsonw_end_object(struct jsonw *w);
void jsonw_begin_array(struct jsonw *w);
void jsonw_end_array(struct jsonw *w);

/* Inside an object, before its value. */
void jsonw_key(struct jsonw *w, const char *key);

/* Values; NULL is null, except that a NULL strv is []. */
void jsonw_null(struct jsonw *w);
void jsonw_str(struct jsonw *w, const char *s);
void jsonw_strn(struct jsonw *w, const char *s, size_t len);
void jsonw_i64(struct jsonw *w, int64_t n);
void jsonw_u64(struct jsonw *w, uint64_t n);
void jsonw_bool(struct jsonw *w, bool b);
void jsonw_strmap(struct jsonw *w, const struct strmap *map); /* of strings */
void jsonw_strv(struct jsonw *w, const char *const *v);
void jsonw_json(struct jsonw *w, const json_t *value);

/* @text is one complete JSON value, written as it is. */
void jsonw_raw(struct jsonw *w, const char *text, size_t len);

/* Key and value. */
void jsonw_add_null(struct jsonw *w, const char *key);
void jsonw_add_str(struct jsonw *w, const char *key, const char *s);
void jsonw_add_i64(struct jsonw *w, const char *key, int64_t n);
void jsonw_add_u64(struct jsonw *w, const char *key, uint64_t n);
void jsonw_add_bool(struct jsonw *w, const char *key, bool b);
void jsonw_add_strmap(struct jsonw *w, const char *key, const struct strmap *map);
void jsonw_add_strv(struct jsonw *w, const char *key, const char *const *v);
void jsonw_add_object(struct jsonw *w, const char *key); /* begin */
void jsonw_add_array(struct jsonw *w, const char *key);	 /* begin */
