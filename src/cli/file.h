/* cli/file.h - what the commands "file ..." share (cli, sysctr) */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "cli/cli.h"

struct fdlink;

/* "web1/etc/hosts": an instance and a path that begins with '/'. */
struct file_place {
	char *instance;
	char *path;
};

/* Errors: ERR_INVALID. */
int file_place_parse(const char *word, struct file_place *ret_place, struct err *err);
void file_place_done(struct file_place *place);

/* --uid, --gid, --mode; FILES_NO_ID and FILES_NO_MODE when they were not given. */
struct file_owner {
	uint32_t uid, gid, mode;
};
int file_read_owner(const struct cli_args *args, struct file_owner *ret_owner, struct err *err);

/* "/1.0/instances/<name>/files?path=<path>". Returns: new string. */
char *file_url(const struct file_place *place);

/*
 * Hand two descriptors (borrowed) to the file server that @url names, over "Upgrade: sysctr-fds".
 */
int file_connect(struct cli *cli, const char *url, int in_fd, int out_fd, struct fdlink **ret_link,
		 struct err *err);

/* Wait until the server has ended. Errors: what it says was wrong. Frees @link. */
int file_wait(struct fdlink *link, struct err *err);

/* "Error: file <word>: ..." Returns: exit status. */
int file_fail(struct cli *cli, const char *word, const char *step, const struct err *err);
