/* core/space.c - see space.h */
#include "core/space.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/fmt.h"
#include "base/macro.h"
#include "core/core.h"
#include "spec/daemon_config.h"

bool space_is_for(enum job_kind kind)
{
	static const bool kinds[JOB_KIND_MAX] = {
		[JOB_VOLUME_CREATE] = true, [JOB_SNAPSHOT_COPY] = true, [JOB_IMAGE_STORE] = true,
		[JOB_IMAGE_UNPACK] = true,  [JOB_IMAGE_BUILD] = true,	[JOB_IMAGE_PUBLISH] = true,
		[JOB_FETCH] = true,	    [JOB_STREAMS_FETCH] = true, [JOB_BACKUP_STORE] = true,
		[JOB_BACKUP_UNPACK] = true, [JOB_POOL_CREATE] = true,
	};

	return kinds[kind];
}

/* Bytes free to others. Errors: what cannot be asked is -errno. */
static int free_bytes(const char *path, struct statvfs *fs, uint64_t *ret_bytes)
{
	if (statvfs(path, fs) < 0)
		return -errno;
	*ret_bytes = (uint64_t)fs->f_bavail * fs->f_frsize;
	return 0;
}

int space_check(const struct core *core, struct err *err)
{
	const uint64_t reserve = core->config->storage_reserve_bytes;
	char have[FMT_BYTES_LEN], keep[FMT_BYTES_LEN];
	struct statvfs fs;
	uint64_t bytes = 0;

	if (free_bytes(core->dirs.state, &fs, &bytes) < 0 || bytes >= reserve)
		return 0;
	(void)err_kind(err, ERR_UNAVAILABLE,
		       "not enough space in \"%s\": %s are free, %s must stay free for the "
		       "database (storage.reserve in sysctrd.yaml)",
		       core->dirs.state, fmt_bytes(have, bytes), fmt_bytes(keep, reserve));
	if (err)
		err->code = -ENOSPC;
	return -ENOSPC;
}

static bool same_fs(const char *a, const char *b)
{
	struct stat st_a, st_b;

	return a && b && stat(a, &st_a) == 0 && stat(b, &st_b) == 0 && st_a.st_dev == st_b.st_dev;
}

uint64_t space_reserve(const struct core *core, const struct job_pool *pool)
{
	const uint64_t reserve = core->config->storage_reserve_bytes;
	uint64_t here = 0, there = 0, keep;
	struct statvfs fs;

	if (same_fs(core->dirs.state, pool->dir) || free_bytes(core->dirs.state, &fs, &here) < 0 ||
	    free_bytes(pool->dir, &fs, &there) < 0)
		return reserve;
	keep = MIN(reserve, (uint64_t)fs.f_blocks * fs.f_frsize / 100);
	here = here > reserve ? here - reserve : 0;
	if (!pool->own_disk || !same_fs(core->dirs.state, pool->disk) || here >= there)
		return keep;
	return MAX(keep, there - here);
}
