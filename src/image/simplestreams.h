/*
 * image/simplestreams.h - what an image server of the simplestreams kind says about its images (pure)
 *
 * The texts come from a server and are read in sysctr-fetch's sandbox; what comes out of there is
 * checked once more by streams_image_from_map() outside.
 *
 *   S1  Every path is relative to the server's URL, plain (no "..", query or escape) and short.
 *   S2  Both files of an image have a sha256, and the image a fingerprint, or it is not taken.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "spec/remote_image.h"

enum {
	STREAMS_BYTES_MAX = 8 * 1024 * 1024, /* of an index or a list of products */
	STREAMS_LISTS_MAX = 16		     /* lists of products that an index may name */
};

/* Which image; one of the first two is set. */
struct streams_want {
	const char *alias;	  /* "alpine/3.20", or with the architecture: "alpine/3.20/amd64" */
	const char *fingerprint;  /* whole, or its beginning */
	const char *architecture; /* the kernel's name: "x86_64" */
};

struct streams_file {
	char *path; /* NULL: there is none */
	char *sha256;
	uint64_t size_bytes; /* 0: not said */
};

/* Owned strings; free with streams_image_done(). */
struct streams_image {
	char *fingerprint;
	char *version;
	struct streams_file metadata; /* or the whole image, when rootfs has no path */
	struct streams_file rootfs;
};

bool streams_path_is_plain(const char *path);

/* Of the day that a version begins with: "20240101_13:00"; 0 when it does not begin with a date. */
int64_t streams_version_wall_ns(const char *version);

/*
 * The lists of images that streams/v1/index.json names.
 * @ret_paths: new strv. Errors: ERR_INVALID; ERR_NOT_FOUND when it names none.
 */
int streams_read_index(const char *text, size_t len, char ***ret_paths, struct err *err);

/*
 * The newest version of the product that @want means in a list of products.
 * Errors: ERR_INVALID; ERR_NOT_FOUND (go on with the next list); ERR_UNSUPPORTED when all there is
 * of it are virtual machines and squashfs files.
 */
int streams_find_image(const char *text, size_t len, const struct streams_want *want,
		       struct streams_image *ret_image, struct err *err);

/*
 * The newest version of each product for @architecture that has what streams_find_image() takes,
 * appended to *@images. What of them is broken, or called what no image can be, is left out.
 * Errors: ERR_INVALID.
 */
int streams_list_images(const char *text, size_t len, const char *architecture,
			struct remote_images *images, struct err *err);

void streams_image_done(struct streams_image *image);

/* As results of a job, and back; the latter checks S1 and S2. */
void streams_image_to_map(const struct streams_image *image, struct strmap *map);
int streams_image_from_map(const struct strmap *map, struct streams_image *ret_image,
			   struct err *err);
