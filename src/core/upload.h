/*
 * core/upload.h - an uploaded backup: stored in a file without a name, unread, and what is in it
 *
 * Layer: core. What instances and custom volumes are imported from; helpers in a sandbox read it.
 */
#pragma once

#include <stdbool.h>

#include "core/job.h"
#include "spec/backup.h"

struct core;

struct upload {
	int body_fd;  /* what comes in */
	int file_fd;  /* where it is stored */
	int index_fd; /* spec/backup.h */
};

/* @ret_body_fd: where the backup is to be written to, the caller's to close. */
int upload_open(struct core *core, struct upload *ret_upload, int *ret_body_fd, struct err *err);
void upload_done(struct upload *upload);

/* Steps: JOB_BACKUP_STORE; JOB_BACKUP_INSPECT (@custom: it has to be of a custom volume). */
enum op_next upload_store(struct op *op, struct upload *upload);
enum op_next upload_inspect(struct op *op, struct upload *upload, bool custom, job_done_fn *done);

/* What was found. @ret_index: zeroed, to be freed also after a failure. */
int upload_read_index(struct upload *upload, struct backup_index *ret_index, struct err *err);

/* What a snapshot that was unpacked takes, as the job that did it says. */
uint64_t upload_size_of(const struct job_report *report, const char *snapshot);

/* The upload with an offset of its own. Returns: descriptor, the caller's. */
int upload_reopen(const struct upload *upload, struct err *err);
