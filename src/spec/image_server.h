/* spec/image_server.h - where an image server may be (spec, pure) */
#pragma once

#include "base/err.h"

/*
 * An https:// URL without query, user or escapes of the shell's kind; http:// for this host itself
 * only. Errors: ERR_INVALID.
 */
int image_server_check(const char *url, struct err *err);
