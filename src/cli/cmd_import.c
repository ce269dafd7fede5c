/* cli/cmd_import.c - import: an instance out of a backup, streamed from a file or standard input */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/backup_file.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "codec/json.h"

static const struct cli_option options[] = {
	{ 's', "storage", "POOL", "pool for the root file system", HINT_POOL },
	{ 0, "trusted", NULL, "take devices and keys that reach this host", HINT_NONE },
	{ 0 },
};

struct upload {
	struct cli *cli;
	const char *name; /* for messages */
	int fd;
	struct progress_bytes progress;
};

static ssize_t read_upload(void *data, void *out, size_t cap, struct err *err)
{
	struct upload *u = data;
	ssize_t n = read(u->fd, out, cap);

	if (n < 0)
		return err_set(err, -errno, "read \"%s\"", u->name);
	u->progress.done += (uint64_t)n;
	progress_update(u->cli, &u->progress);
	return n;
}

static int open_upload(struct upload *u, const char *file, struct err *err)
{
	struct stat st;

	u->name = file;
	u->fd = streq(file, "-") ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	if (u->fd < 0 || fstat(u->fd, &st) < 0)
		return err_set(err, -errno, "open \"%s\"", file);
	if (S_ISDIR(st.st_mode))
		return err_kind(err, ERR_INVALID, "\"%s\" is a directory, not a backup", file);
	if (isatty(u->fd))
		return err_kind(err, ERR_INVALID, "standard input is a terminal, not a backup");
	u->progress.total = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	return 0;
}

static int send_file(struct upload *u, const char *path, char *const *lines,
		     struct client_reply *reply, struct err *err)
{
	const char *headers[5] = { "Content-Type: application/octet-stream" };
	const struct http_request request = { .method = "POST",
					      .target = path,
					      .headers = headers,
					      .source = read_upload,
					      .source_data = u };
	size_t n = 1;
	int r = 0;

	for (; lines && *lines; lines++) {
		/* what would break the head of a request is no name anyway */
		if (strpbrk(*lines, "\r\n"))
			r = err_kind(err, ERR_INVALID, "a name has line breaks");
		headers[n++] = *lines;
	}
	if (r == 0)
		r = client_send(u->cli->client, &request, reply, err);
	progress_clear(u->cli);
	return r;
}

static void tell(struct cli *cli, const json_t *operation)
{
	const char *left_out = json_string_value(json_at(operation, "metadata.left_out"));
	const char *name = json_string_value(json_at(operation, "metadata.name"));
	_cleanup_(strv_freep) char **lines = strv_split(left_out ? left_out : "", "\n");

	for (char **line = lines; line && *line; line++) {
		_cleanup_(freep) char *shown = str_printable(*line, false);

		cli_say(cli, "Left out: %s", shown);
	}
	cli_say(cli, "%s is imported.", name ? name : "It");
}

int backup_send(struct cli *cli, const char *path, char *const *headers, const char *file,
		struct err *err)
{
	_cleanup_(json_decrefp) json_t *operation = NULL;
	struct upload u = { .cli = cli, .fd = -EBADF, .progress = progress_begin("Uploading") };
	struct client_reply reply = { 0 };
	int r = open_upload(&u, file, err);

	cli_catch_interrupts(cli);
	if (r == 0)
		r = send_file(&u, path, headers, &reply, err);
	if (r == 0)
		r = cli_wait(cli, reply.operation ? reply.operation : "", &operation, err);
	if (u.fd > STDERR_FILENO)
		(void)close(u.fd);
	client_reply_done(&reply);
	if (r == 0)
		tell(cli, operation);
	return r;
}

static int run(struct cli *cli, const struct cli_args *args)
{
	const char *name = args_word(args, 1), *pool = args_get(args, "storage");
	_cleanup_(strv_freep) char **headers = NULL;
	struct err err = { 0 };

	if (name)
		strv_push_take(&headers, xasprintf("X-LXD-name: %s", name));
	if (pool)
		strv_push_take(&headers, xasprintf("X-LXD-pool: %s", pool));
	if (args_has(args, "trusted"))
		strv_push(&headers, "X-Sysctr-trusted: true");
	if (backup_send(cli, "/1.0/instances", headers, args_word(args, 0), &err) < 0)
		return cli_fail(cli, args_word(args, 0), "import", &err);
	return CLI_OK;
}

const struct cli_command cmd_import = {
	.path = "import",
	.usage = "FILE|- [NAME]",
	.summary = "Make an instance of a backup",
	.text = "FILE is what \"sysctr export\", LXD or Incus wrote (not with --optimized-storage),\n"
		"compressed or not; \"-\" is standard input. Without NAME it is called as it was. What\n"
		"is not known here, or would reach this host, is left out and told.",
	.example = "sysctr import web1.tar.zst\n"
		   "ssh backup 'cat web1.tar.zst' | sysctr import - web2",
	.options = { options },
	.min_words = 1,
	.max_words = 2,
	.hints = { HINT_FILE, HINT_NONE },
	.run = run,
};
