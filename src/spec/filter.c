/*
 * spec/filter.c - see filter.h
 *
 * Values are compiled once. Their size is bounded, and so is what glibc's matcher is given: longer
 * subjects are compared as text, since a hostile expression could take quadratic time on them.
 */
#include "spec/filter.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

enum {
	REGEX_MAX = 256,   /* bytes of an expression */
	PLUS_MAX = 4,	   /* '+' in it */
	SUBJECT_MAX = 4096 /* bytes of a value that is matched */
};

struct clause {
	bool either; /* joined by or; the first one by and */
	bool negated;
	bool equal;
	char *field;
	char *value;
	bool is_regex;
	regex_t regex;
};

struct filter {
	VEC(struct clause) clauses;
};

/* Cut the next word off *@text; a double-quoted one may hold blanks, \" and \\. */
static char *next_word(const char **text, bool *ret_quoted)
{
	const char *p = *text + strspn(*text, " \t");
	struct buf word = { 0 };

	*ret_quoted = *p == '"';
	if (*ret_quoted)
		p++;
	for (; *p && (*ret_quoted ? *p != '"' : !strchr(" \t", *p)); p++) {
		if (*ret_quoted && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		buf_add_char(&word, *p);
	}
	if (*p && *ret_quoted)
		p++;
	*text = p;
	if (word.len == 0 && !*ret_quoted)
		return NULL;
	return buf_take_str(&word);
}

/*
 * Repetition counts and back references let a short expression cost memory and time without end,
 * and in glibc each '+' doubles what is on its left.
 */
static bool regex_is_cheap(const char *value)
{
	size_t pluses = 0;

	for (const char *p = value; *p; p++) {
		if (*p == '{' || (*p == '\\' && strchr("0123456789", p[1])))
			return false;
		pluses += *p == '+';
	}
	return strlen(value) <= REGEX_MAX && pluses <= PLUS_MAX;
}

static void compile(struct clause *clause)
{
	_cleanup_(freep) char *anchored = strpbrk(clause->value, "^$")
						  ? xstrdup(clause->value)
						  : xasprintf("^(%s)$", clause->value);

	clause->is_regex =
		regex_is_cheap(clause->value) &&
		regcomp(&clause->regex, anchored, REG_EXTENDED | REG_ICASE | REG_NOSUB) == 0;
}

static int parse_op(const char *word, bool *ret_equal, struct err *err)
{
	_cleanup_(freep) char *shown = NULL;

	if (word && (strcasecmp(word, "eq") == 0 || strcasecmp(word, "ne") == 0)) {
		*ret_equal = strcasecmp(word, "eq") == 0;
		return 0;
	}
	shown = str_printable(word ? word : "", false);
	return err_kind(err, ERR_INVALID, "filter: \"%.64s\" is no operator: must be eq or ne",
			shown);
}

static int parse_clause(const char **text, struct clause *clause, struct err *err)
{
	_cleanup_(freep) char *op = NULL;
	bool quoted;
	int r;

	clause->field = next_word(text, &quoted);
	if (clause->field && strcasecmp(clause->field, "not") == 0) {
		clause->negated = true;
		free(clause->field);
		clause->field = next_word(text, &quoted);
	}
	if (str_empty(clause->field))
		return err_kind(err, ERR_INVALID, "filter: a field is missing at the end");
	op = next_word(text, &quoted);
	r = parse_op(op, &clause->equal, err);
	if (r < 0)
		return r;
	clause->value = next_word(text, &quoted);
	if (!clause->value)
		return err_kind(err, ERR_INVALID, "filter: a value is missing at the end");
	compile(clause);
	return 0;
}

/* Returns: 1 when a clause has to follow, 0 at the end. */
static int parse_join(const char **text, bool *ret_either, struct err *err)
{
	bool quoted;
	_cleanup_(freep) char *word = next_word(text, &quoted);
	_cleanup_(freep) char *shown = NULL;

	if (!word)
		return 0;
	*ret_either = strcasecmp(word, "or") == 0;
	if (*ret_either || strcasecmp(word, "and") == 0)
		return 1;
	shown = str_printable(word, false);
	return err_kind(err, ERR_INVALID, "filter: \"%.64s\" is unexpected: must be and or or",
			shown);
}

static int parse_clauses(const char *text, struct filter *filter, struct err *err)
{
	bool either = false;
	int r = text[strspn(text, " \t")] != '\0';

	while (r > 0) {
		struct clause *clause;

		if (filter->clauses.len == FILTER_CLAUSES_MAX)
			return err_kind(err, ERR_INVALID, "filter: must have at most %d clauses",
					FILTER_CLAUSES_MAX);
		clause = vec_push(&filter->clauses);
		clause->either = either;
		r = parse_clause(&text, clause, err);
		if (r < 0)
			return r;
		r = parse_join(&text, &either, err);
	}
	return r;
}

int filter_parse(const char *text, struct filter **ret_filter, struct err *err)
{
	_cleanup_(filter_freep) struct filter *filter = xcalloc(1, sizeof(*filter));
	int r;

	if (text && strlen(text) > FILTER_TEXT_MAX)
		return err_kind(err, ERR_INVALID, "filter: must be at most %d bytes",
				FILTER_TEXT_MAX);
	r = parse_clauses(text ? text : "", filter, err);
	if (r < 0)
		return r;
	*ret_filter = TAKE_PTR(filter);
	return 0;
}

static bool clause_match(const struct clause *clause, const char *value)
{
	bool equal;

	value = value ? value : "";
	if (clause->is_regex && strlen(value) <= SUBJECT_MAX)
		equal = regexec(&clause->regex, value, 0, NULL, 0) == 0;
	else
		equal = strcasecmp(clause->value, value) == 0;
	return (equal == clause->equal) != clause->negated;
}

bool filter_match(const struct filter *filter, filter_get_fn *get, void *object)
{
	bool result = true;

	vec_for_each(clause, &filter->clauses) {
		bool match = clause_match(clause, get(object, clause->field));

		result = clause->either ? result || match : result && match;
	}
	return result;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	vec_for_each(clause, &filter->clauses) {
		free(clause->field);
		free(clause->value);
		if (clause->is_regex)
			regfree(&clause->regex);
	}
	free(filter->clauses.items);
	free(filter);
}

void filter_freep(struct filter **filter)
{
	filter_free(*filter);
	*filter = NULL;
}
