/* base/uuid.h - random identifiers from getrandom(2) */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	UUID_LEN = 36 + 1,
	SECRET_LEN = 64 + 1
};

/* RFC 9562 version 4, lower case with hyphens. Returns @out. */
const char *uuid_new(char out[UUID_LEN]);

/* As uuid_new() writes them, of any version. NULL is none. */
bool uuid_is_valid(const char *text);

/* 256 random bits in hex, for WebSocket secrets. Returns @out. */
const char *uuid_new_secret(char out[SECRET_LEN]);

void random_bytes(void *out, size_t len);

/* Lower-case hex of @len bytes; @out has room for 2 * len + 1. Returns @out. */
const char *hex_encode(const void *bytes, size_t len, char *out);
