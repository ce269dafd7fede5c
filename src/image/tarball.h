/*
 * image/tarball.h - a tarball of whatever compression, read entry by entry within limits
 *
 * Layer: image. Runs only inside a sandbox of sysctr-unpack; blocks on the file. A compressed file
 * is decompressed by a process of its own beside the reader, so that both processors work.
 *
 *   B1  Memory is bounded whatever the file says; so are entries, bytes and the ratio of expansion.
 *   B2  The end is only reported when the whole file, checksums included, was sound.
 */
#pragma once

#include <archive_entry.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	TARBALL_ENTRIES_MAX = 900 * 1000,
	TARBALL_RATIO_MAX = 100,      /* bytes out for one byte in ... */
	TARBALL_FREE_BYTES = 1 << 30, /* ... counted beyond these */
};

/* By its first bytes. */
enum tarball_kind {
	TARBALL_PLAIN, /* or something unknown: the tar reader will tell */
	TARBALL_GZIP,
	TARBALL_XZ,
	TARBALL_LZMA,
	TARBALL_ZSTD,
	TARBALL_BZIP2,
	TARBALL_SQUASHFS, /* this and what follows is not read here */
	TARBALL_QCOW2,
	TARBALL_KIND_MAX
};
enum tarball_kind tarball_detect(const void *bytes, size_t len);

struct tarball;

/* What one costs so far. */
struct tarball_usage {
	uint64_t read_bytes;  /* of the file */
	uint64_t total_bytes; /* of the file */
	uint64_t out_bytes;   /* decompressed */
	uint64_t n_entries;
};

/*
 * @fd: borrowed, a regular file at offset 0, not shared with anybody else. @max_bytes: decompressed,
 * 0: only the ratio counts. Errors: ERR_INVALID, ERR_UNSUPPORTED with words for the user.
 */
int tarball_open(int fd, uint64_t max_bytes, struct tarball **ret_tarball, struct err *err);
struct tarball *tarball_free(struct tarball *tarball); /* returns NULL */
void tarball_freep(struct tarball **tarball);

/* Returns: 1 with the next entry (valid until the next call), 0 at the sound end, -errno. */
int tarball_next(struct tarball *tarball, struct archive_entry **ret_entry, struct err *err);

/* Data of the entry in pieces; what is between them is a hole. Returns: 1, 0 at its end, -errno. */
int tarball_read(struct tarball *tarball, const void **ret_bytes, size_t *ret_len,
		 int64_t *ret_offset, struct err *err);

/* The whole data of the entry. Errors: ERR_INVALID over @max_bytes. */
int tarball_read_all(struct tarball *tarball, size_t max_bytes, struct buf *out, struct err *err);

struct tarball_usage tarball_usage(const struct tarball *tarball);
