/*
 * tests/unit/golden.h - compare generated text with a file below tests/golden
 *
 * "make golden" (SYSCTR_GOLDEN=write) rewrites the files; the difference is reviewed like code.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* Include <cmocka.h> before this file. @name: "network/nft-one.txt". */
static inline void assert_golden(const char *name, const char *text)
{
	const char *srcdir = getenv("SYSCTR_SRCDIR");
	const char *mode = getenv("SYSCTR_GOLDEN");
	_cleanup_(freep) char *path = xasprintf("%s/tests/golden/%s", srcdir ? srcdir : ".", name);
	static char want[256 * 1024];
	FILE *file;

	if (streq(mode, "write")) {
		file = fopen(path, "we");
		assert_non_null(file);
		assert_int_equal(fputs(text, file) >= 0, 1);
		assert_int_equal(fclose(file), 0);
		return;
	}
	file = fopen(path, "re");
	if (!file)
		fail_msg("%s is missing: run make golden", path);
	want[fread(want, 1, sizeof(want) - 1, file)] = '\0';
	(void)fclose(file);
	assert_string_equal(text, want);
}
