/* os/nlmsg.c - see nlmsg.h */
#include "os/nlmsg.h"

#include <assert.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>

/* Zeroed room for @len bytes at the end, or NULL. */
static void *reserve(struct nlmsg *msg, size_t len)
{
	size_t at = MNL_ALIGN(msg->header->nlmsg_len);
	char *room = (char *)msg->header + at;

	if (msg->error < 0 || len > msg->size || MNL_ALIGN(len) > msg->size - at) {
		msg->error = -EMSGSIZE;
		return NULL;
	}
	memset(room, 0, MNL_ALIGN(len));
	msg->header->nlmsg_len = (uint32_t)(at + MNL_ALIGN(len));
	return room;
}

void nlmsg_init(struct nlmsg *msg, void *buffer, size_t size, uint16_t type, uint16_t flags,
		const void *fixed, size_t fixed_len)
{
	assert(size >= 64);
	*msg = (struct nlmsg){ .header = mnl_nlmsg_put_header(buffer), .size = size };
	msg->header->nlmsg_type = type;
	msg->header->nlmsg_flags = flags;
	nlmsg_put_raw(msg, fixed, fixed_len);
}

void nlmsg_put_raw(struct nlmsg *msg, const void *bytes, size_t len)
{
	void *room = reserve(msg, len);

	if (room && len > 0)
		memcpy(room, bytes, len);
}

void nlmsg_put(struct nlmsg *msg, uint16_t type, const void *bytes, size_t len)
{
	struct nlattr *attr;

	if (len > UINT16_MAX - MNL_ATTR_HDRLEN) {
		msg->error = -EMSGSIZE;
		return;
	}
	attr = reserve(msg, MNL_ATTR_HDRLEN + len);
	if (!attr)
		return;
	attr->nla_type = type;
	attr->nla_len = (uint16_t)(MNL_ATTR_HDRLEN + len);
	if (len > 0)
		memcpy((char *)attr + MNL_ATTR_HDRLEN, bytes, len);
}

void nlmsg_put_u8(struct nlmsg *msg, uint16_t type, uint8_t value)
{
	nlmsg_put(msg, type, &value, sizeof(value));
}

void nlmsg_put_u32(struct nlmsg *msg, uint16_t type, uint32_t value)
{
	nlmsg_put(msg, type, &value, sizeof(value));
}

void nlmsg_put_str(struct nlmsg *msg, uint16_t type, const char *value)
{
	nlmsg_put(msg, type, value, strlen(value) + 1);
}

size_t nlmsg_begin(struct nlmsg *msg, uint16_t type)
{
	size_t start = MNL_ALIGN(msg->header->nlmsg_len);

	nlmsg_put(msg, type | NLA_F_NESTED, NULL, 0);
	return start;
}

void nlmsg_end(struct nlmsg *msg, size_t start)
{
	struct nlattr *attr = (struct nlattr *)((char *)msg->header + start);
	size_t len = msg->header->nlmsg_len - start;

	if (msg->error < 0)
		return;
	if (len > UINT16_MAX)
		msg->error = -EMSGSIZE;
	else
		attr->nla_len = (uint16_t)len;
}
