/* unpack/job_instance_export.c - JOB_INSTANCE_EXPORT: a volume, or a custom one, as a backup to standard output */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"
#include "unpack/jobs.h"
#include "unpack/pack.h"

/* The index first: a reader of a stream needs it before the rest; the snapshots as others have it. */
static const char *const plain[] = { "backup/index.yaml", "backup/container", NULL };
static const char *const with_snapshots[] = { "backup/index.yaml", "backup/snapshots",
					      "backup/container", NULL };

static const char *const custom[] = { "backup/index.yaml", "backup/volume", NULL };
static const char *const custom_with[] = { "backup/index.yaml", "backup/volume-snapshots",
					   "backup/volume", NULL };

static const char *const *members_of(const struct job *job)
{
	bool more = job->properties.len > 0;

	if (job->custom)
		return more ? custom_with : custom;
	return more ? with_snapshots : plain;
}

static const char *image_of(const struct job *job, const char *snapshot)
{
	_cleanup_(freep) char *key = xasprintf("image.%s", snapshot);

	return strmap_get(&job->variables, key);
}

/* Free with close_trees() also after a failure. */
static int open_trees(const struct job *job, const struct root *first, struct pack_tree *trees,
		      struct err *err)
{
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < job->properties.len; i++)
		trees[i].root.pool.dir_fd = trees[i].root.volume_fd = trees[i].root.fd = -EBADF;
	strmap_for_each(entry, &job->properties)
	{
		struct pack_tree *tree = &trees[n++];

		tree->path = xasprintf(job->custom ? "backup/volume-snapshots/%s"
						   : "backup/snapshots/%s/rootfs",
				       entry->key);
		r = root_open_snapshot(job, first, entry->value, image_of(job, entry->key),
				       &tree->root, err);
		if (r < 0)
			return r;
	}
	return r;
}

static void close_trees(struct pack_tree *trees, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(trees[i].path);
		root_close(&trees[i].root);
	}
	free(trees);
}

static int pack(struct root *root, struct pack_plan *plan, struct report *report, struct err *err)
{
	struct packing packing;
	int r;

	report_stage(report, "pack");
	r = pack_start(root, plan, &packing, err);
	/* the reader sees the end when the last writer is gone, and that is tar */
	plan->out_fd = fd_close(plan->out_fd);
	(void)close(STDOUT_FILENO);
	if (r == 0)
		r = pack_wait(&packing, report, err);
	pack_done(&packing);
	return r;
}

int job_instance_export(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(root_close) struct root root = { .fd = -EBADF };
	const struct pack_file files[] = {
		{ "backup/index.yaml", strmap_get(&job->variables, "index") },
		{ "backup/container/backup.yaml", strmap_get(&job->variables, "backup") },
	};
	struct pack_tree *trees = xcalloc(job->properties.len + 1, sizeof(*trees));
	struct pack_plan plan = {
		.root = job->custom ? "backup/volume" : "backup/container/rootfs",
		.trees = trees,
		.n_trees = job->properties.len,
		.files = files,
		.n_files = job->custom ? 1 : ARRAY_LEN(files), /* the index alone */
		.members = members_of(job),
		.compression = strmap_get(&job->variables, "compression"),
		.id_base = job->id_base,
		.id_count = job->id_count,
		/* the sandbox's own standard output is its log */
		.out_fd = fd_copy(STDOUT_FILENO, STDERR_FILENO + 1),
	};
	int r = root_open(job, &root, err);

	if (r == 0)
		r = open_trees(job, &root, trees, err);
	if (r == 0 && (!files[0].text || (plan.n_files > 1 && !files[1].text)))
		r = err_kind(err, ERR_INVALID, "instance-export: no index");
	if (r == 0 && plan.out_fd < 0)
		r = err_set(err, plan.out_fd, "copy the descriptor of the backup");
	if (r == 0)
		r = pack(&root, &plan, report, err);
	(void)fd_close(plan.out_fd);
	close_trees(trees, job->properties.len);
	return r;
}
