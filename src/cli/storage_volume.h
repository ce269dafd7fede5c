/* cli/storage_volume.h - what the commands on storage volumes share (cli, sysctr) */
#pragma once

#include "cli/cli.h"
#include "cli/object.h"

/* The custom volumes of a pool, as a kind of object. */
struct volume_kind {
	struct object_kind kind;
	char *collection;
};
void volume_kind_init(struct volume_kind *ret_kind, const char *pool);
void volume_kind_done(struct volume_kind *kind);

/* "custom/v1" as "v1". Errors: ERR_INVALID for "container/c1" and the like. */
int volume_name(const char *word, const char **ret_name, struct err *err);
