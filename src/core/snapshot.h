/*
 * core/snapshot.h - snapshots of instances: made, renamed, expired, deleted, restored
 *
 * Layer: core. Each is a row and a volume named by a uuid. What a crash leaves half-made has a
 * journal row ("snapshot-create", "snapshot-delete", "snapshot-restore") that core/reconcile.c
 * hands to the functions at the end. How one that runs is copied is core/still.h's.
 *
 *   N1  A snapshot is in inst->snapshots when, and only when, its row is committed.
 *   N2  Restoring never deletes one, older or newer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "core/op.h"
#include "spec/snapshot.h"

struct core;
struct inst;
struct journal_record;

int snapshots_load(struct core *core, struct err *err);

/* Errors: ERR_NOT_FOUND "Instance snapshot not found". */
int snapshot_find(const struct inst *inst, const char *name, struct snap_record **ret_snapshot,
		  struct err *err);

struct snapshot_request {
	const char *name; /* "": by snapshots.pattern */
	bool has_expiry;  /* else snapshots.expiry(.manual) says */
	int64_t expires_wall_ns;
	bool scheduled;
	bool replace; /* one of that name goes, once the new one is there */
};

/* Its name, by the keys of @config when it has none; owned. @taken as of snapshot_make_name(). */
char *snapshot_choose_name(const struct strmap *config, const struct snapshot_request *request,
			   int64_t now_wall_ns, snapshot_taken_fn *taken, void *data);

/* When it goes, by the keys of @config when it does not say. Errors: ERR_INVALID. */
int snapshot_choose_expiry(const struct strmap *config, const struct snapshot_request *request,
			   int64_t created_wall_ns, int64_t *ret_wall_ns, struct err *err);

/* All of these check what can be checked at once and return the started op (borrowed). */
int snapshot_create(struct inst *inst, const struct snapshot_request *request, struct op **ret_op,
		    struct err *err);
int snapshot_rename(struct inst *inst, const char *name, const char *new_name, struct op **ret_op,
		    struct err *err);
int snapshots_delete(struct inst *inst, char *const *names, struct op **ret_op, struct err *err);

/* A running instance is stopped and started again; @disk_only: its configuration stays. */
int snapshot_restore(struct inst *inst, const char *name, bool disk_only, struct op **ret_op,
		     struct err *err);

/*
 * What has changed from @name to the snapshot @to ("": to now), as JOB_SNAPSHOT_DIFF writes it, into
 * *@ret_fd, the caller's, complete when the op has succeeded.
 */
int snapshot_diff(struct inst *inst, const char *name, const char *to, int *ret_fd,
		  struct op **ret_op, struct err *err);

/* 0: never. Done when it returns. */
int snapshot_set_expiry(struct inst *inst, const char *name, int64_t wall_ns, struct err *err);

/* "web1/snap0" as the resource of @op and, with @action, of a lifecycle event. */
void snapshot_add_resource(struct op *op, const struct inst *inst, const char *name);
void snapshot_publish(const struct inst *inst, const char *action, const char *name);

/* What there still is of snapshots whose rows have gone. */
struct snapshot_rests {
	char **volumes;
	char **images;
};
void snapshot_rests_done(struct snapshot_rests *rests);

/*
 * Deletes them in four parts, for operations that hold the instance: the rows (in the open
 * transaction, with the operation's row of the journal as "snapshot-delete"), then from memory, the
 * volumes (a step that waits for a job), and the journal's row and what only they needed.
 */
int snapshots_forget_in_tx(struct op *op, char *const *names, struct snapshot_rests *rests,
			   struct err *err);
void snapshots_drop(struct inst *inst, char *const *names);
enum op_next snapshots_delete_rests(struct op *op, const struct snapshot_rests *rests);
void snapshots_clean_up(struct op *op, const struct snapshot_rests *rests);

/* The rows of @list, in the open transaction; inst->snapshots stays as it is. */
int snapshots_insert_in_tx(const struct inst *inst, const struct snap_list *list, struct err *err);

/* Names of the volumes of all its snapshots: strv. */
char **snapshots_volumes(const struct inst *inst);

/* Fingerprints that the instance and its snapshots stand on, each once: strv. */
char **snapshots_images(const struct inst *inst);

/* For the journal row of an instance that goes: "snapshots" and "images". */
void snapshots_fill_journal(const struct inst *inst, struct strmap *data);

/* The snapshot whose volume that is, NULL for none; of any instance. */
struct snap_record *snapshot_by_volume(struct core *core, const char *volume);

/* Take the row of a restore that was interrupted (taken): finished, unless nothing has happened. */
void snapshot_restore_again(struct core *core, struct journal_record *row);
