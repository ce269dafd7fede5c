/* spec/network.h - a managed network and its keys (spec, pure) */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "spec/key.h"

/* Strings are owned; free with network_record_free(). */
struct network_record {
	int64_t id; /* 0: not stored yet */
	char *name; /* of the bridge too */
	char *type; /* "bridge" */
	char *description;
	bool managed;
	struct strmap config;
};

/* The keys of a managed bridge. */
extern const struct key_table network_keys;

struct network_record *network_record_new(const char *name);
struct network_record *network_record_copy(const struct network_record *record);
void network_record_free(struct network_record *record);
void network_record_freep(struct network_record **record);

/*
 * Name, type, keys and what spans several: DHCP ranges inside the subnet, DHCP without an address.
 * Errors: ERR_INVALID, ERR_UNSUPPORTED.
 */
int network_record_validate(const struct network_record *record, struct err *err);

/* A DHCP lease or reservation of a nic. */
struct lease_record {
	int64_t id;
	int64_t network_id;
	int64_t instance_id;
	char *device;
	char *hwaddr;
	char *ipv4; /* NULL: none */
	char *ipv6; /* NULL: none */
};

void lease_record_free(struct lease_record *record);
void lease_record_freep(struct lease_record **record);
