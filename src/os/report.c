/* os/report.c - see report.h */
#include "os/report.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/macro.h"
#include "os/fd.h"
#include "os/sock.h"

int report_pair(int *ret_receiver_fd, int *ret_sender_fd)
{
	_cleanup_(fd_closep) int receiver_fd = -EBADF;
	_cleanup_(fd_closep) int sender_fd = -EBADF;
	int fds[2];
	int on = 1;
	int r = sock_pair(fds);

	if (r < 0)
		return r;
	receiver_fd = fds[0];
	sender_fd = fds[1];
	if (setsockopt(receiver_fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return -errno;
	r = fd_set_nonblock(receiver_fd);
	if (r < 0)
		return r;
	*ret_receiver_fd = TAKE_FD(receiver_fd);
	*ret_sender_fd = TAKE_FD(sender_fd);
	return 0;
}

static void take_control(const struct cmsghdr *cmsg, pid_t *sender, int *fd)
{
	struct ucred cred;

	if (cmsg->cmsg_level != SOL_SOCKET)
		return;
	if (cmsg->cmsg_type == SCM_CREDENTIALS && cmsg->cmsg_len >= CMSG_LEN(sizeof(cred))) {
		memcpy(&cred, CMSG_DATA(cmsg), sizeof(cred));
		*sender = cred.pid;
	}
	if (cmsg->cmsg_type == SCM_RIGHTS && cmsg->cmsg_len >= CMSG_LEN(sizeof(int)) && *fd < 0)
		memcpy(fd, CMSG_DATA(cmsg), sizeof(int));
}

ssize_t report_receive(int receiver_fd, void *bytes, size_t size, pid_t *ret_sender, int *ret_fd)
{
	union {
		struct cmsghdr header; /* for its alignment */
		/* room for one descriptor: the kernel closes what is beyond */
		char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = bytes, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	_cleanup_(fd_closep) int fd = -EBADF;
	pid_t sender = 0;
	ssize_t n;

	do
		n = recvmsg(receiver_fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		take_control(cmsg, &sender, &fd);
	if (msg.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	*ret_sender = sender;
	*ret_fd = TAKE_FD(fd);
	return n;
}
