/*
 * files/sftp_priv.h - what sftp.c (stream, handles) and sftp_paths.c (requests with paths) share
 *
 * Layer: files. Each request answers exactly once.
 */
#pragma once

#include <dirent.h>
#include <stdbool.h>

#include "files/sftp.h"
#include "files/sftp_packet.h"

struct sftp_handle {
	int fd;	  /* -EBADF: free */
	DIR *dir; /* of a directory; owns fd */
	bool append;
};

struct sftp {
	int root_fd;
	int in_fd, out_fd;
	uint32_t id; /* of the request */
	struct buf in, out;
	struct sftp_handle handles[SFTP_HANDLES_MAX];
};

/* Answers. @error: 0 or -errno. */
void sftp_status(struct sftp *sftp, int error);
void sftp_status_code(struct sftp *sftp, enum sftp_code code, const char *text);
void sftp_attrs_reply(struct sftp *sftp, const struct stat *st);
void sftp_new_handle(struct sftp *sftp, int fd, DIR *dir, bool append); /* takes them */

/*
 * Give a file its attributes. @fd: O_PATH will do; @data_fd: an open file or directory for what
 * needs one (size, mode), -EBADF: none. Returns: 0 or -errno.
 */
int sftp_apply(int fd, int data_fd, const struct sftp_attrs *attrs);

void sftp_on_open(struct sftp *sftp, struct sftp_in *in);
void sftp_on_opendir(struct sftp *sftp, struct sftp_in *in);
void sftp_on_lstat(struct sftp *sftp, struct sftp_in *in);
void sftp_on_stat(struct sftp *sftp, struct sftp_in *in);
void sftp_on_setstat(struct sftp *sftp, struct sftp_in *in);
void sftp_on_remove(struct sftp *sftp, struct sftp_in *in);
void sftp_on_mkdir(struct sftp *sftp, struct sftp_in *in);
void sftp_on_rmdir(struct sftp *sftp, struct sftp_in *in);
void sftp_on_realpath(struct sftp *sftp, struct sftp_in *in);
void sftp_on_rename(struct sftp *sftp, struct sftp_in *in);
void sftp_on_readlink(struct sftp *sftp, struct sftp_in *in);
void sftp_on_symlink(struct sftp *sftp, struct sftp_in *in);
void sftp_on_posix_rename(struct sftp *sftp, struct sftp_in *in);
void sftp_on_statvfs(struct sftp *sftp, struct sftp_in *in);
void sftp_on_hardlink(struct sftp *sftp, struct sftp_in *in);
