/*
 * os/fd.h - descriptors: scoped closing, whole reads and writes, sealed memory files
 *
 * Layer: os. Any process. Blocks as the descriptor does. A descriptor made here is close-on-exec.
 */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"

/* Close unless negative, keeping errno. Returns: -EBADF, so that "fd = fd_close(fd)" unsets it. */
int fd_close(int fd);

/* For _cleanup_(fd_closep) int fd = -EBADF. */
void fd_closep(int *fd);

/* For _cleanup_(fd_closedirp) DIR *dir = NULL. */
void fd_closedirp(DIR **dir);

/* A close-on-exec copy numbered @min or above. Returns: it, or -errno. */
int fd_copy(int fd, int min);

int fd_set_nonblock(int fd);
int fd_set_cloexec(int fd, bool cloexec);

/* Mark every descriptor from @first on close-on-exec. */
int fd_cloexec_from(int first);

/* Close every descriptor from @first on. */
int fd_close_from(int first);

/* The same without the @n of @keep, which is sorted here. */
int fd_close_all_but(int first, int *keep, size_t n);

/* Both ends close-on-exec. */
int fd_pipe(int ret_fds[2]);

/*
 * Append what is left to read to *@out.
 * Errors: -EFBIG when more than @max_bytes come.
 */
int fd_read_all(int fd, size_t max_bytes, struct buf *out);

/* Write everything, resuming after short writes and EINTR. */
int fd_write_all(int fd, const void *bytes, size_t len);

/* A memory file that nobody can change any more, at offset 0. Returns: descriptor or -errno. */
int fd_memfd_new(const char *name, const void *bytes, size_t len);

/*
 * The content of a memory file from another process, from its beginning.
 * Errors: -EPERM when it is not sealed against change, -EFBIG over @max_bytes.
 */
int fd_memfd_read(int fd, size_t max_bytes, struct buf *out);

/* Write @text to the existing file @path (cgroup, proc and sys files), in one write(2). */
int fd_write_file_at(int dir_fd, const char *path, const char *text);

/*
 * At most @size - 1 bytes of the small file @path into @out, NUL-terminated, last newline dropped.
 * Returns: length, or -errno.
 */
ssize_t fd_read_file_at(int dir_fd, const char *path, char *out, size_t size);

/* Replace @name in @dir_fd by a file with this content: readers see the old or the new one. */
int fd_replace_file_at(int dir_fd, const char *name, const char *text, mode_t mode);

/* The same; it survives a power cut from then on. @dir_fd: not O_PATH. Blocks on the disk. */
int fd_replace_file_durably_at(int dir_fd, const char *name, const char *text, mode_t mode);
