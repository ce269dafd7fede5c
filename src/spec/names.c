/* spec/names.c - see names.h */
#include "spec/names.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define LOWER	 "abcdefghijklmnopqrstuvwxyz"
#define UPPER	 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	 "0123456789"
#define PLAIN	 LOWER UPPER DIGITS "._-"
#define HOSTNAME LOWER UPPER DIGITS "-"

enum {
	FINGERPRINT_LEN = 64,
	SHOWN_MAX = 64
};

/* Each returns what is wrong with @name, which holds allowed characters only, or NULL. */

static const char *check_hostname(const char *name)
{
	if (strchr(DIGITS "-", name[0]))
		return "must begin with a letter";
	if (str_ends_with(name, "-"))
		return "must not end with a hyphen";
	return NULL;
}

static const char *check_plain(const char *name)
{
	if (streq(name, ".") || streq(name, ".."))
		return "must be more than dots";
	if (name[0] == '-')
		return "must not begin with a hyphen";
	return NULL;
}

static const char *check_network(const char *name)
{
	return streq(name, "lo") ? "is the loopback interface" : check_plain(name);
}

static const char *check_alias(const char *name)
{
	_cleanup_(strv_freep) char **parts = strv_split(name, "/");
	_cleanup_(freep) char *joined = strv_join((const char *const *)parts, "/");

	if (!streq(joined, name))
		return "must not have empty parts between slashes";
	for (char **part = parts; *part; part++) {
		const char *why = check_plain(*part);

		if (why)
			return why;
	}
	return NULL;
}

static const char *check_fingerprint(const char *name)
{
	return strlen(name) == FINGERPRINT_LEN ? NULL : "must have 64 digits";
}

static const struct {
	const char *what;
	const char *allowed;
	const char *allowed_words;
	size_t max;
	const char *(*check)(const char *name);
} kinds[] = {
	[NAME_INSTANCE] = { "instance name", HOSTNAME, "letters, digits and hyphens", 63,
			    check_hostname },
	[NAME_SNAPSHOT] = { "snapshot name", PLAIN, "letters, digits, . _ -", 63, check_plain },
	[NAME_PROFILE] = { "profile name", PLAIN, "letters, digits, . _ -", 63, check_plain },
	[NAME_NETWORK] = { "network name", PLAIN, "letters, digits, . _ -", 15, check_network },
	[NAME_POOL] = { "storage pool name", PLAIN, "letters, digits, . _ -", 63, check_plain },
	[NAME_VOLUME] = { "volume name", PLAIN, "letters, digits, . _ -", 63, check_plain },
	[NAME_DEVICE] = { "device name", PLAIN, "letters, digits, . _ -", 63, check_plain },
	[NAME_IMAGE_ALIAS] = { "image alias", PLAIN "/", "letters, digits, . _ - /", 255,
			       check_alias },
	[NAME_FINGERPRINT] = { "image fingerprint", DIGITS "abcdef",
			       "lower-case hexadecimal digits", FINGERPRINT_LEN,
			       check_fingerprint },
	[NAME_REMOTE] = { "remote name", PLAIN, "letters, digits, . _ -", 63, check_plain },
	[NAME_BACKUP] = { "backup name", PLAIN, "letters, digits, . _ -", 63, check_plain },
};
static_assert(ARRAY_LEN(kinds) == NAME_KIND_MAX, "one row per kind");

int name_validate(enum name_kind kind, const char *name, struct err *err)
{
	_cleanup_(freep) char *shown = NULL;
	const char *why;

	if (str_empty(name))
		return err_kind(err, ERR_INVALID, "%s is missing", kinds[kind].what);
	shown = str_printable(name, false);
	if (strlen(name) > kinds[kind].max)
		return err_kind(err, ERR_INVALID, "%s \"%.*s...\": must be at most %zu characters",
				kinds[kind].what, SHOWN_MAX, shown, kinds[kind].max);
	if (!str_only(name, kinds[kind].allowed))
		return err_kind(err, ERR_INVALID, "%s \"%s\": must consist of %s", kinds[kind].what,
				shown, kinds[kind].allowed_words);
	why = kinds[kind].check(name);
	if (why)
		return err_kind(err, ERR_INVALID, "%s \"%s\": %s", kinds[kind].what, shown, why);
	return 0;
}
