/* tests/fuzz/fuzz_release_index.c - indexes and checksum files of mirrors */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/release_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_(release_entry_done) struct release_entry entry = { 0 };
	_cleanup_(freep) char *text = xstrndup((const char *)bytes, len);
	_cleanup_(freep) char *checksum = NULL;
	struct err err = { 0 };

	if (release_index_find((const char *)bytes, len, "f", &entry, &err) == 0 &&
	    (!entry.file || strchr(entry.file, '/') || entry.file[0] == '.'))
		abort();
	(void)release_checksum_find(text, "f", &checksum, &err);
	return 0;
}
