/* spec/job.c - see job.h */
#include "spec/job.h"

#include <assert.h>

#include "base/str.h"

static const struct job_row rows[] = {
	[JOB_POOL_PREPARE] = { "pool-prepare", "sysctr-worker" },
	[JOB_VOLUME_CREATE] = { "volume-create", "sysctr-worker" },
	[JOB_VOLUME_DELETE] = { "volume-delete", "sysctr-worker" },
	[JOB_IMAGE_DELETE] = { "image-delete", "sysctr-worker" },
	[JOB_IMAGE_STORE] = { "image-store", "sysctr-unpack" },
	[JOB_IMAGE_UNPACK] = { "image-unpack", "sysctr-unpack" },
	[JOB_IMAGE_BUILD] = { "image-build", "sysctr-worker" },
	[JOB_FETCH] = { "fetch", "sysctr-fetch" },
	[JOB_SNAPSHOT_COPY] = { "snapshot-copy", "sysctr-worker" },
	[JOB_SNAPSHOT_COMMIT] = { "snapshot-commit", "sysctr-worker" },
	[JOB_SNAPSHOT_DELETE] = { "snapshot-delete", "sysctr-worker" },
	[JOB_SNAPSHOT_DIFF] = { "snapshot-diff", "sysctr-worker" },
	[JOB_VOLUME_RENAME] = { "volume-rename", "sysctr-worker" },
	[JOB_NONE_13] = { "none", "sysctr-worker" },
	[JOB_IMAGE_PUBLISH] = { "image-publish", "sysctr-unpack" },
	[JOB_VOLUME_REPLACE] = { "volume-replace", "sysctr-worker" },
	[JOB_INSTANCE_EXPORT] = { "instance-export", "sysctr-unpack" },
	[JOB_POOL_CREATE] = { "pool-create", "sysctr-worker" },
	[JOB_POOL_DELETE] = { "pool-delete", "sysctr-worker" },
	[JOB_BACKUP_STORE] = { "backup-store", "sysctr-unpack" },
	[JOB_BACKUP_INSPECT] = { "backup-inspect", "sysctr-unpack" },
	[JOB_BACKUP_UNPACK] = { "backup-unpack", "sysctr-unpack" },
	[JOB_STREAMS_FETCH] = { "streams-fetch", "sysctr-fetch" },
	[JOB_SIDE_WRITE] = { "side-write", "sysctr-worker" },
	[JOB_SIDE_READ] = { "side-read", "sysctr-unpack" },
	[JOB_STREAMS_LIST] = { "streams-list", "sysctr-fetch" },
	[JOB_CUSTOM_CREATE] = { "custom-create", "sysctr-worker" },
	[JOB_CUSTOM_USAGE] = { "custom-usage", "sysctr-worker" },
	[JOB_INSTANCE_TRANSFER] = { "instance-transfer", "sysctr-worker" },
	[JOB_VOLUME_LIMIT] = { "volume-limit", "sysctr-worker" },
	[JOB_POOL_GROW] = { "pool-grow", "sysctr-worker" },
	[JOB_INSTANCE_USAGE] = { "instance-usage", "sysctr-worker" },
};
static_assert(ARRAY_LEN(rows) == JOB_KIND_MAX, "one row per job");

const struct job_row *job_row(enum job_kind kind)
{
	return kind < JOB_KIND_MAX ? &rows[kind] : NULL;
}

const char *const job_compressions[] = { "none", "gzip", "xz", "zstd", NULL };

int job_check_compression(const char *compression, struct err *err)
{
	for (size_t i = 0; job_compressions[i]; i++)
		if (streq(job_compressions[i], compression))
			return 0;
	return err_kind(err, ERR_INVALID, "compression \"%s\" is not none, gzip, xz or zstd",
			compression ? compression : "");
}

static const struct wire_field job_pool_fields[] = {
	{ 1, WIRE_STR, offsetof(struct job_pool, name), NULL },
	{ 2, WIRE_STR, offsetof(struct job_pool, driver), NULL },
	{ 3, WIRE_STR, offsetof(struct job_pool, dir), NULL },
	{ 4, WIRE_BOOL, offsetof(struct job_pool, own_dir), NULL },
	{ 5, WIRE_STR, offsetof(struct job_pool, disk), NULL },
	{ 6, WIRE_STR, offsetof(struct job_pool, uuid), NULL },
	{ 7, WIRE_BOOL, offsetof(struct job_pool, own_disk), NULL },
	{ 8, WIRE_BOOL, offsetof(struct job_pool, wipe), NULL },
	{ 9, WIRE_BOOL, offsetof(struct job_pool, full_quotas), NULL },
	{ 10, WIRE_BOOL, offsetof(struct job_pool, made), NULL },
};
WIRE_SCHEMA(job_pool, job_pool_fields);

static const struct wire_field job_fields[] = {
	{ 1, WIRE_U32, offsetof(struct job, kind), NULL },
	{ 2, WIRE_STRUCT, offsetof(struct job, pool), &job_pool_schema },
	{ 3, WIRE_STR, offsetof(struct job, volume), NULL },
	{ 4, WIRE_STR, offsetof(struct job, image), NULL },
	{ 5, WIRE_U64, offsetof(struct job, size_bytes), NULL },
	{ 6, WIRE_STR, offsetof(struct job, dir), NULL },
	{ 7, WIRE_STR, offsetof(struct job, src), NULL },
	{ 8, WIRE_STR, offsetof(struct job, src_rootfs), NULL },
	{ 9, WIRE_STR, offsetof(struct job, dst), NULL },
	{ 10, WIRE_STR, offsetof(struct job, boundary), NULL },
	{ 11, WIRE_STR, offsetof(struct job, fingerprint), NULL },
	{ 12, WIRE_STR, offsetof(struct job, url), NULL },
	{ 13, WIRE_STR, offsetof(struct job, checksum), NULL },
	{ 14, WIRE_STR, offsetof(struct job, template_text), NULL },
	{ 15, WIRE_STR, offsetof(struct job, template_dir), NULL },
	{ 16, WIRE_STRMAP, offsetof(struct job, variables), NULL },
	{ 17, WIRE_STRMAP, offsetof(struct job, properties), NULL },
	{ 18, WIRE_U32, offsetof(struct job, id_base), NULL },
	{ 19, WIRE_U32, offsetof(struct job, id_count), NULL },
	{ 20, WIRE_U64, offsetof(struct job, reserve_bytes), NULL },
	{ 21, WIRE_STR, offsetof(struct job, snapshot), NULL },
	{ 22, WIRE_STR, offsetof(struct job, stage), NULL },
	{ 23, WIRE_U32, offsetof(struct job, pass), NULL },
	{ 24, WIRE_I64, offsetof(struct job, since_wall_ns), NULL },
	{ 25, WIRE_STRV, offsetof(struct job, snapshots), NULL },
	{ 31, WIRE_STR, offsetof(struct job, from_volume), NULL },
	{ 32, WIRE_BOOL, offsetof(struct job, refresh), NULL },
	{ 41, WIRE_BOOL, offsetof(struct job, custom), NULL },
	{ 42, WIRE_STRUCT, offsetof(struct job, from_pool), &job_pool_schema },
	{ 43, WIRE_BOOL, offsetof(struct job, keep_layer), NULL },
	{ 44, WIRE_BOOL, offsetof(struct job, forget), NULL },
	{ 45, WIRE_BOOL, offsetof(struct job, stays), NULL },
};
WIRE_SCHEMA(job, job_fields);

static const struct wire_field job_report_fields[] = {
	{ 1, WIRE_BOOL, offsetof(struct job_report, done), NULL },
	{ 2, WIRE_STR, offsetof(struct job_report, stage), NULL },
	{ 3, WIRE_U64, offsetof(struct job_report, now_bytes), NULL },
	{ 4, WIRE_U64, offsetof(struct job_report, total_bytes), NULL },
	{ 5, WIRE_STRMAP, offsetof(struct job_report, result), NULL },
	{ 6, WIRE_I32, offsetof(struct job_report, code), NULL },
	{ 7, WIRE_U32, offsetof(struct job_report, kind), NULL },
	{ 8, WIRE_STR, offsetof(struct job_report, text), NULL },
	{ 9, WIRE_BOOL, offsetof(struct job_report, stays), NULL },
};
WIRE_SCHEMA(job_report, job_report_fields);
