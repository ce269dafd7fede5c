/*
 * cli/detach.h - the keys that leave a console: ctrl-a q (cli, sysctr; pure)
 *
 * The prefix is one control character. Typed twice it is sent once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct detach {
	char prefix;	  /* 0: nothing leaves */
	bool prefix_seen; /* it was the last key */
	bool wanted;	  /* q followed it */
};

/* "ctrl-a", "^a" or "none". Errors: ERR_INVALID. */
int detach_parse(const char *text, struct detach *ret_detach, struct err *err);

/* Take the keys out of what was typed. Returns: bytes left. */
size_t detach_filter(struct detach *detach, char *bytes, size_t len);
