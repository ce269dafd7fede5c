/*
 * spec/value.h - what values of configuration keys and device options look like; pure
 *
 * A rule is part of a table's row. A value with NUL, CR or newline never passes a rule whose type
 * is not VALUE_TEXT: values end up in generated configurations.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum value_type {
	VALUE_STRING, /* one line */
	VALUE_TEXT,   /* any text */
	VALUE_BOOL,
	VALUE_INT,	   /* min..max */
	VALUE_SIZE,	   /* "512MiB" */
	VALUE_SIZE_OR_PCT, /* or "50%" */
	VALUE_BOOL_OR_SIZE,
	VALUE_ENUM,	   /* words, separated by '|' */
	VALUE_CPUS,	   /* "2" or "0-3,6" */
	VALUE_ALLOWANCE,   /* "50%" or "25ms/100ms" */
	VALUE_PATH,	   /* absolute, without ".." */
	VALUE_NAME,	   /* min: enum name_kind */
	VALUE_IFNAME,	   /* interface name, 15 */
	VALUE_HWADDR,	   /* "00:16:3e:xx:xx:xx", unicast */
	VALUE_IPV4,	   /* address or "none" */
	VALUE_IPV6,	   /* the same */
	VALUE_IPV4_CIDR,   /* address/prefix, "auto" or "none" */
	VALUE_IPV6_CIDR,   /* the same */
	VALUE_IPV4_RANGES, /* "10.0.0.2-10.0.0.99,..." */
	VALUE_DOMAIN,	   /* DNS name */
	VALUE_EXPIRY,	   /* dnsmasq's lease time: "1h", "45m", "3600", "infinite" */
	VALUE_TYPE_MAX
};

struct value_rule {
	enum value_type type;
	int64_t min;
	int64_t max; /* 0: no upper bound */
	const char *words;
};

/* Errors: ERR_INVALID with what would be right: "must be true or false"; the caller wraps it. */
int value_check(const struct value_rule *rule, const char *value, struct err *err);

/* "bool", "integer", ...: for documentation. */
const char *value_type_name(enum value_type type);
