/*
 * core/side_files.h - side files (storage/side.h) follow what happens to instances, custom volumes
 * and pools
 *
 * Layer: core. A change is written a moment later, by a helper, several at once: a launch does not
 * wait for it, and what a crash leaves out the next start writes.
 */
#pragma once

struct core;
struct inst;
struct side_files;
struct volume;

/* The texts of side files, owned by the caller. The API knows how to write objects. */
struct side_texts {
	char *(*instance)(const struct inst *inst);
	char *(*volume)(const struct volume *volume);
};

struct side_files *side_files_new(struct core *core);
struct side_files *side_files_free(struct side_files *files); /* returns NULL */

/* From here on they are written; all of them first. @texts: stays the caller's. */
void side_files_start(struct side_files *files, const struct side_texts *texts);

/* That of @object (spec/job.h) stays as it is, though that goes: it lies on a pool that is lost. */
void side_files_leave(struct side_files *files, const char *object);
