/*
 * files/tree.h - whole trees as one stream: the sending and the receiving half
 *
 * Layer: files. Process: sysctr-exec (inside) and sysctr (outside), each in either role. Blocks.
 *
 *   T1  The receiver makes entries by name in directories that it holds open: a stream, whatever is
 *       in it, names nothing outside of the target. Links are made, never gone through; only the
 *       target itself may be one.
 *   T2  What cannot be copied is told and left out; the rest goes on. A full disk ends the stream.
 *   T3  A new file that did not come whole is removed.
 *   T4  FIFOs, sockets and devices are never opened, holes stay holes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "files/stream.h"
#include "spec/files.h"

enum {
	TREE_DEPTH_MAX = 256
};

/* Told as it goes; both may be NULL. @path: relative, not cleaned for a terminal. */
struct tree_watch {
	void (*failed)(void *data, const char *path, const char *text);
	void (*copied)(void *data, uint64_t bytes, uint64_t files); /* totals so far */
	void *data;
};

struct tree_send_plan {
	bool recursive;
	bool archive; /* extended attributes too */
	enum files_follow follow;
	struct tree_watch watch;
};

struct tree_count {
	uint64_t files, bytes, failures;
};

/*
 * Send the entry @name of @dir_fd, called @sent_name, with what is below it. Without recursive a
 * directory is a failure.
 * Errors: of the stream alone; failures of entries are told and counted.
 */
int tree_send(struct stream_out *out, const struct tree_send_plan *plan, int dir_fd,
	      const char *name, const char *sent_name, struct tree_count *count);

/* FRAME_DONE; @err NULL: all is well. Flushes. */
int tree_send_done(struct stream_out *out, const struct tree_count *count, int code,
		   const struct err *err);

struct tree_receive_plan {
	int dir_fd;	      /* gets the entries */
	const char *top_name; /* what the first entry is called instead; ".": it is dir_fd itself */
	bool is_target;	      /* the first entry is what the user named: it may be a link */
	bool archive;	      /* owners, modes, times, extended attributes as they came */
	bool confined;	      /* on the host: no set-id bits, no attributes but user.* */
	bool fixed_modes;     /* without archive: 0644 and 0755; else what came, less the umask */
	uint32_t uid, gid;    /* without archive: of new files; FILES_NO_ID: ours */
	uint32_t mode;	      /* of files; FILES_NO_MODE: by the rules above */
	struct tree_watch watch;
};

/*
 * Take a stream up to its FRAME_DONE.
 *
 * @ret_result: of the sender, to be freed with wire_free(&tree_result_schema). @count: ours.
 * Errors: -EBADMSG, -ECONNABORTED (it broke off), -ENOSPC, -EDQUOT; *@err is set.
 */
int tree_receive(struct stream_in *in, const struct tree_receive_plan *plan,
		 struct tree_count *count, struct tree_result *ret_result, struct err *err);
