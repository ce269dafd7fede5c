/* cli/cmd_export.c - export: an instance as a backup, streamed to a file or standard output */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/backup_file.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/progress.h"
#include "codec/json.h"

static const struct cli_option options[] = {
	{ 0, "compression", "none|gzip|xz|zstd", "how to compress (default zstd)", HINT_NONE },
	{ 0, "instance-only", NULL, "leave its snapshots out", HINT_NONE },
	{ 0 },
};

/* Written as FILE.part and renamed when everything is there. */
struct export
{
	struct cli *cli;
	struct http_reply head;
	FILE *stream;
	char *name; /* NULL: standard output */
	char *part;
	struct progress_bytes progress;
};

/* Not before the first byte: a refused export leaves no trace. */
static int open_file(struct export *x, struct err *err)
{
	if (!x->name) {
		x->stream = stdout;
		return 0;
	}
	x->stream = fopen(x->part, "wxe");
	return x->stream ? 0 : err_set(err, -errno, "create \"%s\"", x->part);
}

static int on_bytes(void *data, const void *bytes, size_t len, struct err *err)
{
	struct export *x = data;
	int r = x->stream ? 0 : open_file(x, err);

	if (r < 0)
		return r;
	if (fwrite(bytes, 1, len, x->stream) != len)
		return err_set(err, -errno, "write \"%s\"", x->name ? x->part : "-");
	x->progress.done += len;
	progress_update(x->cli, &x->progress);
	return 0;
}

static int finish(struct export *x, int r, struct err *err)
{
	if (x->stream && (x->name ? fclose(x->stream) : fflush(x->stream)) != 0 && r == 0)
		r = err_set(err, -errno, "write \"%s\"", x->name ? x->part : "-");
	if (r == 0 && x->name && rename(x->part, x->name) < 0)
		r = err_set(err, -errno, "rename \"%s\"", x->part);
	if (r < 0 && x->name && x->stream)
		(void)unlink(x->part);
	return r;
}

/* Why a stream broke off: the daemon's operation knows. */
static void ask_reason(struct export *x, struct err *err)
{
	const char *id = strmap_get(&x->head.headers, "x-sysctr-operation");
	_cleanup_(freep) char *path =
		id ? client_path("/1.0/operations/%s/wait?timeout=10", id) : NULL;
	_cleanup_(json_decrefp) json_t *operation = NULL;
	const char *reason;

	if (!path || client_get(x->cli->client, path, &operation, NULL) < 0)
		return;
	reason = json_str(operation, "err", "");
	if (!str_empty(reason))
		(void)err_kind(err, ERR_INTERNAL, "%s", reason);
}

static int export(struct export *x, const char *path, struct err *err)
{
	int r;

	x->progress = progress_begin("Exporting");
	r = client_download(x->cli->client, path, &x->head, on_bytes, x, err);
	progress_clear(x->cli);
	if (r == 0 && x->progress.done == 0)
		r = err_set(err, -EPIPE, "the daemon sent nothing");
	if (r < 0 && r != -EINTR)
		ask_reason(x, err);
	return finish(x, r, err);
}

static const char *suffix_of(const char *compression)
{
	static const char *const suffixes[][2] = { { "zstd", ".zst" },
						   { "gzip", ".gz" },
						   { "xz", ".xz" } };

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (streq(suffixes[i][0], compression))
			return suffixes[i][1];
	return "";
}

int backup_save(struct cli *cli, const struct backup_source *source, const char *file,
		struct err *err)
{
	struct export x = { .cli = cli };
	int r;

	if (!streq(file, "-")) {
		x.name = file ? xstrdup(file)
			      : xasprintf("%s.tar%s", source->name, suffix_of(source->compression));
		x.part = xasprintf("%s.part", x.name);
	}
	cli_catch_interrupts(cli);
	r = export(&x, source->path, err);
	if (r == 0 && x.name)
		cli_say(cli, "Written to %s.", x.name);
	free(x.name);
	free(x.part);
	http_reply_done(&x.head);
	return r;
}

static int run(struct cli *cli, const struct cli_args *args)
{
	const char *name = args_word(args, 0), *wanted = args_get(args, "compression");
	const char *compression = wanted ? wanted : "zstd";
	_cleanup_(freep) char *word = client_escape(compression);
	_cleanup_(freep) char *suffix =
		xasprintf("/export?compression=%s%s", word,
			  args_has(args, "instance-only") ? "&instance_only=true" : "");
	_cleanup_(freep) char *path = object_path(&object_instance, name, suffix);
	const struct backup_source source = { path, name, compression };
	struct err err = { 0 };

	return backup_save(cli, &source, args_word(args, 1), &err) < 0
		       ? object_fail(cli, &object_instance, name, "export", &err)
		       : CLI_OK;
}

const struct cli_command cmd_export = {
	.path = "export",
	.usage = "NAME [FILE|-]",
	.summary = "Write an instance to a file",
	.text = "The file is laid out as a backup of LXD and Incus, snapshots included. It is streamed:\n"
		"nothing is kept on the host, and FILE appears when it is whole. \"-\" is standard\n"
		"output; without FILE it is NAME.tar.zst. \"sysctr import\" brings it back. An\n"
		"instance that runs is copied first, and paused only for what changed meanwhile.",
	.example = "sysctr export web1 web1.tar.zst\n"
		   "sysctr export web1 - | ssh backup 'cat > web1.tar.zst'",
	.options = { options },
	.min_words = 1,
	.max_words = 2,
	.hints = { HINT_STOPPED, HINT_FILE },
	.run = run,
};
