/* tests of image/release_index */
#include "image/release_index.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"

#define SHA256 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void test_index(void **state)
{
	static const char text[] = "---\n"
				   "-\n"
				   "  title: \"Standard\"\n"
				   "  flavor: alpine-standard\n"
				   "  file: alpine-standard-3.20.3-x86_64.iso\n"
				   "-\n"
				   "  desc: |\n"
				   "    Minimal\n"
				   "  flavor: alpine-minirootfs\n"
				   "  version: 3.20.3\n"
				   "  file: alpine-minirootfs-3.20.3-x86_64.tar.gz\n"
				   "  sha256: " SHA256 "\n"
				   "  sha512: " SHA256 SHA256 "\n";
	_cleanup_(release_entry_done) struct release_entry entry = { 0 };
	struct release_entry none = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(release_index_find(text, strlen(text), "alpine-minirootfs", &entry, &err),
			 0);
	assert_string_equal(entry.file, "alpine-minirootfs-3.20.3-x86_64.tar.gz");
	assert_string_equal(entry.version, "3.20.3");
	assert_string_equal(entry.checksum, "sha512:" SHA256 SHA256);
	assert_int_equal(release_index_find(text, strlen(text), "alpine-virt", &none, &err),
			 -ENOENT);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
}

static void test_hostile_index(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"<html>404</html>",
		"- {flavor: f}",
		"- {flavor: f, file: ../../etc/passwd}",
		"- {flavor: f, file: .hidden}",
		"- {flavor: f, file: \"a\\nb\"}",
		"- {flavor: f, file: \"x?y#z\"}",
		"- &a {flavor: f, file: x}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct release_entry entry = { 0 };
		struct err err = { 0 };

		assert_int_equal(release_index_find(texts[i], strlen(texts[i]), "f", &entry, &err),
				 -EINVAL);
		assert_null(entry.file);
	}
}

static void test_checksum(void **state)
{
	static const struct {
		const char *text;
		const char *checksum; /* NULL: none */
	} cases[] = {
		{ SHA256 "  a.tar\n", "sha256:" SHA256 },
		{ SHA256 " *./dir/a.tar\n", "sha256:" SHA256 },
		{ SHA256 "\n", "sha256:" SHA256 },
		{ "00  b.tar\n" SHA256 SHA256 "  a.tar\n", "sha512:" SHA256 SHA256 },
		{ SHA256 "  b.tar\n", NULL },
		{ SHA256 "\n" SHA256 "\n", NULL },
		{ "<html>", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(freep) char *checksum = NULL;
		int r = release_checksum_find(cases[i].text, "a.tar", &checksum, NULL);

		assert_int_equal(r, cases[i].checksum ? 0 : -ENOENT);
		assert_true(streq(checksum, cases[i].checksum));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_hostile_index),
		cmocka_unit_test(test_checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
