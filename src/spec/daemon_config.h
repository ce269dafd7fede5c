/*
 * spec/daemon_config.h - sysctrd.yaml as a struct (spec, pure)
 *
 * name: sysctr / defaults: true / network: { bridge, ipv4, ipv6 } /
 * storage: { driver, source, reserve, wait } / idmap: { base, size } /
 * images: { alpine_mirror, debian_mirror } / lxcfs / log: { level }
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "spec/key.h"

/* Strings are owned and never NULL once initialised. */
struct daemon_config {
	char *name;    /* the tag of this daemon */
	bool defaults; /* make pool, network and profile at the first start */
	char *network_bridge;
	char *network_ipv4; /* "auto", "none" or CIDR */
	char *network_ipv6;
	char *storage_driver; /* "auto" or a driver's name */
	char *storage_source; /* "" or a directory */
	uint64_t storage_reserve_bytes;
	uint32_t storage_wait_s;
	uint32_t idmap_base;
	uint32_t idmap_size;
	char *alpine_mirror; /* "" or URL */
	char *debian_mirror;
	bool lxcfs; /* use it when it is installed */
	enum log_level log_level;
};

/* For the manual; nested keys are joined by a dot. */
extern const struct key_table daemon_keys;

/* Fill in the defaults. */
void daemon_config_init(struct daemon_config *config);
void daemon_config_done(struct daemon_config *config);

/*
 * Take over what the text sets; *@config is initialised.
 * Errors: ERR_INVALID naming key and value, "did you mean" for unknown keys; *@config may then be
 * half changed.
 */
int daemon_config_parse(struct daemon_config *config, const char *text, size_t len,
			struct err *err);
