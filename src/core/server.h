/* core/server.h - what there is to say of, and to set on, the daemon and its host (core) */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"

struct core;

/* Set each pair, an empty value unsets; user.* only. Errors: ERR_UNSUPPORTED for other keys. */
int server_set_config(struct core *core, const struct strmap *config, struct err *err);

/* NAME, VERSION_ID ... of os-release(5), unquoted; empty when there is none. */
void server_read_os(struct strmap *ret_os);

uint64_t server_memory_used_bytes(const struct core *core);

/* Names, NULL-terminated, best first. */
const char *const *server_storage_drivers(void);
