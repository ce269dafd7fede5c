/* spec/snapshot.c - see snapshot.h */
#include "spec/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "spec/names.h"

enum {
	NUMBER_MAX = 100000, /* of %d; more snapshots than that nobody has */
	SPAN_MAX = 10000,    /* of each unit */
	YEAR_MAX = 9999
};

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

struct snap_record *snap_record_new(const char *name)
{
	struct snap_record *record = xcalloc(1, sizeof(*record));

	record->name = xstrdup(name);
	record->inst = inst_record_new("");
	return record;
}

void snap_record_free(struct snap_record *record)
{
	if (!record)
		return;
	inst_record_free(record->inst);
	free(record->name);
	free(record->volume);
	free(record);
}

void snap_record_freep(struct snap_record **record)
{
	snap_record_free(*record);
	*record = NULL;
}

/* ---- lists ---- */

void snap_list_add(struct snap_list *list, struct snap_record *record)
{
	size_t i;

	(void)vec_push(list);
	for (i = list->len - 1; i > 0; i--) {
		if (list->items[i - 1]->created_wall_ns <= record->created_wall_ns)
			break;
		list->items[i] = list->items[i - 1];
	}
	list->items[i] = record;
}

void snap_list_done(struct snap_list *list)
{
	vec_for_each(record, list)
		snap_record_free(*record);
	free(list->items);
	*list = (struct snap_list){ 0 };
}

char **snap_list_volumes(const struct snap_list *list)
{
	char **volumes = NULL;

	vec_for_each(record, list)
		strv_push(&volumes, (*record)->volume);
	return volumes;
}

static const struct snap_record *find_by_name(const struct snap_list *list, const char *name)
{
	vec_for_each(record, list)
		if (streq((*record)->name, name))
			return *record;
	return NULL;
}

static bool is_same(const struct snap_record *a, const struct snap_record *b)
{
	return a && b && a->created_wall_ns == b->created_wall_ns;
}

void snap_changes_find(const struct snap_list *source, const struct snap_list *copy,
		       bool exclude_older, struct snap_changes *ret_changes)
{
	int64_t newest_common = INT64_MIN;

	*ret_changes = (struct snap_changes){ 0 };
	vec_for_each(record, copy) {
		if (!is_same(*record, find_by_name(source, (*record)->name)))
			*vec_push(&ret_changes->go) = *record;
		else
			newest_common = MAX(newest_common, (*record)->created_wall_ns);
	}
	vec_for_each(record, source) {
		const struct snap_record *other = find_by_name(copy, (*record)->name);
		bool old = exclude_older && (*record)->created_wall_ns <= newest_common;

		if (other ? !is_same(*record, other) : !old)
			*vec_push(&ret_changes->come) = *record;
	}
}

void snap_changes_done(struct snap_changes *changes)
{
	free(changes->come.items);
	free(changes->go.items);
	*changes = (struct snap_changes){ 0 };
}

/* ---- names ---- */

int snapshot_pattern_check(const char *pattern, struct err *err)
{
	static const char right[] =
		"must be of letters, digits, . _ - and %d %Y %m %D %H %M %S %F %T %s";
	const struct tm some_day = { .tm_year = 126, .tm_mday = 1 };
	_cleanup_(freep) char *name = NULL;

	for (const char *p = pattern; *p; p++) {
		if (*p == '%' && p[1] != '\0' && strchr("dYmDHMSFTs", p[1]))
			p++;
		else if (!strchr(plain, *p))
			return err_kind(err, ERR_INVALID, "%s", right);
	}
	name = snapshot_make_name(pattern, &some_day, 0, NULL, NULL);
	return name_validate(NAME_SNAPSHOT, name, err);
}

static void add_time(struct buf *out, char letter, const struct tm *local, int64_t wall_ns)
{
	int year = local->tm_year + 1900, month = local->tm_mon + 1;

	switch (letter) {
	case 'Y':
		buf_printf(out, "%04d", year);
		return;
	case 'm':
		buf_printf(out, "%02d", month);
		return;
	case 'D':
		buf_printf(out, "%02d", local->tm_mday);
		return;
	case 'H':
		buf_printf(out, "%02d", local->tm_hour);
		return;
	case 'M':
		buf_printf(out, "%02d", local->tm_min);
		return;
	case 'S':
		buf_printf(out, "%02d", local->tm_sec);
		return;
	case 'F':
		buf_printf(out, "%04d-%02d-%02d", year, month, local->tm_mday);
		return;
	case 'T':
		buf_printf(out, "%02d%02d%02d", local->tm_hour, local->tm_min, local->tm_sec);
		return;
	default: /* 's': there is no other */
		buf_printf(out, "%" PRIi64, wall_ns / NS_PER_S);
	}
}

/* @number: what %d is. Returns: whether there was one. */
static bool expand(const char *pattern, const struct tm *local, int64_t wall_ns,
		   unsigned int number, struct buf *out)
{
	bool numbered = false;

	for (const char *p = pattern; *p; p++) {
		if (*p != '%') {
			buf_add(out, p, 1);
		} else if (*++p == 'd') {
			buf_printf(out, "%u", number);
			numbered = true;
		} else if (*p == '\0') {
			break;
		} else {
			add_time(out, *p, local, wall_ns);
		}
	}
	return numbered;
}

static bool is_taken(snapshot_taken_fn *taken, void *data, const char *name)
{
	return taken && taken(data, name);
}

/* Above the largest one taken, as long as one look at every number says so. */
static unsigned int first_number(const char *pattern, const struct tm *local, int64_t wall_ns,
				 snapshot_taken_fn *taken, void *data)
{
	unsigned int first = 0, misses = 0;

	for (unsigned int i = 0; taken && i < NUMBER_MAX && misses < 1000; i++) {
		struct buf name = { 0 };

		(void)expand(pattern, local, wall_ns, i, &name);
		if (is_taken(taken, data, buf_str(&name))) {
			first = i + 1;
			misses = 0;
		} else {
			misses++;
		}
		buf_done(&name);
	}
	return first;
}

char *snapshot_make_name(const char *pattern, const struct tm *local, int64_t wall_ns,
			 snapshot_taken_fn *taken, void *data)
{
	unsigned int number =
		strstr(pattern, "%d") ? first_number(pattern, local, wall_ns, taken, data) : 0;
	struct buf name = { 0 };
	char *plain_name, *result;
	bool numbered = expand(pattern, local, wall_ns, number, &name);

	plain_name = result = xstrdup(buf_str(&name));
	buf_done(&name);
	for (unsigned int i = 1; !numbered && is_taken(taken, data, result); i++) {
		if (result != plain_name)
			free(result);
		result = xasprintf("%s-%u", plain_name, i);
	}
	if (result != plain_name)
		free(plain_name);
	return result;
}

/* ---- expiry ---- */

struct span {
	int minutes, hours, days, months;
};

static int wrong_span(struct err *err)
{
	return err_kind(err, ERR_INVALID,
			"must be a time like \"2d\" or \"1m 2w\": numbers with M (minutes), H, d, "
			"w, m (months) or y");
}

static int add_unit(struct span *span, const char *word, struct err *err)
{
	char *unit;
	long n = strtol(word, &unit, 10);

	if (word[0] < '0' || word[0] > '9' || n > SPAN_MAX || unit[0] == '\0' || unit[1] != '\0')
		return wrong_span(err);
	switch (*unit) {
	case 'M':
		span->minutes += (int)n;
		return 0;
	case 'H':
		span->hours += (int)n;
		return 0;
	case 'd':
		span->days += (int)n;
		return 0;
	case 'w':
		span->days += (int)n * 7;
		return 0;
	case 'm':
		span->months += (int)n;
		return 0;
	case 'y':
		span->months += (int)n * 12;
		return 0;
	default:
		return wrong_span(err);
	}
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month] + (month == 1 && leap ? 1 : 0);
}

static int64_t add_span(const struct span *span, int64_t from_wall_ns)
{
	time_t from_s = (time_t)(from_wall_ns / NS_PER_S), to_s;
	struct tm tm;

	(void)gmtime_r(&from_s, &tm);
	tm.tm_mon += span->months;
	tm.tm_year += tm.tm_mon / 12;
	tm.tm_mon %= 12;
	if (tm.tm_year + 1900 > YEAR_MAX)
		return 0; /* that is never */
	tm.tm_mday = MIN(tm.tm_mday, days_in_month(tm.tm_year + 1900, tm.tm_mon));
	to_s = timegm(&tm);
	to_s += (time_t)span->days * 86400 + (time_t)span->hours * 3600 +
		(time_t)span->minutes * 60;
	if (to_s > INT64_MAX / NS_PER_S)
		return 0;
	return (int64_t)to_s * NS_PER_S + from_wall_ns % NS_PER_S;
}

int snapshot_expiry(const char *span, int64_t from_wall_ns, int64_t *ret_wall_ns, struct err *err)
{
	_cleanup_(strv_freep) char **words = strv_split(span ? span : "", " ");
	struct span sum = { 0 };

	*ret_wall_ns = 0;
	if (!words || (streq(words[0], "0") && !words[1]))
		return 0;
	for (char **word = words; *word; word++) {
		int r = add_unit(&sum, *word, err);

		if (r < 0)
			return r;
	}
	*ret_wall_ns = add_span(&sum, from_wall_ns);
	return 0;
}
