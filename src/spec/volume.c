/* spec/volume.c - see volume.h */
#include "spec/volume.h"

#include <stdlib.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "spec/names.h"
#include "spec/schedule.h"
#include "spec/snapshot.h"
#include "spec/snapshot_keys.h"

#define ELSEWHERE(key, words)                                      \
	{                                                          \
		.name = key, .flags = KEY_ELSEWHERE, .help = words \
	}

static int check_shifted(const char *key, const char *value, struct err *err)
{
	return streq(value, "false") || streq(value, "0") || streq(value, "no") ||
			       streq(value, "off")
		       ? err_kind(err, ERR_UNSUPPORTED,
				  "\"%s\" is always true: each instance sees the files with its "
				  "own ids",
				  key)
		       : 0;
}

static int check_schedule(const char *key, const char *value, struct err *err)
{
	struct schedule schedule;
	int r = schedule_parse(value, &schedule, err);

	if (r == 0 && schedule.startup)
		return err_kind(err, ERR_INVALID,
				"\"%s\": @startup is for instances: a volume does not start", key);
	return r;
}

static const struct key_row rows[] = {
	{
		.name = "size",
		.rule = { .type = VALUE_SIZE, .min = 1 << 12 },
		.help = "most that it may take, where the pool has quotas",
	},
	{
		.name = "security.shifted",
		.rule = { .type = VALUE_BOOL },
		.initial = "true",
		.help = "each instance sees the files with its own ids; never false",
		.check = check_shifted,
	},
	{
		.name = "snapshots.expiry",
		.rule = { .type = VALUE_STRING, .max = 64 },
		.help = "when scheduled snapshots are deleted: 1M 2H 3d 4w 5m 6y (M minutes, m months)",
		.check = key_check_span,
	},
	{
		.name = "snapshots.expiry.manual",
		.rule = { .type = VALUE_STRING, .max = 64 },
		.help = "the same for those made by hand; unset: never",
		.check = key_check_span,
	},
	{
		.name = "snapshots.keep",
		.rule = { .type = VALUE_STRING, .max = 128 },
		.help = "how many scheduled ones stay: last=3 hourly=24 daily=7 weekly=4 monthly=12",
		.check = key_check_keep,
	},
	{
		.name = "snapshots.pattern",
		.rule = { .type = VALUE_STRING, .max = 63 },
		.initial = SNAPSHOT_PATTERN,
		.help = "names: %d a number, %Y %m %D %H %M %S %F %T %s the time",
		.check = key_check_pattern,
	},
	{
		.name = "snapshots.schedule",
		.rule = { .type = VALUE_STRING, .max = 512 },
		.help = "when snapshots are made: five fields of cron, @hourly ... @yearly, @never",
		.check = check_schedule,
	},
	{
		.name = "user.",
		.rule = { .type = VALUE_TEXT },
		.help = "free keys of the user",
	},
	ELSEWHERE("block.", "block volumes"),
	ELSEWHERE("initial.", "owner and mode of the new volume's root"),
	ELSEWHERE("lvm.", "LVM pools"),
	ELSEWHERE("security.", "volumes without shifted ids, and others"),
	ELSEWHERE("volatile.", "what other daemons note for themselves"),
	ELSEWHERE("zfs.", "ZFS pools"),
};

const struct key_table volume_keys = {
	.what = "storage volume key",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
};

struct volume_record *volume_record_new(const char *pool, const char *name)
{
	struct volume_record *record = xcalloc(1, sizeof(*record));

	record->pool = xstrdup(pool);
	record->name = xstrdup(name);
	return record;
}

struct volume_record *volume_record_copy(const struct volume_record *src)
{
	struct volume_record *copy = volume_record_new(src->pool, src->name);

	copy->id = src->id;
	copy->volume = xstrdup(src->volume);
	copy->description = xstrdup(src->description);
	copy->created_wall_ns = src->created_wall_ns;
	strmap_merge(&copy->config, &src->config);
	return copy;
}

void volume_record_free(struct volume_record *record)
{
	if (!record)
		return;
	free(record->pool);
	free(record->name);
	free(record->volume);
	free(record->description);
	strmap_done(&record->config);
	free(record);
}

void volume_record_freep(struct volume_record **record)
{
	volume_record_free(*record);
	*record = NULL;
}

struct volume_snap *volume_snap_new(const char *name)
{
	struct volume_snap *snap = xcalloc(1, sizeof(*snap));

	snap->name = xstrdup(name);
	return snap;
}

struct volume_snap *volume_snap_copy(const struct volume_snap *src)
{
	struct volume_snap *copy = xmalloc(sizeof(*copy));

	*copy = *src;
	copy->name = xstrdup(src->name);
	copy->volume = xstrdup(src->volume);
	copy->description = xstrdup(src->description);
	return copy;
}

void volume_snap_free(struct volume_snap *snap)
{
	if (!snap)
		return;
	free(snap->name);
	free(snap->volume);
	free(snap->description);
	free(snap);
}

void volume_snap_freep(struct volume_snap **snap)
{
	volume_snap_free(*snap);
	*snap = NULL;
}

int volume_record_validate(const struct volume_record *record, struct err *err)
{
	int r = name_validate(NAME_VOLUME, record->name, err);

	if (r < 0)
		return r;
	r = key_check_all(&volume_keys, &record->config, err);
	if (r < 0)
		(void)err_wrap(err, "storage volume \"%s\"", record->name);
	return r;
}
