/* base/str.c - see str.h */
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"

enum {
	DISTANCE_MAX_LEN = 64
};

bool streq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

const char *str_after(const char *s, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(s, prefix, len) == 0 ? s + len : NULL;
}

bool str_ends_with(const char *s, const char *suffix)
{
	size_t len = strlen(s), tail = strlen(suffix);

	return len >= tail && strcmp(s + len - tail, suffix) == 0;
}

bool str_empty(const char *s)
{
	return !s || !*s;
}

bool str_only(const char *s, const char *allowed)
{
	return s[strspn(s, allowed)] == '\0';
}

size_t str_distance(const char *a, const char *b)
{
	size_t row[DISTANCE_MAX_LEN + 1], la = strlen(a), lb = strlen(b);

	if (la > DISTANCE_MAX_LEN || lb > DISTANCE_MAX_LEN)
		return MAX(la, lb);
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = MIN(change, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[lb];
}

const char *str_nearest(const char *word, const char *const *names)
{
	const char *best = NULL;
	size_t limit = 1 + strlen(word) / 4, best_distance = limit + 1;

	for (; names && *names; names++) {
		size_t d = str_distance(word, *names);

		if (d < best_distance) {
			best = *names;
			best_distance = d;
		}
	}
	return best;
}

char *str_printable(const char *s, bool keep_newlines)
{
	char *copy = xstrdup(s);

	for (unsigned char *p = (unsigned char *)copy; *p; p++) {
		if (keep_newlines && (*p == '\n' || *p == '\t'))
			continue;
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?';
	}
	return copy;
}

size_t strv_len(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

char **strv_copy(const char *const *v)
{
	char **copy = NULL;

	for (; v && *v; v++)
		strv_push(&copy, *v);
	return copy;
}

char **strv_split(const char *s, const char *separators)
{
	char **v = NULL;

	for (s += strspn(s, separators); *s; s += strspn(s, separators)) {
		size_t len = strcspn(s, separators);

		strv_push_take(&v, xstrndup(s, len));
		s += len;
	}
	return v;
}

char *strv_join(const char *const *v, const char *separator)
{
	struct buf text = { 0 };

	for (size_t i = 0; v && v[i]; i++) {
		if (i > 0)
			buf_add_str(&text, separator);
		buf_add_str(&text, v[i]);
	}
	return buf_take_str(&text);
}

void strv_push(char ***v, const char *s)
{
	strv_push_take(v, xstrdup(s));
}

void strv_push_take(char ***v, char *s)
{
	size_t n = strv_len(*v);

	*v = xrealloc(*v, (n + 2) * sizeof(char *));
	(*v)[n] = s;
	(*v)[n + 1] = NULL;
}

bool strv_contains(const char *const *v, const char *s)
{
	for (; v && *v; v++)
		if (streq(*v, s))
			return true;
	return false;
}

bool strv_equal(const char *const *a, const char *const *b)
{
	size_t i = 0;

	for (; a && a[i] && b && b[i]; i++)
		if (!streq(a[i], b[i]))
			return false;
	return (!a || !a[i]) && (!b || !b[i]);
}

char **strv_free(char **v)
{
	for (char **p = v; p && *p; p++)
		free(*p);
	free(v);
	return NULL;
}

void strv_freep(char ***v)
{
	*v = strv_free(*v);
}
