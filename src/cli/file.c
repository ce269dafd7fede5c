/* cli/file.c - see file.h */
#include "cli/file.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "client/fdlink.h"
#include "spec/files.h"

int file_place_parse(const char *word, struct file_place *ret_place, struct err *err)
{
	const char *slash = strchr(word, '/');

	if (!slash || slash == word)
		return err_kind(err, ERR_INVALID,
				"\"%.200s\" names no file of an instance; write NAME/PATH", word);
	ret_place->instance = xstrndup(word, (size_t)(slash - word));
	ret_place->path = xstrdup(slash);
	return 0;
}

void file_place_done(struct file_place *place)
{
	freep(&place->instance);
	freep(&place->path);
}

static int read_id(const struct cli_args *args, const char *name, uint32_t *ret_id, struct err *err)
{
	int64_t number;
	int r = args_number(args, name, FILES_NO_ID, &number, err);

	if (r < 0)
		return r;
	if (number < 0 || number > UINT32_MAX)
		return err_kind(err, ERR_INVALID, "--%s: no id", name);
	*ret_id = (uint32_t)number;
	return 0;
}

int file_read_owner(const struct cli_args *args, struct file_owner *ret_owner, struct err *err)
{
	const char *mode = args_get(args, "mode");
	int r = read_id(args, "uid", &ret_owner->uid, err);

	if (r == 0)
		r = read_id(args, "gid", &ret_owner->gid, err);
	ret_owner->mode = FILES_NO_MODE;
	if (r == 0 && mode && parse_octal(mode, 07777, &ret_owner->mode) < 0)
		r = err_kind(err, ERR_INVALID, "--mode: \"%.64s\" is no octal mode", mode);
	return r;
}

char *file_url(const struct file_place *place)
{
	return client_path("/1.0/instances/%s/files?path=%s", place->instance, place->path);
}

int file_connect(struct cli *cli, const char *url, int in_fd, int out_fd, struct fdlink **ret_link,
		 struct err *err)
{
	int fds[] = { in_fd, out_fd };

	return fdlink_open(cli->client, url, fds, ARRAY_LEN(fds), ret_link, err);
}

/* Returns: 1 when that was the last line, else 0 or -errno. */
static int take_line(const char *line, struct err *err)
{
	const char *text = str_after(line, "error ");

	if (text)
		return err_kind(err, ERR_INTERNAL, "%s", text);
	return str_after(line, "exit ") ? 1 : 0;
}

int file_wait(struct fdlink *link, struct err *err)
{
	int r = 0, more = 0;

	while (r == 0) {
		struct pollfd wait = { .fd = fdlink_fd(link), .events = POLLIN };
		char *line;

		if (more != 0) {
			r = err_kind(err, ERR_INTERNAL, "the connection to sysctrd broke");
			break;
		}
		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			r = err_set(err, -errno, "wait for the file server");
		more = fdlink_process(link);
		while (r == 0 && (line = fdlink_line(link))) {
			r = take_line(line, err);
			free(line);
		}
	}
	(void)fdlink_free(link);
	return MIN(r, 0);
}

int file_fail(struct cli *cli, const char *word, const char *step, const struct err *err)
{
	_cleanup_(freep) char *object = xasprintf("file \"%s\"", word);

	return cli_fail(cli, object, step, err);
}
