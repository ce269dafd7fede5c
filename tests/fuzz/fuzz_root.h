/*
 * tests/fuzz/fuzz_root.h - a directory for what is received, with something beside it to be left alone
 *
 * For targets that work on files. Each run makes and removes its own; a change outside aborts.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct fuzz_root {
	char path[64]; /* of what holds both */
	int outer_fd;
	int dir_fd;	   /* the root, empty */
	int in_fd, out_fd; /* files: the input, and what is answered */
};

void fuzz_root_init(struct fuzz_root *root, const uint8_t *data, size_t size);

/* What was written to out_fd. */
void fuzz_root_output(const struct fuzz_root *root, struct buf *ret_out);

/* Aborts when anything below has a set-id bit. */
void fuzz_root_check_modes(const struct fuzz_root *root);

/* Aborts when what is beside the root is not what it was; removes all. */
void fuzz_root_done(struct fuzz_root *root);
