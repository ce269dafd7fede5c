/* cli/cmd_image_export.c - image export: an image's one or two files, complete or not at all */
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/image.h"
#include "cli/object.h"
#include "cli/outfile.h"
#include "cli/progress.h"
#include "codec/multipart.h"

enum {
	FILES_MAX = 2
};

struct export
{
	struct cli *cli;
	const char *name;
	struct http_reply head;
	struct multipart *parser; /* a split image */
	struct outfile files[FILES_MAX];
	size_t n_files;
	struct progress_bytes progress;
	struct err err; /* of the parser's callbacks */
};

/* The metadata, or the whole image, takes the name; the root of a split image gets ".root". */
static int open_file(struct export *x, struct err *err)
{
	_cleanup_(freep) char *name = xasprintf("%s%s", x->name, x->n_files ? ".root" : "");

	if (x->n_files == FILES_MAX)
		return err_kind(err, ERR_INTERNAL, "an image has at most %d files", FILES_MAX);
	return outfile_open(name, &x->files[x->n_files++], err);
}

static int write_file(struct export *x, const void *bytes, size_t len, struct err *err)
{
	return outfile_write(&x->files[x->n_files - 1], bytes, len, err);
}

static int on_part(void *data, const char *name, const char *filename)
{
	struct export *x = data;

	(void)name;
	(void)filename; /* chosen here, not by the daemon */
	return open_file(x, &x->err);
}

static int on_part_data(void *data, const void *bytes, size_t len)
{
	struct export *x = data;

	return write_file(x, bytes, len, &x->err);
}

static int on_part_end(void *data)
{
	(void)data;
	return 0;
}

/* The first piece decides from the head what is coming. */
static int begin(struct export *x, struct err *err)
{
	static const struct multipart_handler handler = { on_part, on_part_data, on_part_end };
	const char *type = strmap_get(&x->head.headers, "content-type");
	_cleanup_(freep) char *boundary = type ? multipart_boundary(type) : NULL;

	if (!boundary)
		return open_file(x, err);
	if (streq(x->name, "-"))
		return err_kind(err, ERR_INVALID,
				"the image is two files: name one instead of \"-\"");
	x->parser = multipart_new(boundary, &handler, x);
	return 0;
}

static void draw(struct export *x)
{
	const char *length = strmap_get(&x->head.headers, "content-length");

	if (length && parse_u64(length, INT64_MAX, &x->progress.total) < 0)
		x->progress.total = 0; /* only the percentage is lost */
	progress_update(x->cli, &x->progress);
}

static int on_bytes(void *data, const void *bytes, size_t len, struct err *err)
{
	struct export *x = data;
	int r = x->progress.done == 0 ? begin(x, err) : 0;

	x->progress.done += len;
	if (r == 0 && x->parser) {
		r = multipart_feed(x->parser, bytes, len, err);
		if (r < 0 && x->err.code && err)
			*err = x->err;
	} else if (r == 0) {
		r = write_file(x, bytes, len, err);
	}
	draw(x);
	return r;
}

/* Close all, then either rename or remove all. */
static int finish(struct export *x, int r, struct err *err)
{
	for (size_t i = 0; i < x->n_files; i++) {
		int r2 = outfile_close(&x->files[i], r < 0 ? NULL : err);

		r = r < 0 ? r : r2;
	}
	for (size_t i = 0; i < x->n_files; i++) {
		int r2 = outfile_settle(&x->files[i], r == 0, err);

		r = r < 0 ? r : r2;
	}
	return r;
}

static int export_image(struct cli *cli, struct export *x, const char *fingerprint, struct err *err)
{
	_cleanup_(freep) char *path = object_path(&object_image, fingerprint, "/export");
	int r;

	x->progress = progress_begin("Downloading");
	r = client_download(cli->client, path, &x->head, on_bytes, x, err);
	if (r == 0 && x->parser)
		r = multipart_end(x->parser, err);
	progress_clear(cli);
	return finish(x, r, err);
}

static void export_done(struct export *x)
{
	for (size_t i = 0; i < x->n_files; i++)
		outfile_done(&x->files[i]);
	x->parser = multipart_free(x->parser);
	http_reply_done(&x->head);
}

static int run(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char *fingerprint = NULL;
	_cleanup_(freep) char *name = NULL;
	struct export x = { .cli = cli };
	struct err err = { 0 };
	int r = image_resolve(cli, args->words[0], &fingerprint, &err);

	if (r == 0) {
		name = args_word(args, 1) ? xstrdup(args_word(args, 1))
					  : xasprintf("%s.image", fingerprint);
		x.name = name;
		r = export_image(cli, &x, fingerprint, &err);
	}
	for (size_t i = 0; r == 0 && !streq(name, "-") && i < x.n_files; i++)
		cli_say(cli, "Written to %s.", x.files[i].name);
	export_done(&x);
	return r < 0 ? image_fail(cli, args->words[0], "export", &err) : CLI_OK;
}

const struct cli_command cmd_image_export = {
	.path = "image export",
	.usage = "IMAGE [FILE|-]",
	.summary = "Write an image's file",
	.text = "A split image gives two files: its metadata as FILE, its root file system as\n"
		"FILE.root. They are for their owner alone. \"-\" is standard output.",
	.example = "sysctr image export debian debian.tar.gz",
	.min_words = 1,
	.max_words = 2,
	.hints = { HINT_IMAGE, HINT_FILE },
	.run = run,
};
