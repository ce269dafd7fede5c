/*
 * image/inspect.h - what a stored file is and says of itself (image; in a sandbox only)
 *
 * Reads it to its end, so that a damaged, hostile or wrong file is refused at the import and not
 * at the first launch.
 */
#pragma once

#include "image/metadata.h"
#include "image/report.h"

struct inspection {
	struct image_metadata metadata;
};

struct inspect_files {
	int fd;	       /* borrowed; unified or plain tarball, or the metadata of a split image */
	int rootfs_fd; /* borrowed; -EBADF unless split */
	const struct strmap *properties; /* for a file without metadata.yaml */
	uint64_t max_bytes;		 /* decompressed; 0: no bound but the ratio */
};

/*
 * Fill the zeroed *@ret_inspection; free it with inspection_done() also after a failure.
 * Errors: ERR_INVALID, ERR_UNSUPPORTED with words for the user.
 */
int inspect_image(const struct inspect_files *files, struct report *report,
		  struct inspection *ret_inspection, struct err *err);
void inspection_done(struct inspection *inspection);

/* Set the results that job.h promises of the metadata. */
void inspection_report(const struct inspection *inspection, struct report *report);
