/*
 * os/sock.h - local SEQPACKET sockets: addressed through a directory, datagrams with descriptors
 *
 * Layer: os. Any process. Blocks as the socket does; what is made here is close-on-exec.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum {
	SOCK_FDS_MAX = 240 /* descriptors with one message; the kernel takes 253 */
};

/* A connected SOCK_SEQPACKET pair. */
int sock_pair(int ret_fds[2]);

/* Bind @fd to the new socket file @name of @dir_fd; one that is there is replaced. */
int sock_bind_at(int fd, int dir_fd, const char *name, mode_t mode);

/*
 * Listen on the socket file @name (made anew, @mode) of the directory @dir_fd, through
 * /proc/self/fd, so that no path is too long. @type: SOCK_SEQPACKET, SOCK_STREAM.
 * Returns: non-blocking descriptor or -errno.
 */
int sock_listen_at(int dir_fd, const char *name, int type, mode_t mode);

/* Connect to @name of @dir_fd. Errors: -ECONNREFUSED and -ENOENT: nobody is there. */
int sock_connect_at(int dir_fd, const char *name, int type);

/* accept4, non-blocking. */
int sock_accept(int listen_fd);

/*
 * Send one datagram with descriptors (@n_fds may be 0). Never raises SIGPIPE.
 * Returns: 0 or -errno; -EAGAIN when a non-blocking socket is full.
 */
int sock_send(int fd, const struct iovec *iov, size_t n_iov, const int *fds, size_t n_fds);

/*
 * Receive one datagram.
 *
 * @ret_fds, @ret_n_fds: at most @max_fds descriptors, close-on-exec, the caller's to close; what
 * comes beyond is closed. Returns: length (0: end of file), or -errno; -EMSGSIZE when the datagram
 * was longer than @size (it is dropped with its descriptors).
 */
ssize_t sock_recv(int fd, void *bytes, size_t size, int *ret_fds, size_t max_fds,
		  size_t *ret_n_fds);

struct sock_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};
int sock_get_peer(int fd, struct sock_peer *ret_peer);
