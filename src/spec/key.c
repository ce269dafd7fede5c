/* spec/key.c - see key.h */
#include "spec/key.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum {
	SHOWN_MAX = 64 /* bytes of a value in an error message */
};

static bool is_family(const struct key_row *row)
{
	return str_ends_with(row->name, ".");
}

const struct key_row *key_find(const struct key_table *table, const char *key)
{
	const struct key_row *family = NULL;

	for (size_t i = 0; i < table->n_rows; i++) {
		const struct key_row *row = &table->rows[i];
		const char *rest = is_family(row) ? str_after(key, row->name) : NULL;

		if (!is_family(row) && streq(key, row->name))
			return row;
		if (rest && *rest)
			family = row; /* the longest one comes last */
	}
	return family;
}

/* What @key would be in @family: it has as many dots before what is free. NULL: too few. */
static char *as_member(const struct key_row *family, const char *key)
{
	const char *rest = key;

	for (const char *dot = family->name; rest && (dot = strchr(dot, '.')); dot++) {
		rest = strchr(rest, '.');
		rest = rest ? rest + 1 : NULL;
	}
	return str_empty(rest) ? NULL : xasprintf("%s%s", family->name, rest);
}

/* The nearest supported key. Owned by the caller; NULL: none is near. */
static char *nearest(const struct key_table *table, const char *key)
{
	_cleanup_(strv_freep) char **names = NULL;

	for (size_t i = 0; i < table->n_rows; i++) {
		const struct key_row *row = &table->rows[i];
		char *name = is_family(row) ? as_member(row, key) : xstrdup(row->name);

		if (name && !(row->flags & KEY_ELSEWHERE))
			strv_push_take(&names, name);
		else
			free(name);
	}
	return xstrdup(str_nearest(key, (const char *const *)names));
}

static int unknown(const struct key_table *table, const char *key, struct err *err)
{
	_cleanup_(freep) char *shown = str_printable(key, false);
	_cleanup_(freep) char *near = nearest(table, key);

	if (near)
		return err_kind(err, ERR_INVALID, "unknown %s \"%.*s\": did you mean \"%s\"?",
				table->what, SHOWN_MAX, shown, near);
	return err_kind(err, ERR_INVALID, "unknown %s \"%.*s\"", table->what, SHOWN_MAX, shown);
}

static bool key_is_plain(const char *key)
{
	for (; *key; key++)
		if ((unsigned char)*key <= ' ' || *key == 0x7f || *key == '=')
			return false;
	return true;
}

int key_check(const struct key_table *table, const char *key, const char *value, struct err *err)
{
	const struct key_row *row = key_find(table, key);
	_cleanup_(freep) char *shown = NULL;
	int r;

	if (!row || !key_is_plain(key))
		return unknown(table, key, err);
	if (row->flags & KEY_ELSEWHERE)
		return err_kind(err, ERR_UNSUPPORTED,
				"%s \"%.*s\" is known in Incus, not supported here", table->what,
				SHOWN_MAX, key);
	if (str_empty(value))
		return 0;
	r = value_check(&row->rule, value, err);
	if (r == 0 && row->check)
		r = row->check(key, value, err);
	if (r < 0) {
		shown = str_printable(value, false);
		(void)err_wrap(err, "%s %s=\"%.*s\"", table->what, key, SHOWN_MAX, shown);
	}
	return r;
}

int key_check_all(const struct key_table *table, const struct strmap *config, struct err *err)
{
	strmap_for_each(entry, config)
	{
		int r = key_check(table, entry->key, entry->value, err);

		if (r < 0)
			return r;
	}
	return 0;
}
