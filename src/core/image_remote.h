/*
 * core/image_remote.h - what an image server has: listed, for people to choose from
 *
 * Layer: core. The server's texts are read in the sandbox of sysctr-fetch only.
 */
#pragma once

#include "base/err.h"
#include "core/op.h"
#include "spec/remote_image.h"

struct core;

/*
 * List the images of the simplestreams server @url that this host can run, into *@ret_fd, the
 * caller's, complete when the op has succeeded. Errors: ERR_INVALID.
 */
int remote_images_fetch(struct core *core, const char *url, int *ret_fd, struct op **ret_op,
			struct err *err);

/* Read and check that; *@ret_images is zeroed and is to be freed also after a failure. */
int remote_images_read(int fd, struct remote_images *ret_images, struct err *err);
