/* cli/table.h - lists in every format: table, compact, csv, json, yaml (cli, sysctr) */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

enum table_format {
	TABLE_TABLE,
	TABLE_COMPACT,
	TABLE_CSV,
	TABLE_JSON,
	TABLE_YAML,
	TABLE_FORMAT_MAX
};

enum column_flags {
	COLUMN_RIGHT = 1 << 0, /* numbers */
	COLUMN_STATE = 1 << 1, /* an instance's state is needed for it */
	COLUMN_FULL = 1 << 2,  /* the full object is needed (snapshots) */
	COLUMN_USAGE = 1 << 3, /* what the state says of memory, CPU and processes */
};

struct column {
	char letter;
	const char *title;						   /* "IPV4" */
	void (*cell)(const json_t *row, const char *key, struct buf *out); /* lines split by \n */
	const char *key;						   /* passed to cell */
	unsigned int flags;
	const char *fields; /* what of the object it reads, by commas; NULL: key says it */
};

/* Some columns of a table; owned array of rows copied from it or made for a config key. */
struct column_set {
	struct column *items;
	size_t len;
	char **owned; /* titles and keys made up for config keys */
};

/* Names of all formats, NULL-terminated. */
extern const char *const table_formats[];

/* Errors: ERR_INVALID with "did you mean". NULL is the table. */
int table_parse_format(const char *word, enum table_format *ret_format, struct err *err);

/*
 * Choose from @all (ended by a NULL title): letters ("nst") or titles ("name,state"); a word with
 * a dot is an instance's configuration key ("user.role" or "user.role:ROLE").
 */
int table_choose(const struct column *all, const char *text, struct column_set *ret_set,
		 struct err *err);
unsigned int table_flags(const struct column_set *set);

/* What the columns read of an object, added to @fields ("state/network"). */
void table_fields(const struct column_set *set, char ***fields);

/* @rows: an array of API objects; json and yaml show them as they are. */
int table_print(const json_t *rows, const struct column_set *set, enum table_format format,
		struct buf *out, struct err *err);
void column_set_done(struct column_set *set);

/* Cells that just show the member at path @key. */
void cell_text(const json_t *row, const char *key, struct buf *out);
void cell_count(const json_t *row, const char *key, struct buf *out); /* of an array or object */
void cell_yes_no(const json_t *row, const char *key, struct buf *out);
void cell_lines(const json_t *row, const char *key, struct buf *out); /* of an array of strings */
void cell_upper(const json_t *row, const char *key, struct buf *out);
void cell_time(const json_t *row, const char *key, struct buf *out); /* local, "-" for never */
void cell_bytes(const json_t *row, const char *key, struct buf *out);
