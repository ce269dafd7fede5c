/* cli/progress.c - see progress.h */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cli/term.h"
#include "codec/json.h"

enum {
	DRAW_AFTER_MS = 1000,
	DRAW_EVERY_MS = 200
};

/* A number that may have come as text. */
static uint64_t number_of(const json_t *object, const char *key)
{
	const char *text = json_str(object, key, NULL);
	uint64_t value = 0;

	if (text && parse_u64(text, UINT64_MAX, &value) == 0)
		return value;
	return (uint64_t)MAX(json_i64(object, key, 0), 0);
}

/* "<what>_progress": the text other clients show. Borrowed, NULL for none. */
static const char *progress_text(const json_t *metadata)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)metadata, key,
			    value) if (str_ends_with(key, "_progress") &&
				       json_is_string(value)) return json_string_value(value);
	return NULL;
}

bool progress_format(const json_t *operation, uint64_t elapsed_ns, struct buf *out)
{
	const json_t *metadata = json_get_object(operation, "metadata");
	const json_t *progress = json_get_object(metadata, "progress");
	const char *text = progress_text(metadata);
	uint64_t percent = number_of(progress, "percent"), speed = number_of(progress, "speed");
	char rate[FMT_BYTES_LEN], left[FMT_DURATION_LEN];

	if (text)
		buf_add_str(out, text);
	else
		buf_add_str(out, json_str(operation, "description", "Working"));
	if (!text && percent > 0)
		buf_printf(out, ": %" PRIu64 "%%", percent);
	if (!text && speed > 0)
		buf_printf(out, " (%s/s)", fmt_bytes(rate, speed));
	if (percent >= 3 && percent < 100)
		buf_printf(out, ", %s left",
			   fmt_duration(left, elapsed_ns / percent * (100 - percent)));
	else if (!text && !progress)
		buf_printf(out, " (%s)", fmt_duration(left, elapsed_ns));
	return true;
}

void progress_format_bytes(const char *what, uint64_t done, uint64_t total, uint64_t elapsed_ns,
			   struct buf *out)
{
	uint64_t speed = elapsed_ns >= NS_PER_MS ? done * 1000 / (elapsed_ns / NS_PER_MS) : 0;
	char size[FMT_BYTES_LEN], rate[FMT_BYTES_LEN], left[FMT_DURATION_LEN];

	buf_printf(out, "%s: %s", what, fmt_bytes(size, done));
	if (total > 0)
		buf_printf(out, ", %" PRIu64 "%%", done * 100 / total);
	if (speed == 0)
		return;
	buf_printf(out, " (%s/s", fmt_bytes(rate, speed));
	if (total > done)
		buf_printf(out, ", %s left",
			   fmt_duration(left, (total - done) / speed * NS_PER_S + NS_PER_S));
	buf_add_char(out, ')');
}

void progress_draw(struct cli *cli, const char *text)
{
	_cleanup_(freep) char *clean = NULL;
	unsigned short width = 80, height;
	size_t len;

	if (!cli->tty_err || cli->quiet)
		return;
	clean = str_printable(text, false);
	(void)term_size(2, &width, &height);
	len = MIN(strlen(clean), (size_t)MAX(width, 2) - 1);
	(void)fprintf(stderr, "\r%.*s%*s", (int)len, clean,
		      (int)(cli->progress_len > len ? cli->progress_len - len : 0), "");
	(void)fflush(stderr);
	cli->progress_len = len;
}

void progress_clear(struct cli *cli)
{
	if (cli->progress_len == 0)
		return;
	(void)fprintf(stderr, "\r%*s\r", (int)cli->progress_len, "");
	(void)fflush(stderr);
	cli->progress_len = 0;
}

struct progress_bytes progress_begin(const char *what)
{
	return (struct progress_bytes){ .what = what, .since_ns = time_mono_ns() };
}

void progress_update(struct cli *cli, struct progress_bytes *bytes)
{
	struct buf line = { 0 };
	uint64_t now_ns;

	if (!cli->tty_err || cli->quiet)
		return;
	now_ns = time_mono_ns();
	if (now_ns - bytes->since_ns < (uint64_t)DRAW_AFTER_MS * NS_PER_MS ||
	    now_ns - bytes->drawn_ns < (uint64_t)DRAW_EVERY_MS * NS_PER_MS)
		return;
	bytes->drawn_ns = now_ns;
	progress_format_bytes(bytes->what, bytes->done, bytes->total, now_ns - bytes->since_ns,
			      &line);
	progress_draw(cli, buf_str(&line));
	buf_done(&line);
}
