/* os/netlink_priv.h - inside of os/netlink: how its files ask the kernel */
#pragma once

#include <linux/rtnetlink.h>
#include <stdint.h>

#include "base/err.h"
#include "os/nlmsg.h"

struct netlink;

/* Begin a request in the socket's own buffer; @fixed: the type's struct that comes first. */
void netlink_begin(struct netlink *nl, struct nlmsg *msg, uint16_t type, uint16_t flags,
		   const void *fixed, size_t fixed_len);

/* Ask for an acknowledgement. @what and @name are for the error: "change link" "eth0". */
int netlink_request(struct netlink *nl, struct nlmsg *msg, const char *what, const char *name,
		    struct err *err);

/* The same, with @fn (NULL: nobody) for each message that the kernel answers. */
int netlink_ask(struct netlink *nl, struct nlmsg *msg,
		int (*fn)(void *data, const struct nlmsghdr *header), void *data);
