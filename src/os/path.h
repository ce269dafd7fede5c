/*
 * os/path.h - paths below a directory that somebody else controls, resolved by openat2(2)
 *
 * Layer: os. Any process. Nothing here ever resolves a name of a container or an image outside of
 * the directory descriptor it was given.
 *
 *   T1  "plain" means: no component may be a symbolic link or a magic link.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* openat2 as it is; @resolve: RESOLVE_*. Retries -EAGAIN. Returns: descriptor or -errno. */
int path_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/*
 * Open @path below @dir_fd without following any link (T1); O_CLOEXEC is added.
 * Errors: -ELOOP when a component is a link, -EXDEV when it leads outside.
 */
int path_open_plain(int dir_fd, const char *path, int flags, mode_t mode);

/* Open @path as a process chrooted to @root_fd would; links are followed inside of it. */
int path_open_in_root(int root_fd, const char *path, int flags, mode_t mode);

/*
 * Make the directory @path below @root_fd with its parents, unless it is there.
 * Returns: O_PATH descriptor, or -errno: -ELOOP for links (T1), -ENOTDIR.
 */
int path_make_dir(int root_fd, const char *path, mode_t mode);

/* As path_make_dir(), but the last component is a regular file; also for existing nodes. */
int path_make_file(int root_fd, const char *path, mode_t mode);

/* Relative, not empty, no "." or "..", no empty component, at most PATH_MAX. Pure. */
bool path_is_plain(const char *path);

/* Text a link in the directory gives, NUL-terminated into @out. Returns: length or -errno. */
ssize_t path_read_link(int dir_fd, const char *path, char *out, size_t size);
