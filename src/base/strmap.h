/*
 * base/strmap.h - sorted map from string to string or to an owned object
 *
 * The shape of every configuration ("limits.cpu" -> "2") and of every set of devices. Iteration is
 * in byte order of the keys, so that whatever is written from a map is stable. A thousand instances
 * have the same keys: there is one copy of each in the process, so only one thread may use maps.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct strmap_entry {
	char *key; /* shared */
	void *value;
};

/* All zero is an empty map of strings; set free_value for objects (NULL: free()). */
struct strmap {
	struct strmap_entry *items; /* sorted by key */
	size_t len;
	size_t cap;
	void (*free_value)(void *value);
};

#define strmap_for_each(entry, map) \
	for (struct strmap_entry *entry = (map)->items; entry < (map)->items + (map)->len; entry++)

/* NULL for "none". */
void *strmap_get(const struct strmap *map, const char *key);
bool strmap_has(const struct strmap *map, const char *key);

/* Set to a copy of @value; maps of strings only. */
void strmap_set(struct strmap *map, const char *key, const char *value);
void strmap_set_take(struct strmap *map, const char *key, void *value);

/* Take the value out: the caller's from then on. NULL when there was none. */
void *strmap_take(struct strmap *map, const char *key);

/* Returns: whether it was there. */
bool strmap_unset(struct strmap *map, const char *key);

/* Both for maps of strings. */
void strmap_merge(struct strmap *dst, const struct strmap *src); /* src wins */
bool strmap_equal(const struct strmap *a, const struct strmap *b);
void strmap_done(struct strmap *map);
