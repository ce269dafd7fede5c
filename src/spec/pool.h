/* spec/pool.h - a storage pool (spec, pure) */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strmap.h"
#include "codec/wire.h"
#include "spec/key.h"

/* Strings are owned; free with pool_record_free(). */
struct pool_record {
	int64_t id; /* 0: not stored yet */
	char *name;
	char *driver; /* "overlay", "btrfs", "dir" */
	char *description;
	char *status;	      /* "Created", "Pending", "Unavailable" */
	char *quotas;	      /* "yes: how", "no: why"; NULL: not known yet. Not stored */
	bool reflinks;	      /* copies of files share their blocks. Not stored */
	struct strmap config; /* "source": its directory; unset, or "volatile.disk" is
				 set and mounted there: <state>/pools/<name> */
};

extern const struct key_table pool_keys;

struct pool_record *pool_record_new(const char *name);
struct pool_record *pool_record_copy(const struct pool_record *record);
void pool_record_free(struct pool_record *record);
void pool_record_freep(struct pool_record **record);

/* Name, keys, source. The driver is storage's business. */
int pool_record_validate(const struct pool_record *record, struct err *err);

/* What of it is kept outside of the database: name, driver, description and config. */
extern const struct wire_schema pool_record_schema;

/* Append that as YAML: the pool's side file. */
void pool_record_emit(const struct pool_record *record, struct buf *out);

/*
 * Fill the zeroed *@ret_record from it, to be freed with wire_free() also after a failure; nothing
 * in it is checked but its form. Errors: ERR_INVALID.
 */
int pool_record_parse(const void *text, size_t len, struct pool_record *ret_record,
		      struct err *err);
