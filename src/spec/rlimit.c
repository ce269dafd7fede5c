/* spec/rlimit.c - see rlimit.h */
#include "spec/rlimit.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

static const struct {
	const char *name;
	uint32_t resource;
} rows[] = {
	{ "as", RLIMIT_AS },
	{ "core", RLIMIT_CORE },
	{ "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE },
	{ "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE },
	{ "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC },
	{ "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME },
	{ "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};
_Static_assert(ARRAY_LEN(rows) == RLIMIT_ROWS_MAX, "as many as the header says");

static const struct wire_field spec_rlimit_fields[] = {
	{ 1, WIRE_U32, offsetof(struct spec_rlimit, resource), NULL },
	{ 2, WIRE_U64, offsetof(struct spec_rlimit, soft), NULL },
	{ 3, WIRE_U64, offsetof(struct spec_rlimit, hard), NULL },
};
WIRE_SCHEMA(spec_rlimit, spec_rlimit_fields);

static int parse_one(const char *text, uint64_t *ret_value)
{
	if (streq(text, "unlimited")) {
		*ret_value = UINT64_MAX;
		return 0;
	}
	return parse_u64(text, INT64_MAX, ret_value);
}

static int parse(const char *value, uint64_t *ret_soft, uint64_t *ret_hard)
{
	const char *colon = strchr(value, ':');
	_cleanup_(freep) char *soft = xstrndup(value, strcspn(value, ":"));
	int r = parse_one(soft, ret_soft);

	if (r == 0)
		r = parse_one(colon ? colon + 1 : value, ret_hard);
	return r == 0 && *ret_soft > *ret_hard ? -ERANGE : r;
}

int rlimit_check(const char *key, const char *value, struct err *err)
{
	const char *name = str_after(key, RLIMIT_KEY_PREFIX);
	const char *names[ARRAY_LEN(rows) + 1] = { 0 };
	uint64_t soft, hard;
	int r;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		names[i] = rows[i].name;
	if (!strv_contains(names, name))
		return err_kind(err, ERR_INVALID,
				"the kernel has no such limit: did you mean \"%s%s\"?",
				RLIMIT_KEY_PREFIX, str_nearest(name, names) ?: "nofile");
	r = parse(value, &soft, &hard);
	if (r == -ERANGE)
		return err_kind(
			err, ERR_INVALID,
			"must be SOFT:HARD with numbers below 2^63, the soft one not higher");
	if (r < 0)
		return err_kind(err, ERR_INVALID, "must be a number, \"unlimited\", or SOFT:HARD");
	return 0;
}

void rlimits_from_config(const struct strmap *config, struct spec_rlimits *limits)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(freep) char *key = xasprintf(RLIMIT_KEY_PREFIX "%s", rows[i].name);
		const char *value = strmap_get(config, key);
		struct spec_rlimit limit = { .resource = rows[i].resource };

		if (!str_empty(value) && parse(value, &limit.soft, &limit.hard) == 0)
			*vec_push(&limits->list) = limit;
	}
}

const char *rlimit_name(uint32_t resource)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].resource == resource)
			return rows[i].name;
	return NULL;
}
