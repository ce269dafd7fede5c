/*
 * files/place.h - paths of an instance, resolved inside its root whatever the guest does meanwhile
 *
 * Layer: files. Process: sysctr-exec. A path may be relative ("" is the root); links lead to where
 * they lead for a process inside. Everything is done on descriptors that openat2(RESOLVE_IN_ROOT)
 * gave, so that a component exchanged for a link leads nowhere else. Plain functions.
 */
#pragma once

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"

/* Open; O_CLOEXEC, O_NONBLOCK and O_NOCTTY are added: nothing of the guest's is waited for. */
int place_open(int root_fd, const char *path, int flags, mode_t mode);

/* As place_open(), and only a regular file. Errors: -EISDIR, -EINVAL for what is neither. */
int place_open_regular(int root_fd, const char *path, int flags, mode_t mode,
		       struct stat *ret_stat);

/*
 * The directory that holds the last component of @path, and that component.
 * Errors: -EISDIR when there is none ("/", "..").
 */
int place_parent(int root_fd, const char *path, char ret_name[NAME_MAX + 1]);

int place_lstat(int root_fd, const char *path, struct stat *ret_stat);

/* The text of a link, at most PATH_MAX with its NUL. */
int place_read_link(int root_fd, const char *path, char ret_target[PATH_MAX]);

struct place_owner {
	uid_t uid;
	gid_t gid;
};

/* Make the directory and all that is missing above it. Returns: O_PATH descriptor. */
int place_make_dirs(int root_fd, const char *path, const struct place_owner *owner, mode_t mode);

/* "not found" is what clients act on: ERR_NOT_FOUND for -ENOENT and -ENOTDIR. */
int place_err(struct err *err, int code, const char *path);

/* "is a FIFO": why a file of @mode is not copied. */
const char *place_kind(mode_t mode);
