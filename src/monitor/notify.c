/* monitor/notify.c - see notify.h */
#include "monitor/notify.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/fd.h"

enum {
	MESSAGES_AT_ONCE = 16
};

void notify_init(struct notify *notify, struct loop *loop, void (*ready)(void *), void *data)
{
	*notify = (struct notify){ .loop = loop, .fd = -EBADF, .ready = ready, .data = data };
	source_init(&notify->source);
}

int notify_socket(int *ret_fd)
{
	_cleanup_(fd_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

bool notify_says_ready(const char *text, size_t len)
{
	static const char wanted[] = "READY=1";
	const char *end = text + len;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line = (size_t)((newline ? newline : end) - text);

		if (line == sizeof(wanted) - 1 && memcmp(text, wanted, line) == 0)
			return true;
		text += line + 1;
	}
	return false;
}

/* Returns: 1 when it was init's READY=1, 0 for anything else, -errno when there is nothing. */
static int take_message(struct notify *notify)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * 16)];
	} control;
	char text[2048];
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(notify->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	bool from_init = false;

	if (n < 0)
		return -errno;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		struct ucred cred;
		int fd;

		if (cmsg->cmsg_level != SOL_SOCKET)
			continue;
		if (cmsg->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&cred, CMSG_DATA(cmsg), sizeof(cred));
			from_init = cred.pid == notify->init_pid;
		}
		if (cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		/* Nobody asked for descriptors (FDSTORE=1, BARRIER=1). */
		for (size_t at = CMSG_LEN(0); at + sizeof(fd) <= cmsg->cmsg_len; at += sizeof(fd)) {
			memcpy(&fd, (char *)cmsg + at, sizeof(fd));
			(void)fd_close(fd);
		}
	}
	return from_init && notify_says_ready(text, (size_t)n);
}

static void on_message(struct source *source, uint32_t events)
{
	struct notify *notify = container_of(source, struct notify, source);

	(void)events; /* readable is all it can be */
	for (int i = 0; i < MESSAGES_AT_ONCE; i++) {
		int r = take_message(notify);

		if (r < 0)
			return;
		if (r == 0)
			continue;
		notify_stop(notify); /* nothing else is of interest in this life */
		notify->ready(notify->data);
		return;
	}
}

int notify_start(struct notify *notify, int fd, pid_t init_pid)
{
	notify_stop(notify);
	notify->fd = fd;
	notify->init_pid = init_pid;
	return loop_add(notify->loop, &notify->source, fd, EPOLLIN, on_message);
}

void notify_stop(struct notify *notify)
{
	loop_remove(notify->loop, &notify->source);
	notify->fd = fd_close(notify->fd);
}
