/* fetch/checksum.h - "sha256:<hex>" against a file; sysctr-fetch, blocks on the disk */
#pragma once

#include "base/err.h"

/* Errors: ERR_INVALID unless @checksum is sha256 or sha512 with the right number of hex digits. */
int checksum_validate(const char *checksum, struct err *err);

/*
 * Whether the content of @fd, from its beginning, has the valid @checksum.
 *
 * @ret_found: new string, what it has instead, in the same form; NULL when they agree.
 * Returns: 1 they agree, 0 they do not, -errno.
 */
int checksum_verify(int fd, const char *checksum, char **ret_found);
