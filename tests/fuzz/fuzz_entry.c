/* tests/fuzz/fuzz_entry.c - names of archive entries never lead outside (image/entry.h, E1) */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "image/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const char *name)
{
	for (const char *p = name; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");
		if (n == 0 || n > NAME_MAX || (n == 1 && p[0] == '.') ||
		    (n == 2 && p[0] == '.' && p[1] == '.'))
			abort();
		p += n;
	}
	if (name[0] == '/' || str_ends_with(name, "/") || strlen(name) >= PATH_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_(freep) char *name = xstrndup((const char *)bytes, len);
	char out[PATH_MAX];
	struct err err = { 0 };

	if (entry_normalize(name, out, &err) < 0)
		return 0;
	check(out);
	for (enum entry_layout layout = 0; layout < ENTRY_LAYOUT_MAX; layout++) {
		const char *below = entry_below_root(layout, out);
		if (below)
			check(below);
	}
	(void)entry_guess_layout(out);
	(void)entry_is_root_marker(out);
	(void)entry_keeps_xattr(name);
	return 0;
}
