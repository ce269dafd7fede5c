/*
 * network/port.h - who holds a UDP or TCP port of the host
 *
 * Layer network. Reads /proc; walks all processes, so it is for failures only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/vec.h"

struct net_port_holder {
	pid_t pid; /* 0: not found, a process of another namespace or the kernel */
	char name[32];
};

struct net_inodes {
	VEC(uint64_t) list;
};

/*
 * Pure: add the sockets of a text in the form of /proc/net/udp (tcp, udp6, tcp6) that are bound to
 * @port on any address or on @addr4 (host order), listening in the case of TCP.
 */
void net_port_parse(const char *text, uint16_t port, uint32_t addr4, struct net_inodes *inodes);

/* Returns: whether somebody holds @port on any address or on @addr4; then *@ret_holder is set. */
bool net_port_find_holder(uint16_t port, uint32_t addr4, struct net_port_holder *ret_holder);
