/*
 * core/preview.h - what an edit would change where, without making it
 *
 * Layer: core. The checks are those of the edit itself, in the same order, and fail with the same
 * words; nothing is stored.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/vec.h"
#include "spec/instance.h"
#include "spec/profile.h"

struct core;
struct inst;

/* When an instance would have the new value. */
enum change_at {
	CHANGE_NOW,	/* it runs and the key allows it */
	CHANGE_RESTART, /* it runs and has to be started anew */
	CHANGE_START,	/* it does not run */
	CHANGE_AT_MAX
};
const char *change_at_name(enum change_at at);

/* One key of the expanded configuration of one instance. */
struct change {
	char *instance;
	char *device; /* NULL: a configuration key */
	char *key;
	char *from; /* NULL: it was not there */
	char *to;   /* NULL: it goes */
	enum change_at at;
};

struct changes {
	VEC(struct change) list;
};
void changes_done(struct changes *changes);

/* Errors: as profile_update(). */
int profile_preview(struct core *core, const struct profile_record *record,
		    struct changes *ret_changes, struct err *err);

/* Errors: as inst_update(). */
int inst_preview(const struct inst *inst, const struct inst_record *record,
		 struct changes *ret_changes, struct err *err);
