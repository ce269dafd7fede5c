/* cli/cmd_file.c - file create, delete, edit, mount: one file at a time, and a whole tree mounted */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/editor.h"
#include "cli/file.h"
#include "cli/object.h"
#include "client/fdlink.h"
#include "spec/files.h"

extern char **environ;

static const struct cli_option create_options[] = {
	{ 0, "type", "TYPE", "file (default), directory or symlink", HINT_NONE },
	{ 'p', "create-dirs", NULL, "make missing directories above it", HINT_NONE },
	{ 0, "uid", "UID", "owner (default 0)", HINT_NONE },
	{ 0, "gid", "GID", "group (default 0)", HINT_NONE },
	{ 0, "mode", "MODE", "permissions in octal (default 0644, directories 0755)", HINT_NONE },
	{ 0 },
};

static const struct cli_option mount_options[] = {
	{ 0, "stdio", NULL, "speak SFTP on standard input and output instead", HINT_NONE },
	{ 0 },
};

/* ---- requests ---- */

struct post {
	const char *type; /* of the API */
	const char *write;
	struct file_owner owner;
	const char *body;
	size_t body_len;
};

static int post(struct cli *cli, const struct file_place *place, const struct post *post,
		struct err *err)
{
	_cleanup_(freep) char *url = file_url(place);
	_cleanup_(freep) char *type = xasprintf("X-LXD-type: %s", post->type);
	_cleanup_(freep) char *write =
		xasprintf("X-LXD-write: %s", post->write ? post->write : "overwrite");
	_cleanup_(freep) char *uid = xasprintf("X-LXD-uid: %d", (int)post->owner.uid);
	_cleanup_(freep) char *gid = xasprintf("X-LXD-gid: %d", (int)post->owner.gid);
	_cleanup_(freep) char *mode = post->owner.mode == FILES_NO_MODE
					      ? NULL
					      : xasprintf("X-LXD-mode: %04o", post->owner.mode);
	const char *headers[] = {
		"Content-Type: application/octet-stream", type, write, uid, gid, mode, NULL
	};
	struct http_request request = {
		.method = "POST",
		.target = url,
		.headers = headers,
		.body = post->body ? post->body : "",
		.body_len = post->body_len,
	};

	return client_send(cli->client, &request, NULL, err);
}

/* ---- create ---- */

/* Each directory above the last component; those that are there stay as they are. */
static int create_parents(struct cli *cli, const struct file_place *place, struct err *err)
{
	struct post dir = { .type = "directory", .owner = { FILES_NO_ID, FILES_NO_ID, 0755 } };
	int r = 0;

	for (size_t at = 1; r == 0 && place->path[at]; at++) {
		struct file_place parent = { .instance = place->instance };

		if (place->path[at] != '/' || place->path[at - 1] == '/')
			continue;
		parent.path = xstrndup(place->path, at);
		r = post(cli, &parent, &dir, err);
		freep(&parent.path);
	}
	return r;
}

/* Nothing appended to a file that is there is what asks whether it is. */
static int check_absent(struct cli *cli, const struct file_place *place, struct err *err)
{
	struct post probe = { .type = "file",
			      .write = "append",
			      .owner = { FILES_NO_ID, FILES_NO_ID, FILES_NO_MODE } };
	struct err absent = { 0 };
	int r = post(cli, place, &probe, &absent);

	if (r == 0)
		return err_kind(err, ERR_CONFLICT, "it exists already");
	if (absent.kind == ERR_NOT_FOUND)
		return 0;
	*err = absent;
	return r;
}

static int read_create(const struct cli_args *args, struct post *ret_post, struct err *err)
{
	const char *type = args_get(args, "type"), *target = args_word(args, 1);
	enum files_type kind;
	int r;

	ret_post->type = type ? type : target ? "symlink" : "file";
	r = files_type_parse(ret_post->type, &kind, err);
	if (r == 0)
		r = file_read_owner(args, &ret_post->owner, err);
	if (r == 0 && (kind == FILES_TYPE_SYMLINK) != (target != NULL))
		r = err_kind(err, ERR_INVALID, "a symlink, and nothing else, has a target");
	if (kind == FILES_TYPE_DIRECTORY && ret_post->owner.mode == FILES_NO_MODE)
		ret_post->owner.mode = 0755;
	ret_post->body = target;
	ret_post->body_len = target ? strlen(target) : 0;
	return r;
}

static int run_create(struct cli *cli, const struct cli_args *args)
{
	struct file_place place = { 0 };
	struct post request = { 0 };
	struct err err = { 0 };
	int r = file_place_parse(args->words[0], &place, &err);

	if (r == 0)
		r = read_create(args, &request, &err);
	if (r < 0) {
		file_place_done(&place);
		return cli_usage(args, &err);
	}
	if (args_has(args, "create-dirs"))
		r = create_parents(cli, &place, &err);
	if (r == 0 && streq(request.type, "file"))
		r = check_absent(cli, &place, &err);
	if (r == 0)
		r = post(cli, &place, &request, &err);
	file_place_done(&place);
	return r < 0 ? file_fail(cli, args->words[0], "create", &err) : CLI_OK;
}

const struct cli_command cmd_file_create = {
	.path = "file create",
	.usage = "NAME/PATH [TARGET]",
	.summary = "Create a file, directory or symbolic link in an instance",
	.text = "With TARGET it is a symbolic link. A file that exists is left alone.",
	.example = "sysctr file create -p web1/srv/www/new.html",
	.options = { create_options },
	.min_words = 1,
	.max_words = 2,
	.hints = { HINT_INSTANCE, HINT_NONE },
	.run = run_create,
};

/* ---- delete ---- */

static int run_delete(struct cli *cli, const struct cli_args *args)
{
	int status = CLI_OK;

	for (size_t i = 0; i < args->n_words; i++) {
		struct file_place place = { 0 };
		struct err err = { 0 };
		int r = file_place_parse(args->words[i], &place, &err);

		if (r == 0) {
			_cleanup_(freep) char *url = file_url(&place);

			r = client_request(cli->client, "DELETE", url, NULL, NULL, &err);
		}
		file_place_done(&place);
		if (r < 0)
			status = file_fail(cli, args->words[i], "delete", &err);
	}
	return status;
}

const struct cli_command cmd_file_delete = {
	.path = "file delete",
	.aliases = "file rm",
	.usage = "NAME/PATH...",
	.summary = "Delete files and empty directories of instances",
	.example = "sysctr file delete web1/tmp/dump",
	.min_words = 1,
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE },
	.run = run_delete,
};

/* ---- edit ---- */

static int collect(void *data, const void *bytes, size_t len, struct err *err)
{
	(void)err;
	buf_add(data, bytes, len);
	return 0;
}

static int edit_text(struct cli *cli, const struct file_place *place, struct buf *text,
		     struct err *err)
{
	_cleanup_(freep) char *url = file_url(place);
	struct http_reply head = { 0 };
	const char *type;
	int r = client_download(cli->client, url, &head, collect, text, err);

	type = strmap_get(&head.headers, "x-lxd-type");
	if (r == 0 && type && !streq(type, "file"))
		r = err_kind(err, ERR_INVALID, "it is a %s", type);
	http_reply_done(&head);
	buf_add(text, "", 0);
	return r < 0 ? r : editor_run(text, err);
}

static int run_edit(struct cli *cli, const struct cli_args *args)
{
	struct post request = { .type = "file",
				.owner = { FILES_NO_ID, FILES_NO_ID, FILES_NO_MODE } };
	struct file_place place = { 0 };
	struct buf text = { 0 };
	struct err err = { 0 };
	int r = file_place_parse(args->words[0], &place, &err);

	if (r == 0)
		r = stdin_is_given() ? read_stdin(&text, &err)
				     : edit_text(cli, &place, &text, &err);
	if (r == 0) {
		request.body = buf_str(&text);
		request.body_len = text.len;
		r = post(cli, &place, &request, &err);
	}
	buf_done(&text);
	file_place_done(&place);
	return r < 0 ? file_fail(cli, args->words[0], "edit", &err) : CLI_OK;
}

const struct cli_command cmd_file_edit = {
	.path = "file edit",
	.usage = "NAME/PATH",
	.summary = "Edit a file of an instance",
	.text = "The file keeps its owner and mode. Its new content may come from standard input.",
	.example = "sysctr file edit web1/etc/motd",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_INSTANCE },
	.run = run_edit,
};

/* ---- mount ---- */

static const char no_sshfs[] =
	"install sshfs, or use sftp: sftp -D \"sysctr file mount NAME --stdio\"";

static int run_sshfs(const char *instance, const char *path, const char *target, int socket_fd,
		     struct err *err)
{
	_cleanup_(freep) char *source = xasprintf("%s:%s", instance, path);
	char *argv[] = { (char *)"sshfs", (char *)"-f",	  (char *)"-o", (char *)"passive",
			 source,	  (char *)target, NULL };
	posix_spawn_file_actions_t actions;
	int status, r;
	pid_t pid;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, socket_fd, STDIN_FILENO);
	(void)posix_spawn_file_actions_adddup2(&actions, socket_fd, STDOUT_FILENO);
	r = posix_spawnp(&pid, "sshfs", &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return err_set(err, -r, "start sshfs");
	(void)close(socket_fd);
	/* Ctrl-C is for sshfs, which unmounts */
	(void)signal(SIGINT, SIG_IGN);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, -errno, "wait for sshfs");
	return status == 0 ? 0 : err_kind(err, ERR_INTERNAL, "sshfs failed");
}

static int mount_at(struct cli *cli, const char *url, const struct file_place *place,
		    const char *target, struct err *err)
{
	struct fdlink *link;
	int ends[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, -errno, "make a socket pair");
	r = file_connect(cli, url, ends[1], ends[1], &link, err);
	(void)close(ends[1]);
	if (r < 0) {
		(void)close(ends[0]);
		return r;
	}
	cli_say(cli, "Mounting %s on %s; Ctrl-C or \"fusermount -u\" ends it.", place->path,
		target);
	r = run_sshfs(place->instance, place->path, target, ends[0], err);
	(void)fdlink_free(link);
	return r;
}

static int speak_sftp(struct cli *cli, const char *url, struct err *err)
{
	struct fdlink *link;
	int r = file_connect(cli, url, STDIN_FILENO, STDOUT_FILENO, &link, err);

	return r < 0 ? r : file_wait(link, err);
}

static int run_mount(struct cli *cli, const struct cli_args *args)
{
	const char *word = args->words[0], *target = args_word(args, 1);
	_cleanup_(freep) char *root = xasprintf("%s/", word);
	_cleanup_(freep) char *url = NULL;
	struct file_place place = { 0 };
	struct err err = { 0 };
	int r = file_place_parse(strchr(word, '/') ? word : root, &place, &err);

	if (r == 0 && !args_has(args, "stdio") == !target)
		r = err_kind(&err, ERR_INVALID, "give either a directory or --stdio");
	if (r < 0) {
		file_place_done(&place);
		return cli_usage(args, &err);
	}
	url = client_path("/1.0/instances/%s/sftp", place.instance);
	r = target ? mount_at(cli, url, &place, target, &err) : speak_sftp(cli, url, &err);
	file_place_done(&place);
	if (r < 0)
		return cli_fail_hint(cli, word, "mount", &err, r == -ENOENT ? no_sshfs : NULL);
	return CLI_OK;
}

const struct cli_command cmd_file_mount = {
	.path = "file mount",
	.usage = "NAME[/PATH] DIRECTORY",
	.summary = "Mount files of an instance on a directory of this host",
	.text = "Needs sshfs. Anything that speaks SFTP can use --stdio instead of DIRECTORY:\n"
		"sftp -D \"sysctr file mount web1 --stdio\"",
	.example = "sysctr file mount web1/srv /mnt",
	.options = { mount_options },
	.min_words = 1,
	.max_words = 2,
	.hints = { HINT_INSTANCE, HINT_FILE },
	.run = run_mount,
};
