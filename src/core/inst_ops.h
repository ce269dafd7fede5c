/*
 * core/inst_ops.h - what users do with instances, each an operation of step tables
 *
 * Layer: core. Each call checks what can be checked at once and returns the started op (borrowed).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "core/image_pull.h"
#include "core/op.h"
#include "core/snapshot.h"
#include "core/still.h"
#include "spec/instance.h"

struct core;
struct inst;

enum inst_source {
	INST_SOURCE_IMAGE, /* image: alias, fingerprint prefix or template */
	INST_SOURCE_NONE,  /* an empty root */
	INST_SOURCE_COPY,  /* copy_from: another instance, or a snapshot; core/inst_copy.c */
	INST_SOURCE_MAX
};

/* Strings and the record are taken by inst_create(). */
struct inst_create_request {
	struct still still;	    /* first; INST_SOURCE_COPY: how copy_from is copied */
	struct inst_record *record; /* name "": one is made up; profiles NULL: see no_profiles */
	bool no_profiles;	    /* profiles [] was asked for, not left out */
	enum inst_source source;
	char *image;
	struct image_source from; /* server NULL: image is here, or a template */
	bool start;
	char *copy_from;
	char *copy_snapshot; /* of copy_from; NULL: the instance as it is */
	bool instance_only;  /* without the snapshots of copy_from */
	bool exclude_older;  /* inst_refresh(): as of snap_changes_find() */
	size_t n_passed;     /* jobs of inst_copy_snapshots() that are done */
	char *detour;	     /* its pool, where the copy is made first; NULL: nowhere */

	/* of a copy that is there: what it gets, what it loses (names), and what is left of that */
	struct snap_list coming;
	char **going;
	struct snapshot_rests rests;
};
void inst_create_request_free(struct inst_create_request *request);

int inst_create(struct core *core, struct inst_create_request *request, struct op **ret_op,
		struct err *err);

enum inst_action {
	INST_START,
	INST_STOP,
	INST_RESTART,
	INST_FREEZE,
	INST_UNFREEZE,
	INST_ACTION_MAX
};
/* The API's words ("start"). Errors: ERR_INVALID. */
int inst_action_parse(const char *word, enum inst_action *ret_action, struct err *err);

/* @timeout_s: of stop and restart; -1: for ever; 0 with stop: at once, as @force. */
int inst_change_state(struct inst *inst, enum inst_action action, int64_t timeout_s, bool force,
		      struct op **ret_op, struct err *err);

/* Errors: ERR_INVALID "Instance is running", protection. */
int inst_delete(struct inst *inst, bool forget, struct op **ret_op, struct err *err);

/*
 * Make @record (taken) the instance's: its monitor, when it runs, takes what counts at once, then one
 * transaction; or nothing changes. The parts that clients cannot change (id, name, created, range
 * ...) are kept. Errors: what can be known without asking the monitor.
 */
int inst_update(struct inst *inst, struct inst_record *record, struct op **ret_op, struct err *err);

/*
 * The same for the holder @op of the instance, whose journal row goes in the same transaction.
 * @record NULL: the configuration stays. @image: what its root stands on from now on. @runs: it is
 * about to be started, which a crash must not prevent.
 */
int inst_update_restored(struct op *op, struct inst_record *record, const char *image, bool runs,
			 struct err *err);

/* Check what inst_update_restored() would do. */
int inst_check_restored(struct inst *inst, const struct inst_record *record, struct err *err);

/* The bridges of its nics are there. Errors: ERR_NOT_FOUND, ERR_UNAVAILABLE. */
int inst_ensure_networks(struct inst *inst, struct err *err);

/* What the image @what says of itself into @record, image.* keys included; fails @op. */
int inst_fill_from_image(struct op *op, const char *what, struct inst_record *record);

/* Whether an instance has that MAC address, or keeps it for a nic that it may get back. */
bool inst_hwaddr_is_taken(struct core *core, const char *hwaddr);

/* What its nics keep for as long as it lives, by nic_fill_volatile(); changes inst->record. */
void inst_note_nics(struct inst *inst);

/*
 * Addresses for every nic on a managed network, none for nics that went; in the transaction that
 * is open. Whoever rolls that back calls netman_rolled_back().
 */
int inst_assign_nics(struct inst *inst, struct err *err);

/* The container stopped without being told: its wanted state follows; ephemeral ones are deleted. */
void inst_stopped_by_itself(struct inst *inst);

/*
 * It crashed and boot.autorestart is set: start it again, unless it was done too often lately.
 * Returns: whether a start is under way.
 */
bool inst_autorestart(struct inst *inst);

/* Nobody holds @inst: when it is ephemeral, has run and is to stay stopped, delete it. */
void inst_check_ephemeral(struct inst *inst);

/* The row goes, a journal row for the volume comes: of "delete" and of an undone "create". */
int inst_forget(struct op *op, struct err *err);

/* Tables other operations put together. */
extern const struct op_table inst_start_table;
extern const struct op_table inst_stop_table;
extern const struct op_table inst_freeze_table;
extern const struct op_table inst_unfreeze_table;
extern const struct op_table inst_delete_table;

/* What inst_stop_table works with: op->args, as first member of what the op has. */
struct inst_stop_args {
	int64_t timeout_s;
	bool force;
	struct aio_timer timer;
	struct op *op;
};
