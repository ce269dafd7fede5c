/* core/server.h - what there is to say of, and to set on, the daemon and its host (core) */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"

struct core;

/* Set all pairs or none; an empty value unsets. Errors: as key_check(). */
int server_set_config(struct core *core, const struct strmap *config, struct err *err);

/* What was set, without what the daemon keeps for itself. */
void server_shown_config(const struct core *core, struct strmap *ret_config);

/* NAME, VERSION_ID ... of os-release(5), unquoted; empty when there is none. */
void server_read_os(struct strmap *ret_os);

uint64_t server_memory_used_bytes(const struct core *core);

/* Names, NULL-terminated, best first. */
const char *const *server_storage_drivers(void);
