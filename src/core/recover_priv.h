/* core/recover_priv.h - for the files of core/recover.h */
#pragma once

#include "core/op.h"
#include "core/pool.h"
#include "spec/recovery.h"

struct recover {
	struct pool_preparing pool; /* its name; NULL as long as it is not known */
	char *driver;		    /* as was asked for; NULL: to be told */
	bool apply;
	bool trusted;
	bool was_lost; /* it is known, but was not available */
	int fd;	       /* what the helper found */
	struct pool_record
		*lost; /* has no row yet; one without a name, "", is to say that itself */
	char **tried;  /* keys of volumes that are in core->volumes for a trial */
};

/* One instance or volume on its way. */
struct candidate {
	struct core *core;
	struct recover *recover;
	struct recovery_item *item;
	char **notes;
};

/* Whether "<kind> <name>" was not found in the pool. */
bool recover_is_missing(const struct candidate *c, const char *kind, const char *name);

/* The uuid that item's snapshot has; NULL with a note when it is not there, or another's. */
const char *recover_snapshot_volume(struct candidate *c, const char *snapshot);

/* A custom volume: RECOVER_*, or NULL when the database has it. */
const char *recover_volume(struct candidate *c);

/* A trial is over: forget the volumes that it had. */
void recover_forget_trial(struct core *core, struct recover *recover);

/* All that was found in recover->fd is told, and with apply taken in. */
int recover_report(struct op *op, struct recovery *found);

/* Read recover->fd. @ret_found: zeroed before, to be freed with wire_free() in any case. */
int recover_read_found(struct op *op, struct recovery *ret_found);

/* JOB_SIDE_READ of @pool, as a step. */
enum op_next recover_look(struct op *op, const struct pool_record *pool,
			  enum op_next (*done)(struct op *op, const struct job_report *report));

/* The table that reads a pool which is there. */
extern const struct op_table recover_table;

/* NULL with @err set: the op could not be made; @recover is freed then. */
struct op *recover_new_op(struct core *core, struct recover *recover, struct err *err);

/* Errors: -errno of the memory file. */
int recover_new(const struct recover_request *request, struct recover **ret_recover,
		struct err *err);
void recover_free(struct recover *recover);
