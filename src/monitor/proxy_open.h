/*
 * monitor/proxy_open.h - the sockets a proxy device listens on, on the side where it listens
 *
 * Layer: monitor, in the process of a proxy device or one that it made.
 */
#pragma once

#include "base/err.h"
#include "spec/instance.h"
#include "spec/proxy.h"

/*
 * Make the sockets in the namespaces of the calling process; a socket file replaces one that is
 * there and gets owner and permissions. No component of its path may be a link.
 *
 * @ret_fds: addr->n_ports descriptors. Errors: ERR_CONFLICT for an address in use.
 */
int proxy_open_sockets(const struct spec_proxy *proxy, const struct proxy_addr *addr,
		       int ret_fds[PROXY_PORTS_MAX], struct err *err);

/* Remove the socket file of @addr, if it has one, in the namespaces of the calling process. */
void proxy_unlink(const struct proxy_addr *addr);

/* Become root of the container, in its user, mount and network namespaces. -EBADF: none of its own. */
int proxy_enter(int userns_fd, int mntns_fd, int netns_fd, struct err *err);
