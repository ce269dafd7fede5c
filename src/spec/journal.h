/* spec/journal.h - what survives of an operation when sysctrd dies: one row (spec, pure) */
#pragma once

#include <stdint.h>

#include "base/strmap.h"

/* Strings are owned; free with journal_record_free(). */
struct journal_record {
	char *id;	    /* of the operation, a uuid */
	char *kind;	    /* of the operation: "instance-delete" */
	char *object;	    /* "web1" */
	char *step;	    /* last one that is a point of no return */
	struct strmap data; /* what finishing or undoing it needs */
	int64_t created_wall_ns;
};

struct journal_record *journal_record_new(const char *id);
void journal_record_free(struct journal_record *record);
void journal_record_freep(struct journal_record **record);
