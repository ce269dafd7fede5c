/* spec/pool.c - see pool.h */
#include "spec/pool.h"

#include <stdlib.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
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
		.help = "directory that holds the volumes; btrfs: or a block device",
	},
	{
		.name = "size",
		.rule = { .type = VALUE_SIZE },
		.initial = "a fifth of the free space, 1GiB to 30GiB",
		.help = "of the file that a btrfs pool without a source is in",
	},
	{
		.name = "source.wipe",
		.rule = { .type = VALUE_BOOL },
		.initial = "false",
		.help = "make a btrfs on the block device whatever is on it",
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
	copy->quotas = xstrdup(src->quotas);
	copy->reflinks = src->reflinks;
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
	free(record->quotas);
	strmap_done(&record->config);
	free(record);
}

void pool_record_freep(struct pool_record **record)
{
	pool_record_free(*record);
	*record = NULL;
}

static int check_btrfs_keys(const struct pool_record *record, struct err *err)
{
	static const char *const keys[] = { "size", "source.wipe" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strmap_has(&record->config, keys[i]) && !streq(record->driver, "btrfs"))
			return err_kind(err, ERR_INVALID,
					"\"%s\" is for pools with the driver btrfs", keys[i]);
	if (strmap_has(&record->config, "size") && strmap_has(&record->config, "source"))
		return err_kind(err, ERR_INVALID,
				"\"size\" is for a pool in a file: it has no source");
	return 0;
}

int pool_record_validate(const struct pool_record *record, struct err *err)
{
	int r = name_validate(NAME_POOL, record->name, err);

	if (r < 0)
		return r;
	r = key_check_all(&pool_keys, &record->config, err);
	if (r == 0)
		r = check_btrfs_keys(record, err);
	if (r < 0)
		(void)err_wrap(err, "storage pool \"%s\"", record->name);
	return r;
}
