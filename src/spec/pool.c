/* spec/pool.c - see pool.h */
#include "spec/pool.h"

#include <stdlib.h>

#include "base/macro.h"
#include "base/mem.h"
#include "spec/names.h"

#define ELSEWHERE(key, words)                                      \
	{                                                          \
		.name = key, .flags = KEY_ELSEWHERE, .help = words \
	}

static const struct key_row rows[] = {
	{
		.name = "source",
		.rule = { .type = VALUE_PATH },
		.initial = "pools/NAME in the state directory",
		.help = "directory that holds the volumes",
	},
	{
		.name = "user.",
		.rule = { .type = VALUE_TEXT },
		.help = "free keys of the user",
	},
	{
		.name = "volatile.",
		.rule = { .type = VALUE_STRING },
		.role = KEY_ROLE_ADMIN,
		.help = "what the daemon notes for itself",
	},
	ELSEWHERE("btrfs.", "btrfs pools"),
	ELSEWHERE("ceph.", "Ceph"),
	ELSEWHERE("cephfs.", "Ceph"),
	ELSEWHERE("lvm.", "LVM pools"),
	ELSEWHERE("rsync.", "copies between servers"),
	ELSEWHERE("size", "pools in a loop file"),
	ELSEWHERE("source.wipe", "block devices as source"),
	ELSEWHERE("volume.", "defaults for volumes"),
	ELSEWHERE("zfs.", "ZFS pools"),
};

const struct key_table pool_keys = {
	.what = "storage pool key",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
};

struct pool_record *pool_record_new(const char *name)
{
	struct pool_record *record = xcalloc(1, sizeof(*record));

	record->name = xstrdup(name);
	return record;
}

struct pool_record *pool_record_copy(const struct pool_record *src)
{
	struct pool_record *copy = pool_record_new(src->name);

	copy->id = src->id;
	copy->driver = xstrdup(src->driver);
	copy->description = xstrdup(src->description);
	copy->status = xstrdup(src->status);
	strmap_merge(&copy->config, &src->config);
	return copy;
}

void pool_record_free(struct pool_record *record)
{
	if (!record)
		return;
	free(record->name);
	free(record->driver);
	free(record->description);
	free(record->status);
	strmap_done(&record->config);
	free(record);
}

void pool_record_freep(struct pool_record **record)
{
	pool_record_free(*record);
	*record = NULL;
}

int pool_record_validate(const struct pool_record *record, struct err *err)
{
	int r = name_validate(NAME_POOL, record->name, err);

	if (r < 0)
		return r;
	r = key_check_all(&pool_keys, &record->config, err);
	if (r < 0)
		(void)err_wrap(err, "storage pool \"%s\"", record->name);
	return r;
}
