/* tests/fuzz/fuzz_simplestreams.c - indexes and lists of products of image servers */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "image/simplestreams.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What the parser lets through has to pass the check on the other side of the sandbox. */
static void check_image(const struct streams_image *image)
{
	_cleanup_(streams_image_done) struct streams_image again = { 0 };
	_cleanup_(strmap_done) struct strmap map = { 0 };

	streams_image_to_map(image, &map);
	if (streams_image_from_map(&map, &again, NULL) < 0 ||
	    !streq(again.fingerprint, image->fingerprint) ||
	    !streq(again.metadata.path, image->metadata.path) ||
	    !streq(again.rootfs.path, image->rootfs.path))
		abort();
}

static void check_list(const uint8_t *bytes, size_t len)
{
	struct remote_images list = { 0 };

	if (streams_list_images((const char *)bytes, len, "x86_64", &list, NULL) == 0 &&
	    list.images.len <= REMOTE_IMAGES_MAX && remote_images_validate(&list, NULL) < 0)
		abort();
	wire_free(&remote_images_schema, &list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_(streams_image_done) struct streams_image image = { 0 };
	_cleanup_(strv_freep) char **paths = NULL;
	struct streams_want want = { .alias = "alpine", .architecture = "x86_64" };

	if (streams_read_index((const char *)bytes, len, &paths, NULL) == 0)
		for (char **path = paths; *path; path++)
			if (!streams_path_is_plain(*path))
				abort();
	if (streams_find_image((const char *)bytes, len, &want, &image, NULL) == 0)
		check_image(&image);
	check_list(bytes, len);
	return 0;
}
