/* spec/schedule.c - see schedule.h */
#include "spec/schedule.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

enum {
	FIELDS = 5,
	MINUTE_S = 60,
	DAY_MINUTES = 24 * 60,
	NEAR_MIDNIGHT = 180, /* minutes: no clock is changed by more */
	YEARS_MAX = 9,	     /* 29 February may be eight away */
	ALL_HOURS = 0xffffff
};

struct field {
	const char *name;
	unsigned int min, max;
	const char *const *words; /* from min on; NULL: none */
};

static const char *const month_words[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul",
					   "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const day_words[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

static const struct field fields[FIELDS] = {
	{ "minute", 0, 59, NULL },	 { "hour", 0, 23, NULL },	 { "day", 1, 31, NULL },
	{ "month", 1, 12, month_words }, { "weekday", 0, 7, day_words },
};

static const struct {
	const char *name;
	const char *text;
} aliases[] = {
	{ "@hourly", "0 * * * *" },   { "@daily", "0 0 * * *" },   { "@midnight", "0 0 * * *" },
	{ "@weekly", "0 0 * * 0" },   { "@monthly", "0 0 1 * *" }, { "@yearly", "0 0 1 1 *" },
	{ "@annually", "0 0 1 1 *" },
};

/* ---- parsing ---- */

static int parse_value(const struct field *field, const char *text, unsigned int *ret_value,
		       struct err *err)
{
	uint64_t value;

	for (unsigned int i = 0; field->words && field->words[i]; i++) {
		if (strcasecmp(field->words[i], text) == 0) {
			*ret_value = field->min + i;
			return 0;
		}
	}
	if (parse_u64(text, field->max, &value) < 0 || value < field->min)
		return err_kind(err, ERR_INVALID, "%s must be from %u to %u", field->name,
				field->min, field->max);
	*ret_value = (unsigned int)value;
	return 0;
}

/* "*", "3", "1-5", "*" with a step, "1-30/5", "3/2" (from 3 on) into bits. */
static int parse_part(const struct field *field, char *part, uint64_t *bits, struct err *err)
{
	char *slash = strchr(part, '/'), *dash;
	unsigned int first = field->min, last = field->max, step = 1;
	uint64_t value;
	int r = 0;

	if (slash) {
		*slash++ = '\0';
		if (parse_u64(slash, field->max, &value) < 0 || value == 0)
			return err_kind(err, ERR_INVALID, "%s: a step must be from 1 to %u",
					field->name, field->max);
		step = (unsigned int)value;
	}
	dash = strchr(part, '-');
	if (dash)
		*dash++ = '\0';
	if (!streq(part, "*")) {
		r = parse_value(field, part, &first, err);
		if (r == 0 && dash)
			r = parse_value(field, dash, &last, err);
		else if (!slash)
			last = first;
	} else if (dash) {
		r = err_kind(err, ERR_INVALID, "%s: \"*\" has no end", field->name);
	}
	if (r == 0 && first > last)
		r = err_kind(err, ERR_INVALID, "%s: the range runs backwards", field->name);
	for (unsigned int i = first; r == 0 && i <= last; i += step)
		*bits |= UINT64_C(1) << i;
	return r;
}

static int parse_field(const struct field *field, const char *text, uint64_t *ret_bits,
		       struct err *err)
{
	_cleanup_(strv_freep) char **parts = strv_split(text, ",");
	_cleanup_(freep) char *joined = strv_join((const char *const *)parts, ",");
	uint64_t bits = 0;

	if (!parts || !streq(joined, text))
		return err_kind(err, ERR_INVALID, "%s has an empty part", field->name);
	for (char **part = parts; *part; part++) {
		int r = parse_part(field, *part, &bits, err);

		if (r < 0)
			return r;
	}
	*ret_bits = bits;
	return 0;
}

/* Some month has one of the days, or it goes by weekdays too. */
static bool is_possible(const struct schedule_rule *rule)
{
	static const unsigned int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (rule->any_day || !rule->any_weekday)
		return true;
	for (unsigned int month = 1; month <= 12; month++)
		for (unsigned int day = 1; day <= days[month - 1]; day++)
			if ((rule->months >> month & 1) && (rule->days >> day & 1))
				return true;
	return false;
}

static int parse_rule(const char *text, struct schedule_rule *ret_rule, struct err *err)
{
	_cleanup_(strv_freep) char **words = strv_split(text, " \t");
	struct schedule_rule rule = { 0 };
	uint64_t bits[FIELDS] = { 0 };

	if (strv_len(words) != FIELDS)
		return err_kind(err, ERR_INVALID,
				"must have five fields (minute hour day month weekday), or be "
				"@hourly, @daily, @weekly, @monthly, @yearly, @startup or @never");
	for (size_t i = 0; i < FIELDS; i++) {
		int r = parse_field(&fields[i], words[i], &bits[i], err);

		if (r < 0)
			return r;
	}
	rule.minutes = bits[0];
	rule.hours = (uint32_t)bits[1];
	rule.days = (uint32_t)bits[2];
	rule.months = (uint32_t)bits[3];
	rule.weekdays = (uint32_t)(bits[4] | bits[4] >> 7) & 0x7f; /* 7 is Sunday as well */
	rule.any_day = words[2][0] == '*';
	rule.any_weekday = words[4][0] == '*';
	if (!is_possible(&rule))
		return err_kind(err, ERR_INVALID, "must be a day that one of the months has");
	*ret_rule = rule;
	return 0;
}

static int add_word(struct schedule *schedule, const char *word, struct err *err)
{
	if (streq(word, "@startup")) {
		schedule->startup = true;
		return 0;
	}
	if (streq(word, "@never")) {
		schedule->never = true;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (streq(aliases[i].name, word))
			word = aliases[i].text;
	if (schedule->n == SCHEDULE_RULES_MAX)
		return err_kind(err, ERR_INVALID, "must be at most %d times", SCHEDULE_RULES_MAX);
	return parse_rule(word, &schedule->rules[schedule->n++], err);
}

/* Length of the first schedule of a list: a comma inside a field is followed by more of it. */
static size_t first_len(const char *text)
{
	for (size_t i = 0; text[i]; i++)
		if (text[i] == ',' && (text[0] == '@' || text[i + 1] == ' ' || text[i + 1] == '@'))
			return i;
	return strlen(text);
}

int schedule_parse(const char *text, struct schedule *ret_schedule, struct err *err)
{
	struct schedule schedule = { 0 };

	text += strspn(text, " \t");
	while (*text) {
		size_t len = first_len(text), kept = len;
		_cleanup_(freep) char *word = NULL;
		int r;

		while (kept > 0 && strchr(" \t", text[kept - 1]))
			kept--;
		word = xstrndup(text, kept);
		r = add_word(&schedule, word, err);
		if (r < 0)
			return r;
		text += len;
		if (*text == ',' && text[1 + strspn(text + 1, " \t")] == '\0')
			return err_kind(err, ERR_INVALID, "must not end with a comma");
		text += strspn(text, ", \t");
	}
	*ret_schedule = schedule;
	return 0;
}

/* ---- the next one ---- */

static bool date_matches(const struct schedule_rule *rule, const struct tm *local)
{
	bool day = rule->days >> local->tm_mday & 1;
	bool weekday = rule->weekdays >> local->tm_wday & 1;

	if (!(rule->months >> (local->tm_mon + 1) & 1))
		return false;
	if (rule->any_day || rule->any_weekday)
		return day && weekday;
	return day || weekday;
}

static bool time_matches(const struct schedule_rule *rule, int minute_of_day)
{
	return (rule->hours >> (minute_of_day / 60) & 1) &&
	       (rule->minutes >> (minute_of_day % 60) & 1);
}

/* Local minutes since some day, so that a change of the clock shows as a jump. */
static int64_t local_minutes(int64_t time_s, const struct tm *local)
{
	return (time_s + local->tm_gmtoff) / MINUTE_S;
}

/* Whether one of the minutes that the clock has skipped before @now is due; not across midnight. */
static bool was_skipped(const struct schedule_rule *rule, const struct tm *local, int64_t skipped)
{
	int minute = local->tm_hour * 60 + local->tm_min;

	for (int64_t i = 1; i <= skipped && minute - i >= 0; i++)
		if (time_matches(rule, minute - (int)i))
			return true;
	return false;
}

/* What a walk through the minutes has seen. */
struct walk {
	int64_t last;	 /* local minute of the step before; INT64_MIN: none */
	int64_t highest; /* so far: what is not above it comes for the second time */
};

static bool is_due(const struct schedule_rule *rule, int64_t time_s, const struct tm *local,
		   struct walk *walk)
{
	int64_t now = local_minutes(time_s, local);
	bool hourly = rule->hours == ALL_HOURS;
	bool again = !hourly && now <= walk->highest;
	int64_t skipped = hourly || walk->last == INT64_MIN ? 0 : now - walk->last - 1;
	bool due = time_matches(rule, local->tm_hour * 60 + local->tm_min);

	walk->last = now;
	walk->highest = MAX(walk->highest, now);
	if (!date_matches(rule, local) || again)
		return false;
	return due || (skipped > 0 && was_skipped(rule, local, skipped));
}

/* Minutes that may be left out because the whole day does not matter. */
static int64_t free_minutes(const struct schedule_rule *rule, const struct tm *local)
{
	int64_t left = DAY_MINUTES - (local->tm_hour * 60 + local->tm_min);

	return date_matches(rule, local) || left <= NEAR_MIDNIGHT ? 0 : left - NEAR_MIDNIGHT;
}

static int64_t next_of_rule(const struct schedule_rule *rule, int64_t after_s)
{
	/* Begins early enough to know which local times have been there already. */
	int64_t start = (after_s / MINUTE_S - NEAR_MIDNIGHT) * MINUTE_S;
	int64_t end = after_s + (int64_t)YEARS_MAX * 366 * DAY_MINUTES * MINUTE_S;
	struct walk walk = { .last = INT64_MIN, .highest = INT64_MIN };

	for (int64_t t = start; t < end; t += MINUTE_S) {
		time_t time = (time_t)t;
		struct tm local;
		int64_t leap;

		(void)localtime_r(&time, &local);
		if (is_due(rule, t, &local, &walk) && t > after_s)
			return t;
		leap = t > after_s ? free_minutes(rule, &local) : 0;
		if (leap > 0) {
			t += (leap - 1) * MINUTE_S;
			walk.last = INT64_MIN;
		}
	}
	return 0;
}

int64_t schedule_next(const struct schedule *schedule, int64_t after_wall_s)
{
	int64_t first = 0;

	for (size_t i = 0; !schedule->never && i < schedule->n; i++) {
		int64_t next = next_of_rule(&schedule->rules[i], after_wall_s);

		if (next > 0 && (first == 0 || next < first))
			first = next;
	}
	return first;
}
