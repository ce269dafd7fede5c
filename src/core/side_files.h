/*
 * core/side_files.h - side files of instances (storage/side.h) follow what happens to them
 *
 * Layer: core. A change is written a moment later, by a helper, several at once: a launch does not
 * wait for it, and what a crash leaves out the next start writes.
 */
#pragma once

struct core;
struct inst;
struct side_files;

/* The text of an instance's side file, owned by the caller. The API knows how to write objects. */
typedef char *side_text_fn(const struct inst *inst);

struct side_files *side_files_new(struct core *core);
struct side_files *side_files_free(struct side_files *files); /* returns NULL */

/* From here on they are written; all of them first. */
void side_files_start(struct side_files *files, side_text_fn *text);
