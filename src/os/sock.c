/* os/sock.c - see sock.h */
#include "os/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/fd.h"

int sock_pair(int ret_fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0 ? -errno : 0;
}

static int address_at(int dir_fd, const char *name, struct sockaddr_un *ret_addr)
{
	int n;

	*ret_addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(ret_addr->sun_path, sizeof(ret_addr->sun_path), "/proc/self/fd/%d/%s", dir_fd,
		     name);
	return (size_t)n < sizeof(ret_addr->sun_path) ? 0 : -ENAMETOOLONG;
}

int sock_bind_at(int fd, int dir_fd, const char *name, mode_t mode)
{
	struct sockaddr_un addr;
	int r = address_at(dir_fd, name, &addr);

	if (r < 0)
		return r;
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return fchmodat(dir_fd, name, mode, 0) < 0 ? -errno : 0;
}

int sock_listen_at(int dir_fd, const char *name, int type, mode_t mode)
{
	_cleanup_(fd_closep) int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = sock_bind_at(fd, dir_fd, name, mode);
	if (r < 0)
		return r;
	return listen(fd, SOMAXCONN) < 0 ? -errno : TAKE_FD(fd);
}

int sock_connect_at(int dir_fd, const char *name, int type)
{
	_cleanup_(fd_closep) int fd = -EBADF;
	struct sockaddr_un addr;
	int r = address_at(dir_fd, name, &addr);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int sock_accept(int listen_fd)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int sock_send(int fd, const struct iovec *iov, size_t n_iov, const int *fds, size_t n_fds)
{
	union {
		struct cmsghdr header; /* for its alignment */
		char bytes[CMSG_SPACE(sizeof(int) * SOCK_FDS_MAX)];
	} control = { 0 };
	struct msghdr msg = { .msg_iov = (struct iovec *)iov, .msg_iovlen = n_iov };
	ssize_t n;

	if (n_fds > SOCK_FDS_MAX)
		return -EINVAL;
	if (n_fds > 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * n_fds);
	}
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Collect the descriptors of @msg, closing those beyond @max_fds. */
static size_t take_fds(struct msghdr *msg, int *ret_fds, size_t max_fds)
{
	size_t taken = 0;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t n;

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
			if (taken < max_fds)
				ret_fds[taken++] = fd;
			else
				(void)fd_close(fd);
		}
	}
	return taken;
}

ssize_t sock_recv(int fd, void *bytes, size_t size, int *ret_fds, size_t max_fds, size_t *ret_n_fds)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * SOCK_FDS_MAX)];
	} control;
	struct iovec iov = { .iov_base = bytes, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;
	int reset = 0;
	size_t n_fds;

	/*
	 * A peer that closed with something of ours unread makes one receive fail with ECONNRESET,
	 * before what it sent last is delivered: its last words count.
	 */
	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && (errno == EINTR || (errno == ECONNRESET && !reset++)));
	if (n < 0)
		return -errno;
	n_fds = take_fds(&msg, ret_fds, max_fds);
	if (msg.msg_flags & MSG_TRUNC) {
		for (size_t i = 0; i < n_fds; i++)
			(void)fd_close(ret_fds[i]);
		return -EMSGSIZE;
	}
	if (ret_n_fds)
		*ret_n_fds = n_fds;
	return n;
}

int sock_get_peer(int fd, struct sock_peer *ret_peer)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	*ret_peer = (struct sock_peer){ .pid = cred.pid, .uid = cred.uid, .gid = cred.gid };
	return 0;
}
