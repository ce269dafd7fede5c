/*
 * files/stream.h - frames of a tree stream over descriptors
 *
 * Layer: files. Process: sysctr-exec and sysctr. Blocks. A frame is { u32 type, u32 length, content
 * of that length }, little endian; see docs/protocol-files.md. Neither side believes the other:
 * lengths are checked before anything is allocated.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "codec/wire.h"

enum {
	FRAME_HEADER_LEN = 8,
	FRAME_DATA_MAX = 1024 * 1024,
	FRAME_ENTRY_MAX = 256 * 1024, /* content of all but FRAME_DATA */
	STREAM_BUFFER = 256 * 1024,
	STREAM_SPLICE_MIN =
		256 * 1024 /* FRAME_DATA from here on are spliced; less is not worth it */
};

enum frame_type {
	FRAME_NONE,
	FRAME_DIR,  /* struct tree_entry; what follows is in it, until its FRAME_END */
	FRAME_FILE, /* struct tree_entry; its data follow, then FRAME_END */
	FRAME_LINK, /* struct tree_entry */
	FRAME_DATA, /* bytes of the file */
	FRAME_HOLE, /* u64: so many zeros */
	FRAME_END,  /* of the directory; of the file: with one byte 0 when all of it came */
	FRAME_FAIL, /* struct tree_failure: an entry that was not copied */
	FRAME_DONE, /* struct tree_result: nothing follows */
	FRAME_TYPE_MAX
};

struct tree_xattr {
	char *name;
	struct buf value;
};
extern const struct wire_schema tree_xattr_schema;

struct tree_entry {
	char *name; /* one component */
	uint32_t mode, uid, gid;
	uint64_t size; /* for progress only */
	int64_t mtime_s, atime_s;
	uint32_t mtime_ns, atime_ns; /* below a second */
	char *target;		     /* of a link */
	VEC(struct tree_xattr) xattrs;
};
extern const struct wire_schema tree_entry_schema;

struct tree_failure {
	char *path; /* relative */
	char *text;
};
extern const struct wire_schema tree_failure_schema;

struct tree_result {
	int32_t code; /* -errno: it ended early */
	uint32_t kind;
	char *text;
	uint64_t files, bytes, failures;
};
extern const struct wire_schema tree_result_schema;

/* ---- out ---- */

struct stream_out {
	int fd;
	struct buf buf;
};

/* Errors of these: -EPIPE when nobody reads any more, -errno. */
int stream_put(struct stream_out *out, enum frame_type type, const void *bytes, size_t len);
int stream_put_object(struct stream_out *out, enum frame_type type,
		      const struct wire_schema *schema, const void *object);
int stream_flush(struct stream_out *out);

/*
 * One FRAME_DATA of @len bytes of the file @fd from @from on, by splice(2) where that is possible:
 * its pages go into the pipe and nobody copies them.
 *
 * Returns: 0; 1: the file could not be read that far, the rest of the frame is zeros.
 */
int stream_put_file(struct stream_out *out, int fd, off_t from, size_t len);

/* ---- in ---- */

struct stream_in {
	int fd;
	char *bytes; /* STREAM_BUFFER */
	size_t begin, end;
	enum frame_type type; /* of the current frame */
	size_t left;	      /* of its content */
	bool lean;	      /* ahead is more to be spliced: read headers alone */
};

void stream_in_init(struct stream_in *in, int fd);
void stream_in_done(struct stream_in *in);

/*
 * Go to the next frame; what is left of the current one is dropped.
 * Returns: 1, 0 at the end of the stream, -EBADMSG, -errno.
 */
int stream_next(struct stream_in *in);

/* Bytes of the current frame's content, borrowed until the next call. Returns: 0 at its end. */
ssize_t stream_data(struct stream_in *in, const char **ret_bytes);

/*
 * Move bytes of the current frame's content to the file @fd, at its offset; by splice(2) where that
 * is possible. Returns: bytes moved, 0 at the content's end. Errors: of the stream, of the file.
 */
ssize_t stream_data_to(struct stream_in *in, int fd);

/* The current frame's content as an object, zeroed before. Errors: -EBADMSG. */
int stream_object(struct stream_in *in, const struct wire_schema *schema, void *ret_object);
