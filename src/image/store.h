/*
 * image/store.h - the bytes of an image into the images directory while they are hashed
 *
 * Layer: image. Process: sysctr-unpack outside of its sandbox; blocks. The bytes are not looked at
 * here, but for the frame of multipart/form-data.
 *
 *   I1  Files are ".new-<uuid>" until they are whole, checked and on disk, and 0600 from birth.
 *   I2  "<fingerprint>" appears after "<fingerprint>.rootfs": who sees the first has both.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"
#include "image/fingerprint.h"
#include "image/report.h"

enum {
	STORE_NAME_LEN = sizeof(".new-") - 1 + UUID_LEN + sizeof(".rootfs") - 1
};

struct store_file {
	char name[STORE_NAME_LEN]; /* "" while there is none */
	int fd;			   /* write end, held with flock; -EBADF */
	uint64_t size_bytes;
};

struct store {
	int dir_fd;
	const char *dir;	    /* borrowed, for messages */
	struct store_file files[2]; /* unified or metadata; root file system */
	struct fingerprint *hash;
	char fingerprint[FINGERPRINT_LEN];
	uint64_t max_bytes;
	uint64_t reserve_bytes;
	uint64_t total_bytes;  /* expected; 0: unknown */
	struct report *report; /* borrowed */
	bool kept;
};

/* What comes in. */
struct store_input {
	const char *src;	/* absolute; NULL: fd */
	const char *src_rootfs; /* second file of a split image; NULL: none */
	const char *boundary;	/* what is read is multipart/form-data; NULL: raw */
	int fd;			/* what is read when src is NULL; borrowed */
};

/*
 * Open the images directory and remove what dead jobs left there.
 * Fill the limits of *@ret_store afterwards.
 */
int store_init(const char *dir, struct report *report, struct store *ret_store, struct err *err);

/* Remove the files unless they were kept. */
void store_done(struct store *store);

/* Take everything; the fingerprint is known afterwards. */
int store_take(struct store *store, const struct store_input *input, struct err *err);

bool store_is_split(const struct store *store);

/* A read-only descriptor of one of the files; -errno. */
int store_open(const struct store *store, size_t index, struct err *err);

/* Write out and rename to the final names. */
int store_keep(struct store *store, struct err *err);
