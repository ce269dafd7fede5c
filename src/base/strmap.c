/* base/strmap.c - see strmap.h */
#include "base/strmap.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"

/* ---- keys, of which all maps share one copy ---- */

struct key {
	size_t users;
	char text[];
};

static void *keys; /* tsearch(3) of texts */

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static char *take_key(const char *text)
{
	char **node = tfind(text, &keys, compare);
	size_t size = strlen(text) + 1;
	struct key *key;

	if (node) {
		container_of(*node, struct key, text)->users++;
		return *node;
	}
	key = xmalloc(sizeof(*key) + size);
	key->users = 1;
	memcpy(key->text, text, size);
	if (!tsearch(key->text, &keys, compare))
		abort(); /* as xmalloc() */
	return key->text;
}

static void drop_key(char *text)
{
	struct key *key = container_of(text, struct key, text);

	if (--key->users > 0)
		return;
	(void)tdelete(text, &keys, compare);
	free(key);
}

/* ---- maps ---- */

/* Index of @key, or of the place where it belongs; *@ret_found tells which. */
static size_t find(const struct strmap *map, const char *key, bool *ret_found)
{
	size_t low = 0, high = map->len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(map->items[mid].key, key);

		if (order == 0) {
			*ret_found = true;
			return mid;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret_found = false;
	return low;
}

static void drop_value(struct strmap *map, void *value)
{
	if (map->free_value)
		map->free_value(value);
	else
		free(value);
}

void *strmap_get(const struct strmap *map, const char *key)
{
	bool found;
	size_t i = find(map, key, &found);

	return found ? map->items[i].value : NULL;
}

bool strmap_has(const struct strmap *map, const char *key)
{
	bool found;

	(void)find(map, key, &found);
	return found;
}

void strmap_set(struct strmap *map, const char *key, const char *value)
{
	strmap_set_take(map, key, xstrdup(value));
}

void strmap_set_take(struct strmap *map, const char *key, void *value)
{
	bool found;
	size_t i = find(map, key, &found);

	if (found) {
		drop_value(map, map->items[i].value);
		map->items[i].value = value;
		return;
	}
	if (map->len == map->cap) {
		map->cap = map->cap ? map->cap * 2 : 8;
		map->items = xrealloc(map->items, map->cap * sizeof(*map->items));
	}
	memmove(map->items + i + 1, map->items + i, (map->len - i) * sizeof(*map->items));
	map->items[i] = (struct strmap_entry){ .key = take_key(key), .value = value };
	map->len++;
}

void *strmap_take(struct strmap *map, const char *key)
{
	bool found;
	size_t i = find(map, key, &found);
	void *value;

	if (!found)
		return NULL;
	value = map->items[i].value;
	drop_key(map->items[i].key);
	map->len--;
	memmove(map->items + i, map->items + i + 1, (map->len - i) * sizeof(*map->items));
	return value;
}

bool strmap_unset(struct strmap *map, const char *key)
{
	if (!strmap_has(map, key))
		return false;
	drop_value(map, strmap_take(map, key));
	return true;
}

void strmap_merge(struct strmap *dst, const struct strmap *src)
{
	strmap_for_each(entry, src) strmap_set(dst, entry->key, entry->value);
}

bool strmap_equal(const struct strmap *a, const struct strmap *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		if (!streq(a->items[i].key, b->items[i].key) ||
		    !streq(a->items[i].value, b->items[i].value))
			return false;
	return true;
}

void strmap_done(struct strmap *map)
{
	for (size_t i = 0; i < map->len; i++) {
		drop_key(map->items[i].key);
		drop_value(map, map->items[i].value);
	}
	free(map->items);
	map->items = NULL;
	map->len = map->cap = 0;
}
