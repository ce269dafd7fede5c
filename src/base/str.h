/* base/str.h - strings and NULL-terminated string vectors (strv) */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Equal; NULL equals only NULL. */
bool streq(const char *a, const char *b);

/* The rest of @s behind @prefix, or NULL when @s does not begin with it. */
const char *str_after(const char *s, const char *prefix);
bool str_ends_with(const char *s, const char *suffix);
bool str_empty(const char *s); /* NULL or "" */

/* All characters of @s are in @allowed ("" is true). */
bool str_only(const char *s, const char *allowed);

/* Levenshtein distance, for "did you mean"; strings over 64 bytes are as far as their length. */
size_t str_distance(const char *a, const char *b);

/*
 * The entry of @names (NULL-terminated) nearest to @word.
 *
 * Returns: borrowed from @names, or NULL when none is near enough to be a typing mistake.
 */
const char *str_nearest(const char *word, const char *const *names);

/*
 * Copy @s for a terminal or a log: control characters (C0, DEL, C1 in UTF-8) become '?'.
 * @keep_newlines: leave \n and \t alone. Returns: new string.
 */
char *str_printable(const char *s, bool keep_newlines);

/* strv: char **, NULL-terminated, owns its strings; NULL is the empty one. */
size_t strv_len(char *const *v);
char **strv_copy(const char *const *v);
char **strv_split(const char *s, const char *separators); /* empty fields are dropped */
char *strv_join(const char *const *v, const char *separator);
void strv_push(char ***v, const char *s); /* copies */
void strv_push_take(char ***v, char *s);
bool strv_contains(const char *const *v, const char *s);
bool strv_equal(const char *const *a, const char *const *b);
char **strv_free(char **v); /* returns NULL */
void strv_freep(char ***v);
