/*
 * spec/proxy.h - addresses of proxy devices: "tcp:0.0.0.0:80-90,443", "udp:[::1]:53", "unix:/run/x"
 *
 * Pure. Sysctrd checks with it, the monitor binds and connects with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/strmap.h"
#include "spec/key.h"

enum {
	PROXY_PORTS_MAX = 256, /* of one device */
	PROXY_PATH_LEN = 108,
	PROXY_ROWS = 12
};

enum proxy_kind {
	PROXY_TCP,
	PROXY_UDP,
	PROXY_UNIX,
	PROXY_KIND_MAX
};

struct proxy_addr {
	enum proxy_kind kind;
	struct sockaddr_storage ip; /* without port; PROXY_TCP and _UDP */
	uint16_t ports[PROXY_PORTS_MAX];
	uint32_t n_ports;	   /* 1 for PROXY_UNIX, whose port counts for nothing */
	char path[PROXY_PATH_LEN]; /* absolute, or "@name" for an abstract one */
};

/* Errors: ERR_INVALID with what would be right. */
int proxy_addr_parse(const char *text, struct proxy_addr *ret_addr, struct err *err);

/* Fill *@ret_sockaddr with the address and its port number @index. Returns: its length. */
socklen_t proxy_addr_fill(const struct proxy_addr *addr, uint32_t index,
			  struct sockaddr_storage *ret_sockaddr);

/* 0.0.0.0 or [::]. Not for PROXY_UNIX. */
bool proxy_addr_is_any(const struct proxy_addr *addr);

/* A proxy device that the kernel does alone: rules instead of a process. */
bool proxy_is_nat(const struct strmap *device);

extern const struct key_row proxy_rows[PROXY_ROWS];

/* The whole device. Errors: as of device_validate(). */
int proxy_check(const struct strmap *device, struct err *err);
