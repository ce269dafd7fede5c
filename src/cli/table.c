/* cli/table.c - see table.h */
#include "cli/table.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <libsmartcols.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/fmt.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "client/client.h"
#include "codec/yaml.h"

const char *const table_formats[] = { "table", "compact", "csv", "json", "yaml", NULL };
static_assert(ARRAY_LEN(table_formats) == TABLE_FORMAT_MAX + 1, "one name per format");

int table_parse_format(const char *word, enum table_format *ret_format, struct err *err)
{
	const char *near;

	for (enum table_format f = 0; f < TABLE_FORMAT_MAX; f++) {
		if (streq(word ? word : "table", table_formats[f])) {
			*ret_format = f;
			return 0;
		}
	}
	near = str_nearest(word, table_formats);
	return err_kind(err, ERR_INVALID, "format \"%s\" is none of %s%s%s%s", word,
			"table, compact, csv, json, yaml", near ? " (did you mean " : "",
			near ? near : "", near ? "?)" : "");
}

static void add_column(struct column_set *set, const struct column *column)
{
	set->items = xrealloc(set->items, (set->len + 1) * sizeof(*column));
	set->items[set->len++] = *column;
}

/* "user.role:ROLE" */
static void add_config_column(struct column_set *set, const char *word)
{
	struct column column = { .cell = cell_text };
	const char *colon = strchr(word, ':');
	size_t key_len = colon ? (size_t)(colon - word) : strlen(word);
	char *title = xstrdup(colon ? colon + 1 : word);
	char *key = xasprintf("@%.*s", (int)key_len, word);

	for (char *p = title; !colon && *p; p++)
		*p = (char)toupper((unsigned char)*p);
	strv_push_take(&set->owned, title);
	strv_push_take(&set->owned, key);
	column.title = title;
	column.key = key;
	add_column(set, &column);
}

static int add_by_title(const struct column *all, const char *word, struct column_set *set,
			struct err *err)
{
	_cleanup_(strv_freep) char **titles = NULL;
	_cleanup_(freep) char *upper = xstrdup(word);
	const char *near;

	for (char *p = upper; *p; p++)
		*p = (char)(*p == '_' || *p == '-' ? ' ' : toupper((unsigned char)*p));
	for (; all->title; all++) {
		strv_push(&titles, all->title);
		if (streq(all->title, upper)) {
			add_column(set, all);
			return 0;
		}
	}
	if (strchr(word, '.')) {
		add_config_column(set, word);
		return 0;
	}
	near = str_nearest(upper, (const char *const *)titles);
	return err_kind(err, ERR_INVALID, "unknown column \"%s\"%s%s%s", word,
			near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

static int add_by_letters(const struct column *all, const char *letters, struct column_set *set,
			  struct err *err)
{
	for (; *letters; letters++) {
		const struct column *c = all;

		while (c->title && c->letter != *letters)
			c++;
		if (!c->title)
			return err_kind(err, ERR_INVALID, "unknown column letter \"%c\"",
					isprint((unsigned char)*letters) ? *letters : '?');
		add_column(set, c);
	}
	return 0;
}

static bool is_title(const struct column *all, const char *word)
{
	for (; all->title; all++)
		if (strcasecmp(all->title, word) == 0)
			return true;
	return false;
}

static bool is_letters(const struct column *all, const char *word)
{
	for (; *word; word++) {
		const struct column *c = all;

		while (c->title && c->letter != *word)
			c++;
		if (!c->title)
			return false;
	}
	return true;
}

int table_choose(const struct column *all, const char *text, struct column_set *ret_set,
		 struct err *err)
{
	_cleanup_(strv_freep) char **words = strv_split(text, ",");
	bool titles = strpbrk(text, ",.") || is_title(all, text);
	int r = 0;

	*ret_set = (struct column_set){ 0 };
	for (char **w = words; w && *w && r == 0; w++) {
		bool by_letters = !is_title(all, *w) && (!titles || is_letters(all, *w));

		r = by_letters ? add_by_letters(all, *w, ret_set, err)
			       : add_by_title(all, *w, ret_set, err);
	}
	if (r == 0 && ret_set->len == 0)
		r = err_kind(err, ERR_INVALID, "no columns given");
	if (r < 0)
		column_set_done(ret_set);
	return r;
}

unsigned int table_flags(const struct column_set *set)
{
	unsigned int flags = 0;

	for (size_t i = 0; i < set->len; i++)
		flags |= set->items[i].flags;
	return flags;
}

static void add_field(char ***fields, char *field)
{
	if (strv_contains((const char *const *)*fields, field))
		free(field);
	else
		strv_push_take(fields, field);
}

/* "state.memory.usage" is a path of members, "@user.role" a key of two of them. */
static void add_key_fields(const char *key, char ***fields)
{
	char *field;

	if (*key == '@') {
		add_field(fields, xasprintf("config/%s", key + 1));
		add_field(fields, xasprintf("expanded_config/%s", key + 1));
		return;
	}
	field = xstrdup(key);
	for (char *p = field; *p; p++)
		*p = *p == '.' ? '/' : *p;
	add_field(fields, field);
}

void table_fields(const struct column_set *set, char ***fields)
{
	for (size_t i = 0; i < set->len; i++) {
		_cleanup_(strv_freep) char **own = NULL;

		if (!set->items[i].fields) {
			add_key_fields(set->items[i].key, fields);
			continue;
		}
		own = strv_split(set->items[i].fields, ",");
		for (char **f = own; f && *f; f++)
			add_field(fields, xstrdup(*f));
	}
}

/* The cleaned text of one cell. */
static char *cell_of(const struct column *column, const json_t *row)
{
	struct buf text = { 0 };
	char *clean;

	column->cell(row, column->key, &text);
	clean = str_printable(buf_str(&text), true);
	buf_done(&text);
	return clean;
}

/* Returns: whether all of it is ASCII. */
static bool fill_line(struct libscols_line *line, const json_t *row, const struct column_set *set,
		      bool compact)
{
	bool ascii = true;

	for (size_t i = 0; i < set->len; i++) {
		_cleanup_(freep) char *text = cell_of(&set->items[i], row);

		for (char *p = text; *p; p++) {
			ascii &= (unsigned char)*p < 0x80;
			if (compact && *p == '\n')
				*p = ' ';
		}
		(void)scols_line_set_data(line, i, text);
	}
	return ascii;
}

static int print_columns(const json_t *rows, const struct column_set *set, bool compact,
			 struct buf *out)
{
	struct libscols_table *table;
	char *text = NULL;
	bool ascii = true;
	json_t *row;
	size_t i;

	table = scols_new_table();
	if (!table)
		return -ENOMEM;
	(void)scols_table_set_column_separator(table, "  ");
	(void)scols_table_enable_noencoding(table, 1);
	(void)scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER); /* never cut a name */
	for (i = 0; i < set->len; i++) {
		int flags = (set->items[i].flags & COLUMN_RIGHT ? SCOLS_FL_RIGHT : 0) |
			    (compact ? 0 : SCOLS_FL_WRAP);
		struct libscols_column *c =
			scols_table_new_column(table, set->items[i].title, 0, flags);

		if (c && !compact) {
			(void)scols_column_set_wrapfunc(c, scols_wrapnl_chunksize,
							scols_wrapnl_nextchunk, NULL);
			(void)scols_column_set_safechars(c, "\n");
		}
	}
	json_array_foreach((json_t *)rows, i, row)
	{
		struct libscols_line *line = scols_table_new_line(table, NULL);

		if (line)
			ascii &= fill_line(line, row, set, compact);
	}
	if (!ascii)
		(void)setlocale(LC_CTYPE, ""); /* for widths; too slow to do it always */
	if (scols_print_table_to_string(table, &text) == 0 && text) {
		buf_add_str(out, text);
		if (!str_ends_with(text, "\n"))
			buf_add_char(out, '\n');
	}
	free(text);
	scols_unref_table(table);
	return 0;
}

/* The library prints nothing at all for an empty table. */
static void print_titles(const struct column_set *set, struct buf *out)
{
	for (size_t i = 0; i < set->len; i++)
		buf_printf(out, "%s%s", i ? "  " : "", set->items[i].title);
	buf_add_char(out, '\n');
}

static void csv_cell(const char *text, struct buf *out)
{
	if (!strpbrk(text, ",\"\n")) {
		buf_add_str(out, text);
		return;
	}
	buf_add_char(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			buf_add_char(out, '"');
		buf_add_char(out, *text);
	}
	buf_add_char(out, '"');
}

static void print_csv(const json_t *rows, const struct column_set *set, struct buf *out)
{
	json_t *row;
	size_t i;

	json_array_foreach((json_t *)rows, i, row)
	{
		for (size_t c = 0; c < set->len; c++) {
			_cleanup_(freep) char *text = cell_of(&set->items[c], row);

			if (c > 0)
				buf_add_char(out, ',');
			csv_cell(text, out);
		}
		buf_add_char(out, '\n');
	}
}

static void print_json(const json_t *rows, struct buf *out)
{
	_cleanup_(freep) char *text = json_dumps(rows, JSON_INDENT(2) | JSON_ENCODE_ANY);

	buf_printf(out, "%s\n", text ? text : "null");
}

int table_print(const json_t *rows, const struct column_set *set, enum table_format format,
		struct buf *out, struct err *err)
{
	switch (format) {
	case TABLE_JSON:
		print_json(rows, out);
		return 0;
	case TABLE_YAML:
		yaml_emit(rows, out);
		return 0;
	case TABLE_CSV:
		print_csv(rows, set, out);
		return 0;
	case TABLE_TABLE:
	case TABLE_COMPACT:
	case TABLE_FORMAT_MAX:
		break;
	}
	if (json_array_size(rows) == 0) {
		print_titles(set, out);
		return 0;
	}
	if (print_columns(rows, set, format == TABLE_COMPACT, out) < 0)
		return err_set(err, -ENOMEM, "print the table");
	return 0;
}

void column_set_done(struct column_set *set)
{
	free(set->items);
	(void)strv_free(set->owned);
	*set = (struct column_set){ 0 };
}

/* "@user.role": an instance's configuration, the expanded one first; else a path of members. */
static const json_t *member(const json_t *row, const char *key)
{
	const json_t *value;

	if (*key != '@')
		return json_at(row, key);
	value = json_object_get(json_object_get(row, "expanded_config"), key + 1);
	return value ? value : json_object_get(json_object_get(row, "config"), key + 1);
}

void cell_text(const json_t *row, const char *key, struct buf *out)
{
	const json_t *value = member(row, key);

	if (json_is_string(value))
		buf_add_str(out, json_string_value(value));
	else if (json_is_integer(value))
		buf_printf(out, "%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		buf_add_str(out, json_is_true(value) ? "true" : "false");
}

void cell_count(const json_t *row, const char *key, struct buf *out)
{
	const json_t *value = member(row, key);

	buf_printf(out, "%zu",
		   json_is_object(value) ? json_object_size(value) : json_array_size(value));
}

void cell_lines(const json_t *row, const char *key, struct buf *out)
{
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)member(row, key), i, item)
		buf_printf(out, "%s%s", i ? "\n" : "", json_string_value(item) ?: "");
}

void cell_yes_no(const json_t *row, const char *key, struct buf *out)
{
	buf_add_str(out, json_is_true(member(row, key)) ? "YES" : "NO");
}

void cell_upper(const json_t *row, const char *key, struct buf *out)
{
	const char *text = json_string_value(member(row, key));

	for (; text && *text; text++)
		buf_add_char(out, (char)toupper((unsigned char)*text));
}

void cell_time(const json_t *row, const char *key, struct buf *out)
{
	const char *text = json_string_value(member(row, key));
	char local[64];
	int64_t wall_ns;
	time_t seconds;
	struct tm tm;

	if (!text || time_parse_rfc3339(text, &wall_ns) < 0 || wall_ns <= 0) {
		buf_add_char(out, '-');
		return;
	}
	seconds = (time_t)(wall_ns / NS_PER_S);
	if (localtime_r(&seconds, &tm) && strftime(local, sizeof(local), "%Y-%m-%d %H:%M", &tm))
		buf_add_str(out, local);
}

void cell_bytes(const json_t *row, const char *key, struct buf *out)
{
	json_int_t bytes = json_integer_value(member(row, key));
	char text[FMT_BYTES_LEN];

	if (bytes > 0)
		buf_add_str(out, fmt_bytes(text, (uint64_t)bytes));
}
