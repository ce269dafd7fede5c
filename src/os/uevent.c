/* os/uevent.c - see uevent.h */
#include "os/uevent.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "os/fd.h"

enum {
	KERNEL_GROUP = 1, /* udev tells on the second */
	EVENT_MAX = 8192,
	EVENTS_PER_READ = 64,
	RCVBUF_BYTES = 1 << 20
};

int uevent_open(void)
{
	const struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	int size = RCVBUF_BYTES;
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int r = -errno;

		(void)fd_close(fd);
		return r;
	}
	return fd;
}

/* "add@/devices/..." and then NAME=VALUE, each with its NUL. */
static bool has_node(const char *text, size_t len)
{
	for (const char *at = text; at < text + len; at += strlen(at) + 1)
		if (str_after(at, "DEVNAME="))
			return true;
	return false;
}

int uevent_read(int fd)
{
	char text[EVENT_MAX + 1];
	bool found = false;

	for (int i = 0; i < EVENTS_PER_READ; i++) {
		struct sockaddr_nl from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(fd, text, EVENT_MAX, 0, (struct sockaddr *)&from, &from_len);

		if (n < 0 && errno == ENOBUFS)
			found = true;
		if (n < 0 && (errno == ENOBUFS || errno == EINTR))
			continue;
		if (n < 0)
			return errno == EAGAIN ? found : -errno;
		text[n] = '\0';
		/* UE1: the kernel has no address. */
		if (from_len == sizeof(from) && from.nl_pid == 0 && from.nl_groups == KERNEL_GROUP)
			found = found || has_node(text, (size_t)n);
	}
	return found;
}
