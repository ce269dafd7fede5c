/* cli/cmd_image_file.c - image import and build: what makes an image of files */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/image.h"
#include "cli/object.h"
#include "cli/progress.h"
#include "codec/json.h"

enum {
	PARTS_MAX = 5, /* head, file, head, file, tail */
	FILE_MAX = 1024 * 1024
};

/* A body made of texts and files, one after the other. */
struct upload {
	struct cli *cli;
	struct {
		char *text; /* owned; NULL: a file */
		size_t text_at;
		int fd;
		const char *name;
	} parts[PARTS_MAX];
	size_t n_parts, at;
	struct progress_bytes progress;
};

static const struct cli_option import_options[] = {
	{ 0, "alias", "NAME", "name for the image; may be given several times", HINT_NONE },
	{ 0, "reuse", NULL, "take the name from the image that has it", HINT_NONE },
	{ 0, "public", NULL, "let everybody read it", HINT_NONE },
	{ 0 },
};

static const struct cli_option build_options[] = {
	{ 0, "alias", "NAME", "name for the image; may be given several times", HINT_NONE },
	{ 0, "reuse", NULL, "take the name from the image that has it", HINT_NONE },
	{ 0 },
};

/* Whether the alias is there and names that image: a template's image brings its own. */
static bool alias_is_set(struct cli *cli, const char *alias, const char *fingerprint)
{
	_cleanup_(freep) char *path = image_alias_path(alias);
	_cleanup_(json_decrefp) json_t *there = NULL;

	return client_get(cli->client, path, &there, NULL) == 0 &&
	       streq(json_str(there, "target", ""), fingerprint);
}

int image_set_alias(struct cli *cli, const char *alias, const char *fingerprint, bool move,
		    struct err *err)
{
	_cleanup_(json_decrefp) json_t *body =
		json_pack("{ssssss}", "name", alias, "target", fingerprint, "description", "");
	int r = cli_operate(cli, "POST", "/1.0/images/aliases", body, NULL, err);

	if (r == -EEXIST && alias_is_set(cli, alias, fingerprint)) {
		*err = (struct err){ 0 };
		return 0;
	}
	if (r == -EEXIST && move) {
		_cleanup_(freep) char *path = image_alias_path(alias);

		*err = (struct err){ 0 };
		r = cli_operate(cli, "DELETE", path, NULL, NULL, err);
		if (r == 0)
			r = cli_operate(cli, "POST", "/1.0/images/aliases", body, NULL, err);
	}
	return r;
}

static int add_file(struct upload *u, const char *path, struct err *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, -errno, "open \"%s\"", path);
	u->parts[u->n_parts].fd = fd;
	u->parts[u->n_parts++].name = path;
	if (fstat(fd, &st) < 0)
		return err_set(err, -errno, "read \"%s\"", path);
	if (S_ISDIR(st.st_mode))
		return err_kind(err, ERR_INVALID, "\"%s\" is a directory, not an archive", path);
	if (S_ISREG(st.st_mode))
		u->progress.total += (uint64_t)st.st_size;
	return 0;
}

static void add_text(struct upload *u, char *text)
{
	u->parts[u->n_parts].fd = -EBADF;
	u->parts[u->n_parts++].text = text;
}

static void upload_done(struct upload *u)
{
	for (size_t i = 0; i < u->n_parts; i++) {
		free(u->parts[i].text);
		if (u->parts[i].fd >= 0)
			(void)close(u->parts[i].fd);
	}
}

static ssize_t read_upload(void *data, void *out, size_t cap, struct err *err)
{
	struct upload *u = data;

	for (; u->at < u->n_parts; u->at++) {
		const char *text = u->parts[u->at].text;
		ssize_t n;

		if (text) {
			size_t *from = &u->parts[u->at].text_at;

			n = (ssize_t)MIN(cap, strlen(text) - *from);
			memcpy(out, text + *from, (size_t)n);
			*from += (size_t)n;
		} else {
			n = read(u->parts[u->at].fd, out, cap);
			if (n < 0)
				return err_set(err, -errno, "read \"%s\"", u->parts[u->at].name);
			u->progress.done += (uint64_t)n;
			progress_update(u->cli, &u->progress);
		}
		if (n > 0)
			return n;
	}
	return 0;
}

/* The last element of @path without characters that a header cannot have. */
static char *header_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = str_printable(slash ? slash + 1 : path, false);

	for (char *p = name; *p; p++)
		if (*p == '"' || *p == '\\')
			*p = '_';
	return name;
}

static char *part_head(const char *boundary, const char *field, const char *path, bool first)
{
	_cleanup_(freep) char *name = header_name(path);

	return xasprintf("%s--%s\r\nContent-Disposition: form-data; name=\"%s\"; "
			 "filename=\"%s\"\r\nContent-Type: application/octet-stream\r\n\r\n",
			 first ? "" : "\r\n", boundary, field, name);
}

/* One file as it is; two as multipart, metadata first. */
static int add_parts(struct upload *u, char **files, const char *boundary, struct err *err)
{
	int r;

	if (!files[1])
		return add_file(u, files[0], err);
	add_text(u, part_head(boundary, "metadata", files[0], true));
	r = add_file(u, files[0], err);
	if (r < 0)
		return r;
	add_text(u, part_head(boundary, "rootfs", files[1], false));
	r = add_file(u, files[1], err);
	add_text(u, xasprintf("\r\n--%s--\r\n", boundary));
	return r;
}

/* POST the files. Returns: 0 with the operation's id in @reply. */
static int send_files(struct cli *cli, const struct cli_args *args, struct client_reply *reply,
		      struct err *err)
{
	char boundary[UUID_LEN];
	_cleanup_(freep) char *file_name = header_name(args->words[0]);
	_cleanup_(freep) char *type = NULL;
	_cleanup_(freep) char *name = xasprintf("X-LXD-filename: %s", file_name);
	struct upload u = { .cli = cli, .progress = progress_begin("Uploading") };
	const char *headers[4] = { 0 };
	struct http_request request = { .method = "POST",
					.target = "/1.0/images",
					.headers = headers,
					.source = read_upload,
					.source_data = &u };
	int r = add_parts(&u, args->words, uuid_new(boundary), err);

	type = args->n_words > 1
		       ? xasprintf("Content-Type: multipart/form-data; boundary=%s", boundary)
		       : xstrdup("Content-Type: application/octet-stream");
	headers[0] = type;
	headers[1] = name;
	headers[2] = args_has(args, "public") ? "X-LXD-public: true" : NULL;
	if (r == 0)
		r = client_send(cli->client, &request, reply, err);
	progress_clear(cli);
	upload_done(&u);
	return r;
}

/* Wait for the image, name it, tell its fingerprint. */
static int finish_image(struct cli *cli, const struct cli_args *args, const char *operation_id,
			struct err *err)
{
	_cleanup_(json_decrefp) json_t *operation = NULL;
	_cleanup_(freep) char **aliases = args_all(args, "alias");
	const char *fingerprint;
	int r = cli_wait(cli, operation_id, &operation, err);

	if (r < 0)
		return r;
	fingerprint = json_str(json_object_get(operation, "metadata"), "fingerprint", "");
	for (char **a = aliases; a && *a && r == 0; a++)
		r = image_set_alias(cli, *a, fingerprint, args_has(args, "reuse"), err);
	if (r == 0 && !cli->quiet)
		(void)printf("%s\n", fingerprint);
	return r;
}

static const char *import_hint(const struct err *err)
{
	if (strstr(err->msg, "is a directory"))
		return "pack it first: tar -C DIR -cf rootfs.tar . (a root file system is enough)";
	if (strstr(err->msg, "same fingerprint"))
		return "the image is there already: see \"sysctr image list\"";
	return NULL;
}

static int run_import(struct cli *cli, const struct cli_args *args)
{
	struct client_reply reply = { 0 };
	struct err err = { 0 };
	int r = send_files(cli, args, &reply, &err);

	if (r == 0)
		r = finish_image(cli, args, reply.operation ? reply.operation : "", &err);
	client_reply_done(&reply);
	if (r < 0)
		return cli_fail_hint(cli, args->words[0], "import", &err, import_hint(&err));
	return CLI_OK;
}

static int read_template(const char *path, struct buf *text, struct err *err)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return err_set(err, -errno, "open \"%s\"", path);
	while (text->len <= FILE_MAX && (n = fread(buf_reserve(text, 65536), 1, 65536, f)) > 0)
		text->len += n;
	buf_add(text, "", 0);
	(void)fclose(f);
	return text->len > FILE_MAX ? err_set(err, -EFBIG, "read \"%s\"", path) : 0;
}

/* A file of templates/ by its path, or a template's name. */
static int build_source(const char *word, json_t **ret_source, struct err *err)
{
	_cleanup_(freep) char *name = header_name(word);
	struct buf text = { 0 };
	int r;

	if (!str_ends_with(word, ".yaml") && !str_ends_with(word, ".yml")) {
		*ret_source = json_pack("{ssss}", "type", "template", "template", word);
		return 0;
	}
	r = read_template(word, &text, err);
	if (r == 0) {
		*strrchr(name, '.') = '\0';
		*ret_source = json_pack("{ssssss}", "type", "template", "yaml", buf_str(&text),
					"name", name);
		if (!*ret_source)
			r = err_kind(err, ERR_INVALID, "\"%s\" is not UTF-8 text", word);
	}
	buf_done(&text);
	return r;
}

static int run_build(struct cli *cli, const struct cli_args *args)
{
	const char *word = args->words[0];
	_cleanup_(json_decrefp) json_t *body = NULL;
	struct client_reply reply = { 0 };
	struct err err = { 0 };
	json_t *source = NULL;
	int r = build_source(word, &source, &err);

	if (r == 0) {
		body = json_pack("{so}", "source", source);
		cli_catch_interrupts(cli);
		r = client_request(cli->client, "POST", "/1.0/images", body, &reply, &err);
	}
	if (r == 0)
		r = finish_image(cli, args, reply.operation ? reply.operation : "", &err);
	client_reply_done(&reply);
	return r < 0 ? cli_fail(cli, word, "build", &err) : CLI_OK;
}

const struct cli_command cmd_image_import = {
	.path = "image import",
	.usage = "FILE [ROOTFS]",
	.summary = "Bring an image, or any root file system archive, into the local store",
	.text = "FILE is a unified image, a root file system archive (tar, compressed or not), or,\n"
		"with ROOTFS, the metadata of a split image.",
	.example = "sysctr image import rootfs.tar.xz --alias mine\n"
		   "sysctr image import meta.tar.xz rootfs.squashfs --alias split",
	.options = { import_options },
	.min_words = 1,
	.max_words = 2,
	.hints = { HINT_FILE },
	.run = run_import,
};

const struct cli_command cmd_image_build = {
	.path = "image build",
	.usage = "TEMPLATE|FILE.yaml",
	.summary = "Build an image from a template",
	.text = "TEMPLATE is NAME[/RELEASE[/VARIANT]] of the daemon's templates.",
	.example = "sysctr image build debian/trixie\nsysctr image build my.yaml --alias mine",
	.options = { build_options },
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_TEMPLATE },
	.run = run_build,
};
