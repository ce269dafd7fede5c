/*
 * spec/key.h - tables of configuration keys and device options, and how they are searched; pure
 *
 * One row is one key or, when its name ends with '.', a family of keys. The row alone gives
 * validation, completion, GET /1.0/metadata/configuration and the manual.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strmap.h"
#include "spec/value.h"

enum key_role {
	KEY_ROLE_USER,	/* whoever may edit the object */
	KEY_ROLE_ADMIN, /* reaches the host: only who is root there anyway */
	KEY_ROLE_MAX
};

enum key_flag {
	KEY_LIVE = 1 << 0,	 /* takes effect without a restart */
	KEY_ELSEWHERE = 1 << 1,	 /* other managers have it, this one does not act on it: refused */
	KEY_REQUIRED = 1 << 2,	 /* device options */
	KEY_UNPORTABLE = 1 << 3, /* LXD 5.0.2 or Incus 6.0.4 do not know it: spec/portable.h */
};

struct key_row {
	const char *name; /* "limits.cpu"; "user." is a family */
	struct value_rule rule;
	unsigned int flags; /* enum key_flag */
	enum key_role role;
	const char *initial; /* the default in words or as value; NULL: unset */
	const char *help;    /* one line */
	/* Extra check after the rule; NULL: none. Errors as value_check(). */
	int (*check)(const char *key, const char *value, struct err *err);
};

struct key_table {
	const char *what; /* "instance key", for messages */
	const struct key_row *rows;
	size_t n_rows;
};

/* The row of @key: its own, else that of its longest family; NULL for none. */
const struct key_row *key_find(const struct key_table *table, const char *key);

/*
 * Check one pair. An empty value is fine: it means unset.
 * Errors: ERR_INVALID naming key, value and what is right, or "did you mean"; ERR_UNSUPPORTED for
 * keys known elsewhere.
 */
int key_check(const struct key_table *table, const char *key, const char *value, struct err *err);
int key_check_all(const struct key_table *table, const struct strmap *config, struct err *err);
