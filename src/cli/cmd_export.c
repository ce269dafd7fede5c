/* cli/cmd_export.c - export: an instance as a backup, streamed to a file or standard output */
#include <errno.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/backup_file.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/outfile.h"
#include "cli/progress.h"
#include "codec/json.h"

static const struct cli_option options[] = {
	{ 0, "compression", "none|gzip|xz|zstd", "how to compress (default zstd)", HINT_NONE },
	{ 0, "instance-only", NULL, "leave its snapshots out", HINT_NONE },
	{ 0 },
};

struct export
{
	struct cli *cli;
	struct http_reply head;
	struct outfile file;
	bool local; /* what went wrong is on this side */
	struct progress_bytes progress;
};

static int on_bytes(void *data, const void *bytes, size_t len, struct err *err)
{
	struct export *x = data;
	int r = outfile_write(&x->file, bytes, len, err);

	x->local = r < 0;
	x->progress.done += len;
	progress_update(x->cli, &x->progress);
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
	int r, r2;

	x->progress = progress_begin("Exporting");
	r = client_download(x->cli->client, path, &x->head, on_bytes, x, err);
	progress_clear(x->cli);
	if (r == 0 && x->progress.done == 0)
		r = err_set(err, -EPIPE, "the daemon sent nothing");
	if (r < 0 && r != -EINTR && !x->local)
		ask_reason(x, err);
	r2 = outfile_close(&x->file, r < 0 ? NULL : err);
	r = r < 0 ? r : r2;
	r2 = outfile_settle(&x->file, r == 0, err);
	return r < 0 ? r : r2;
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
	_cleanup_(freep) char *name =
		file ? xstrdup(file)
		     : xasprintf("%s.tar%s", source->name, suffix_of(source->compression));
	struct export x = { .cli = cli };
	int r = outfile_open(name, &x.file, err);

	cli_catch_interrupts(cli);
	if (r == 0)
		r = export(&x, source->path, err);
	if (r == 0 && !streq(name, "-"))
		cli_say(cli, "Written to %s.", name);
	outfile_done(&x.file);
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
		"nothing is kept on the host, and FILE appears when it is whole, for its owner alone.\n"
		"\"-\" is standard output; without FILE it is NAME.tar.zst. \"sysctr import\" brings it\n"
		"back. An instance that runs is copied first, and paused only for what changed\n"
		"meanwhile.",
	.example = "sysctr export web1 web1.tar.zst\n"
		   "sysctr export web1 - | ssh backup 'cat > web1.tar.zst'",
	.options = { options },
	.min_words = 1,
	.max_words = 2,
	.hints = { HINT_STOPPED, HINT_FILE },
	.run = run,
};
