/*
 * core/pool.h - storage pools as the daemon knows them; the work on them is the helpers'
 *
 * Layer: core. A pool that cannot be prepared is "Unavailable" and a warning.
 */
#pragma once

#include "base/err.h"
#include "core/op.h"
#include "spec/instance.h"
#include "spec/job.h"
#include "spec/pool.h"

struct core;
struct preparation;

#define POOL_DEFAULT "default"
#define POOL_WARNING "Storage pool unavailable"

/* Errors: ERR_NOT_FOUND. */
int pool_find(struct core *core, const char *name, struct pool_record **ret_pool, struct err *err);

/* The pool's directory; owned by the caller. */
char *pool_dir(const struct core *core, const struct pool_record *pool);

/* What its "source" is for whoever asks: the directory, device or file; owned by the caller. */
char *pool_shown_source(const struct core *core, const struct pool_record *pool);

struct pool_capabilities {
	bool shared_images;  /* an instance takes what differs from its image */
	bool layers;	     /* so much, because that lies on the image */
	bool fast_snapshots; /* in constant time */
	bool reflinks;	     /* what is copied shares its blocks */
	const char *quotas;  /* "yes: how", or "no: why"; borrowed */
};
struct pool_capabilities pool_capabilities(const struct pool_record *pool);

/* The same whatever state the pool is in: for the jobs that bring it into another one. */
void pool_fill_job_anyway(struct core *core, const struct pool_record *pool, struct job *job);

/* Keep the driver that a helper found; "auto" is none. */
int pool_store_driver(struct core *core, struct pool_record *pool, const char *driver,
		      struct err *err);

/* pool, id range and reserve of a job. Errors: ERR_NOT_FOUND, ERR_UNAVAILABLE with the reason. */
int pool_fill_job(struct core *core, const char *name, struct job *job, struct err *err);

/* from_pool of a job. Errors: of pool_fill_job(). */
int pool_fill_from(struct core *core, const char *name, struct job *job, struct err *err);

/* Keep what a helper found out about its quotas and reflinks. */
void pool_take_abilities(struct pool_record *pool, const struct job_report *report);

/* Errors: ERR_UNSUPPORTED with the reason when it can hold no volume to a size. */
int pool_check_quotas(const struct pool_record *pool, struct err *err);

/* Errors: ERR_UNSUPPORTED when the root disk @device wants a size that its pool cannot enforce. */
int pool_check_root(struct core *core, const struct strmap *device, struct err *err);

/* The root_* parts of a spec, for the volume of @record. */
int pool_fill_root(struct core *core, const struct inst_record *record, struct inst_spec *spec,
		   struct err *err);

/* Errors: ERR_UNAVAILABLE that says why it is. */
int pool_check_available(struct core *core, const struct pool_record *pool, struct err *err);

/* The same of the pool @name. Errors: ERR_NOT_FOUND too. */
int pool_check_there(struct core *core, const char *name, struct err *err);

/* It could not be prepared: the device is gone, the mount failed. */
bool pool_is_lost(const struct pool_record *pool);

/*
 * Before @what ("instance", "storage volume") that is on the pool goes: for it to be removed the pool
 * has to be there, and for it to be only forgotten (@forget) it has to be lost.
 * Errors: ERR_UNAVAILABLE, ERR_INVALID; both say what to do.
 */
int pool_check_removal(struct core *core, const char *name, const char *what, bool forget,
		       struct err *err);

/* "left_behind" of @op: what stays on the pool when it is only forgotten. */
void pool_tell_left(struct op *op, const char *name, const char *what);

/* JOB_POOL_PREPARE; args of an op begin with it. A pool that cannot be prepared is a failure of it. */
struct pool_preparing {
	char *pool; /* one of core->pools */
};
extern const struct op_table pool_prepare_table;

/*
 * Run JOB_POOL_PREPARE for every pool; @done when the last one has answered, or after storage.wait:
 * those that have not are not available until they do.
 */
void pool_prepare_all(struct core *core, void (*done)(struct core *core));

/* The daemon ends: wait for none of them. Returns: NULL. */
struct preparation *pool_preparation_free(struct preparation *all);
