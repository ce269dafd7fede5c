/*
 * unpack/pack.h - a root file system and files of ours to a tarball, by tar(1) in a sandbox
 *
 * sysctr-unpack. The tree is a stranger's: what reads it has ids of its own, sees the host read-only
 * and no network, and writes to one descriptor.
 */
#pragma once

#include <stdbool.h>

#include "image/report.h"
#include "os/sandbox.h"
#include "storage/driver.h"
#include "unpack/root.h"

struct pack_file {
	const char *path; /* in the tarball: "backup/index.yaml" */
	const char *text;
};

/* One more root file system. */
struct pack_tree {
	char *path; /* in the tarball */
	struct root root;
};

struct pack_plan {
	const char *root; /* where the root file system goes: "rootfs" */
	const struct pack_tree *trees;
	size_t n_trees;
	const struct pack_file *files;
	size_t n_files;
	const char *const *members; /* of the top, in order; NULL-terminated */
	const char *compression;    /* of job_compressions */
	bool scrub;		    /* leave out what makes it one particular machine */
	uint32_t id_base, id_count;
	int out_fd;
};

/* Live between pack_start() and pack_done(). */
struct packing {
	struct root *root;
	const struct pack_plan *plan;
	struct stage stage;
	bool staged;
	int log_fd;
	struct sandbox sandbox;
};

/* Start writing to plan->out_fd, which the caller may close; pack_done() also after a failure. */
int pack_start(struct root *root, const struct pack_plan *plan, struct packing *ret_packing,
	       struct err *err);

/* Wait for its end. Errors: what tar said; ERR_CANCELLED. */
int pack_wait(struct packing *packing, struct report *report, struct err *err);
void pack_done(struct packing *packing);
