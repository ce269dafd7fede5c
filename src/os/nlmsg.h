/*
 * os/nlmsg.h - build one netlink message in a given buffer
 *
 * Layer os; pure. The first thing that does not fit makes the message bad for good, so a builder is
 * checked once, at its end. The length of an attribute has 16 bits: what needs more is refused, for
 * nested ones too, instead of wrapping.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;
struct nlattr;

struct nlmsg {
	struct nlmsghdr *header;
	size_t size; /* of the buffer */
	int error;   /* 0 or -EMSGSIZE */
};

/* @buffer: at least 64 bytes, aligned for a header; @fixed_len bytes of *@fixed come first. */
void nlmsg_init(struct nlmsg *msg, void *buffer, size_t size, uint16_t type, uint16_t flags,
		const void *fixed, size_t fixed_len);

void nlmsg_put(struct nlmsg *msg, uint16_t type, const void *bytes, size_t len);
void nlmsg_put_u8(struct nlmsg *msg, uint16_t type, uint8_t value);
void nlmsg_put_u32(struct nlmsg *msg, uint16_t type, uint32_t value);
void nlmsg_put_str(struct nlmsg *msg, uint16_t type, const char *value);

/* Append bytes that are no attribute (a nested ifinfomsg). */
void nlmsg_put_raw(struct nlmsg *msg, const void *bytes, size_t len);

/* What is put until nlmsg_end() is inside of it. Returns: what nlmsg_end() takes. */
size_t nlmsg_begin(struct nlmsg *msg, uint16_t type);
void nlmsg_end(struct nlmsg *msg, size_t start);
