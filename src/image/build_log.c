/* image/build_log.c - see build_log.h */
#include "image/build_log.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"

enum {
	LINES_MAX = 3,
	REASON_MAX = 300
};

/* What mmdebstrap and debootstrap say when they come to a part. */
static const struct {
	const char *begin;
	const char *stage;
} stages[] = {
	{ "I: running apt-get update", "download" },
	{ "I: downloading packages", "download" },
	{ "I: extracting archives", "bootstrap" },
	{ "I: installing essential packages", "bootstrap" },
	{ "I: installing remaining packages", "packages" },
	{ "I: Retrieving ", "download" },
	{ "I: Extracting ", "bootstrap" },
	{ "I: Installing core packages", "bootstrap" },
	{ "I: Configuring ", "packages" },
};

const char *build_log_stage(const char *text)
{
	_cleanup_(strv_freep) char **lines = strv_split(text, "\n\r");
	size_t n = strv_len(lines);

	while (n-- > 0)
		for (size_t i = 0; i < ARRAY_LEN(stages); i++)
			if (str_after(lines[n], stages[i].begin))
				return stages[i].stage;
	return NULL;
}

static bool is_reason(const char *line)
{
	static const char *const begins[] = { "E: ",   "ERROR: ", "WARNING: ",
					      "tar: ", "zstd: ",  "Err:" };
	/* these only repeat that something failed */
	static const char *const empty[] = {
		"E: mmdebstrap failed to run",
		"E: run_chroot failed",
		"E: setup failed",
		"E: apt-get ",
		"E: Some index files failed to",
	};

	for (size_t i = 0; i < ARRAY_LEN(empty); i++)
		if (str_after(line, empty[i]))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (str_after(line, begins[i]))
			return true;
	return false;
}

/* The last @LINES_MAX lines, of those that are reasons when @only_reasons. */
static char **last_lines(char **lines, bool only_reasons)
{
	char **out = NULL;
	size_t n = strv_len(lines), taken = 0, first = n;

	while (first > 0 && taken < LINES_MAX) {
		first--;
		taken += !only_reasons || is_reason(lines[first]);
	}
	for (size_t i = first; i < n; i++)
		if (!only_reasons || is_reason(lines[i]))
			strv_push(&out, lines[i]);
	return out;
}

char *build_log_reason(const char *text)
{
	_cleanup_(strv_freep) char **lines = strv_split(text, "\n\r");
	_cleanup_(strv_freep) char **chosen = last_lines(lines, true);
	_cleanup_(freep) char *joined = NULL;
	char *reason;

	if (!chosen)
		chosen = last_lines(lines, false);
	joined = strv_join((const char *const *)chosen, "; ");
	reason = str_printable(joined, false);
	if (strlen(reason) > REASON_MAX) {
		size_t cut = REASON_MAX;

		/* not in the middle of a character */
		while (cut > 0 && ((unsigned char)reason[cut] & 0xc0) == 0x80)
			cut--;
		reason[cut] = '\0';
	}
	return reason;
}
