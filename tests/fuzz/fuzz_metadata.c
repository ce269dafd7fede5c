/* tests/fuzz/fuzz_metadata.c - metadata.yaml of strangers (image/metadata.h) */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct image_metadata metadata = { 0 };
	struct err err = { 0 };

	int r = image_metadata_parse(bytes, len, &metadata, &err);
	if (r == 0 && (!metadata.architecture || metadata.created_s < 0 || metadata.expiry_s < 0 ||
		       metadata.properties.len > METADATA_PROPERTIES_MAX))
		abort();
	if (r < 0 && err.msg[0] == '\0')
		abort();
	image_metadata_done(&metadata);
	(void)image_elf_architecture(bytes, len);
	return 0;
}
