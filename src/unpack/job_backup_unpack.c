/*
 * unpack/job_backup_unpack.c - JOB_BACKUP_UNPACK: the backup on standard input to volumes
 *
 * All root file systems are stages until the last one is complete; then the snapshots become
 * volumes, and at last the instance or the custom volume: who sees that has everything.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/uuid.h"
#include "image/backup.h"
#include "os/fd.h"
#include "storage/pool.h"
#include "storage/volume.h"
#include "unpack/guard.h"
#include "unpack/jobs.h"

enum {
	ROOTS_PER_PASS = 12 /* as many mounts as one sandbox takes, and some to spare */
};

/* A root file system and what becomes of it. */
struct tree {
	struct backup_root root;
	char stage[UUID_LEN];
	const char *volume; /* of a snapshot; NULL: the instance's */
	struct copy_stage at;
	bool begun;
};

struct trees {
	struct pool *pool;
	struct tree *list;
	size_t n;
};

/* In the sandbox. */
static int unpack_body(void *data, struct report *report, struct err *err)
{
	return backup_unpack(data, report, err);
}

static int unpack_some(const struct job *job, struct trees *trees, size_t first, size_t n,
		       struct report *report, struct err *err)
{
	struct backup_root roots[ROOTS_PER_PASS];
	struct sandbox_bind binds[ROOTS_PER_PASS];
	struct backup_unpacking what = { STDIN_FILENO, job->reserve_bytes, roots, n, job->custom };
	const struct guard_job guard = {
		.name = "backup-unpack",
		.id_base = job->id_base,
		.id_count = job->id_count,
		.root_fd = -EBADF,
		.binds = binds,
		.n_binds = n,
	};

	for (size_t i = 0; i < n; i++) {
		const struct tree *tree = &trees->list[first + i];

		roots[i] = tree->root;
		(void)snprintf(roots[i].dir, sizeof(roots[i].dir), "/%zu", i);
		binds[i] = (struct sandbox_bind){ .src = trees->pool->dir,
						  .src_fd = tree->at.root_fd,
						  .dst = roots[i].dir,
						  .idmap = true };
	}
	if (lseek(STDIN_FILENO, 0, SEEK_SET) < 0)
		return err_set(err, -errno, "read the backup");
	return guard_run(&guard, unpack_body, &what, report, err);
}

/* @size_bytes: the instance's own root is held to it while it is filled (threat D15); 0: is not. */
static int begin_all(struct trees *trees, uint64_t size_bytes, struct err *err)
{
	const struct storage_driver *driver = trees->pool->driver;
	struct volume_limit limit = { .bytes = size_bytes };
	int r = 0;

	if (!driver->copy_begin)
		return err_kind(err, ERR_UNSUPPORTED,
				"the driver \"%s\" of storage pool \"%s\" takes no imports",
				driver->name, trees->pool->name);
	for (size_t i = 0; r == 0 && i < trees->n; i++) {
		struct tree *tree = &trees->list[i];

		r = driver->copy_begin(trees->pool, tree->stage, &tree->at, err);
		tree->begun = r == 0;
	}
	limit.stage = trees->list[0].stage;
	return r == 0 && size_bytes > 0 ? driver->volume_limit(trees->pool, &limit, err) : r;
}

/* Let go of the stage, which commit and abort take themselves. */
static void close_tree(struct tree *tree)
{
	tree->at.root_fd = fd_close(tree->at.root_fd);
	tree->at.fd = fd_close(tree->at.fd);
}

static enum volume_kind kind_of(const struct job *job)
{
	return job->custom ? VOLUME_CUSTOM : VOLUME_INSTANCE;
}

/* What it takes, as a result that is called as it is; without one nobody knows, and that is all. */
static void report_size(struct pool *pool, const char *snapshot, struct report *report)
{
	uint64_t bytes;
	char text[24];

	if (pool->driver->volume_usage(pool, VOLUME_SNAPSHOT, snapshot, &bytes, NULL) < 0)
		return;
	(void)snprintf(text, sizeof(text), "%" PRIu64, bytes);
	report_result(report, snapshot, text);
}

static int commit_all(const struct job *job, struct trees *trees, struct report *report,
		      struct err *err)
{
	const struct storage_driver *driver = trees->pool->driver;
	char trash[UUID_LEN];

	for (size_t i = trees->n; i-- > 0;) {
		struct tree *tree = &trees->list[i];
		enum volume_kind kind = tree->volume ? VOLUME_SNAPSHOT : kind_of(job);

		close_tree(tree);
		int r = driver->copy_commit(trees->pool, tree->stage, kind,
					    tree->volume ? tree->volume : job->volume, trash, err);
		if (r < 0)
			return r;
		tree->begun = false;
		if (tree->volume)
			report_size(trees->pool, tree->volume, report);
	}
	return 0;
}

static void abort_all(struct trees *trees)
{
	for (size_t i = 0; i < trees->n; i++) {
		struct tree *tree = &trees->list[i];

		if (!tree->begun)
			continue;
		close_tree(tree);
		(void)trees->pool->driver->copy_abort(trees->pool, tree->stage, NULL);
	}
}

static int fill_all(const struct job *job, struct trees *trees, struct report *report,
		    struct err *err)
{
	/* copy_commit would put it in the place of one that nobody knows */
	int r = trees->pool->driver->volume_exists(trees->pool, kind_of(job), job->volume, err);

	if (r > 0)
		return err_kind(err, ERR_CONFLICT, "%s \"%s\" exists already",
				volume_kind_word(kind_of(job)), job->volume);
	if (r == 0)
		r = begin_all(trees, job->size_bytes, err);
	report_stage(report, "unpack");
	for (size_t i = 0; r == 0 && i < trees->n; i += ROOTS_PER_PASS)
		r = unpack_some(job, trees, i, MIN(trees->n - i, (size_t)ROOTS_PER_PASS), report,
				err);
	if (r == 0 && report_cancelled(report))
		r = report_cancel_err(err);
	return r < 0 ? r : commit_all(job, trees, report, err);
}

/* The instance first, then its snapshots. */
static struct tree *list_trees(const struct job *job)
{
	struct tree *list = xcalloc(1 + job->properties.len, sizeof(*list));

	for (size_t i = 0; i < 1 + job->properties.len; i++) {
		list[i].at = (struct copy_stage){ -EBADF, -EBADF };
		(void)uuid_new(list[i].stage);
		if (i == 0)
			continue;
		list[i].root.snapshot = job->properties.items[i - 1].key;
		list[i].volume = job->properties.items[i - 1].value;
	}
	return list;
}

int job_backup_unpack(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -EBADF };
	_cleanup_(freep) struct tree *list = list_trees(job);
	struct trees trees = { &pool, list, 1 + job->properties.len };

	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &pool, err);
	if (r < 0)
		return r;
	pool.reserve_bytes = job->reserve_bytes;
	r = fill_all(job, &trees, report, err);
	if (r < 0)
		abort_all(&trees);
	return r;
}
