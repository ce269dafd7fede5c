/* tests/unit/image/test_metadata.c - image/metadata.h: every field is checked */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "image/metadata.h"
#include "image/tarball.h"

static int parse(const char *text, struct image_metadata *metadata, struct err *err)
{
	return image_metadata_parse(text, strlen(text), metadata, err);
}

static void test_good(void **state)
{
	struct image_metadata metadata = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(parse("architecture: amd64\n"
			       "creation_date: 1700000000\n"
			       "expiry_date: 1800000000\n"
			       "properties:\n"
			       "  os: Debian\n"
			       "  release: \"12\"\n"
			       "  variant:\n"
			       "templates: {}\n",
			       &metadata, &err),
			 0);
	assert_string_equal(metadata.architecture, "x86_64");
	assert_int_equal(metadata.created_s, 1700000000);
	assert_int_equal(metadata.expiry_s, 1800000000);
	assert_string_equal(strmap_get(&metadata.properties, "release"), "12");
	assert_string_equal(strmap_get(&metadata.properties, "variant"), "");
	image_metadata_done(&metadata);
	/* import-busybox writes JSON */
	assert_int_equal(parse("{\"architecture\": \"aarch64\", \"creation_date\": 5}", &metadata,
			       &err),
			 0);
	assert_string_equal(metadata.architecture, "aarch64");
	image_metadata_done(&metadata);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text;
		const char *word; /* of the message */
	} rows[] = {
		{ "", "must be a map" },
		{ "- a\n- b\n", "must be a map" },
		{ "creation_date: 5\n", "\"architecture\" is missing" },
		{ "architecture: [x]\n", "architecture" },
		{ "architecture: vax\n", "\"vax\" is not known" },
		{ "architecture: amd64\ncreation_date: soon\n", "creation_date" },
		{ "architecture: amd64\ncreation_date: -1\n", "creation_date" },
		{ "architecture: amd64\ncreation_date: [1]\n", "creation_date" },
		{ "architecture: amd64\nexpiry_date: 99999999999999\n", "expiry_date" },
		{ "architecture: amd64\nproperties: x\n", "properties" },
		{ "architecture: amd64\nproperties: {a: {b: c}}\n", "property" },
		{ "architecture: amd64\nproperties: {\"a b\": c}\n", "a b" },
		{ "architecture: amd64\nproperties: {a: \"x\\ny\"}\n", "control" },
		{ "architecture: amd64\nproperties: {a: \"\\e[31m\"}\n", "control" },
		{ "architecture: amd64\ntemplates: [x]\n", "templates" },
		{ "architecture: &a amd64\nx: *a\n", "metadata.yaml" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image_metadata metadata = { 0 };
		struct err err = { 0 };
		assert_true(parse(rows[i].text, &metadata, &err) < 0);
		assert_int_equal(err.kind, ERR_INVALID);
		if (!strstr(err.msg, rows[i].word))
			fail_msg("row %zu: %s", i, err.msg);
		image_metadata_done(&metadata);
	}
}

static void test_property_bounds(void **state)
{
	struct buf text = { 0 };
	struct image_metadata metadata = { 0 };

	(void)state;
	buf_add_str(&text, "architecture: amd64\nproperties:\n");
	for (int i = 0; i <= METADATA_PROPERTIES_MAX; i++)
		buf_printf(&text, "  key%d: v\n", i);
	assert_true(parse(buf_str(&text), &metadata, NULL) < 0);
	buf_done(&text);
	image_metadata_done(&metadata);
	buf_add_str(&text, "architecture: amd64\nproperties:\n  a: ");
	for (int i = 0; i <= METADATA_VALUE_MAX; i++)
		buf_add_char(&text, 'x');
	assert_true(parse(buf_str(&text), &metadata, NULL) < 0);
	buf_done(&text);
	image_metadata_done(&metadata);
}

static void test_architectures(void **state)
{
	unsigned char elf[64] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };

	(void)state;
	assert_string_equal(image_architecture("arm64"), "aarch64");
	assert_string_equal(image_architecture("i386"), "i686");
	assert_null(image_architecture("x86_64 "));
	elf[18] = 62;
	assert_string_equal(image_elf_architecture(elf, sizeof(elf)), "x86_64");
	assert_null(image_elf_architecture(elf, 19));
	elf[4] = 1; /* x32 */
	assert_null(image_elf_architecture(elf, sizeof(elf)));
	elf[4] = 2;
	elf[5] = 2; /* big endian */
	elf[18] = 0;
	elf[19] = 22;
	assert_string_equal(image_elf_architecture(elf, sizeof(elf)), "s390x");
	elf[0] = 0;
	assert_null(image_elf_architecture(elf, sizeof(elf)));
}

static void test_detect(void **state)
{
	(void)state;
	assert_int_equal(tarball_detect("\x1f\x8b\x08\x00", 4), TARBALL_GZIP);
	assert_int_equal(tarball_detect("\xfd"
					"7zXZ\0",
					6),
			 TARBALL_XZ);
	assert_int_equal(tarball_detect("\x28\xb5\x2f\xfd", 4), TARBALL_ZSTD);
	assert_int_equal(tarball_detect("BZh9", 4), TARBALL_BZIP2);
	assert_int_equal(tarball_detect("hsqs", 4), TARBALL_SQUASHFS);
	assert_int_equal(tarball_detect("QFI\xfb", 4), TARBALL_QCOW2);
	assert_int_equal(tarball_detect("\x1f", 1), TARBALL_PLAIN);
	assert_int_equal(tarball_detect("etc/", 4), TARBALL_PLAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_property_bounds),
		cmocka_unit_test(test_architectures),
		cmocka_unit_test(test_detect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
