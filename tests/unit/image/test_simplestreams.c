/* tests of image/simplestreams */
#include "image/simplestreams.h"

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

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C64 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define D64 "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

#define META(path, combined)                                                        \
	"\"m\":{\"ftype\":\"incus.tar.xz\",\"path\":\"" path "\",\"sha256\":\"" A64 \
	"\",\"size\":500,\"combined_rootxz_sha256\":\"" combined "\"}"
#define ROOT(path, sha256)                                                            \
	"\"r\":{\"ftype\":\"root.tar.xz\",\"path\":\"" path "\",\"sha256\":\"" sha256 \
	"\",\"size\":3000000}"
#define SQUASHFS	     "\"s\":{\"ftype\":\"squashfs\",\"path\":\"s\",\"sha256\":\"" B64 "\",\"size\":3}"
#define RELEASE(name, items) "\"" name "\":{\"items\":{" items "}}"
#define PRODUCT(arch, versions)                                                \
	"\"alpine:3.20:" arch                                                  \
	"\":{\"aliases\":\"alpine/3.20/default,alpine/3.20\",\"arch\":\"" arch \
	"\",\"versions\":{" versions "}}"
#define PRODUCTS(products) "{\"products\":{" products "}}"

static int find(const char *text, const char *alias, const char *fingerprint,
		struct streams_image *ret_image, struct err *err)
{
	const struct streams_want want = { alias, fingerprint, "x86_64" };

	return streams_find_image(text, strlen(text), &want, ret_image, err);
}

static void test_paths(void **state)
{
	static const char *const plain[] = { "a", "images/alpine/3.20/20240101_13:00/root.tar.xz",
					     "..a/b..", "a@b,c=d~e+f" };
	static const char *const others[] = {
		"",    "/a",  "a/",  "a//b", "..",    "../a", "a/../b", "a/..",	     ".",
		"./a", "a?b", "a#b", "a%2e", "a\\..", "a b",  "a\nb",	"http://x/", "a\x80"
	};
	char long_path[1024] = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		assert_true(streams_path_is_plain(plain[i]));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(streams_path_is_plain(others[i]));
	assert_false(streams_path_is_plain(NULL));
	memset(long_path, 'a', sizeof(long_path) - 1);
	assert_false(streams_path_is_plain(long_path));
}

static int read_index(const char *text, char ***ret_paths, struct err *err)
{
	return streams_read_index(text, strlen(text), ret_paths, err);
}

static void test_index(void **state)
{
	static const char text[] =
		"{\"format\":\"index:1.0\",\"index\":{"
		"\"images\":{\"datatype\":\"image-downloads\",\"path\":\"streams/v1/images.json\"},"
		"\"others\":{\"datatype\":\"image-ids\",\"path\":\"/streams/v1/ids.json\"},"
		"\"more\":{\"datatype\":\"image-downloads\",\"path\":\"streams/v1/more.json\"}}}";
	_cleanup_(strv_freep) char **paths = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(read_index(text, &paths, &err), 0);
	assert_int_equal(strv_len(paths), 2);
	assert_string_equal(paths[0], "streams/v1/images.json");
	assert_string_equal(paths[1], "streams/v1/more.json");
}

static void test_hostile_index(void **state)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ "", -EINVAL },
		{ "<html>", -EINVAL },
		{ "[]", -ENOENT },
		{ "{\"index\":[1,2]}", -ENOENT },
		{ "{\"index\":{\"a\":7}}", -ENOENT },
		{ "{\"index\":{\"a\":{\"datatype\":\"image-downloads\"}}}", -EINVAL },
		{ "{\"index\":{\"a\":{\"datatype\":\"image-downloads\",\"path\":\"../x\"}}}",
		  -EINVAL },
		{ "{\"index\":{\"a\":{\"datatype\":\"image-downloads\","
		  "\"path\":\"http://other/x\"}}}",
		  -EINVAL },
	};
	char deep[2048] = { 0 };
	struct err err = { 0 };
	char **paths = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		err = (struct err){ 0 };
		assert_int_equal(read_index(cases[i].text, &paths, &err), cases[i].code);
		assert_null(paths);
	}
	memset(deep, '[', sizeof(deep) - 1);
	assert_int_equal(read_index(deep, &paths, &err), -EINVAL);
}

static void test_newest_version(void **state)
{
	static const char text[] = PRODUCTS(
		PRODUCT("arm64", RELEASE("20250101", META("arm/m", D64) "," ROOT("arm/r", B64))) "," PRODUCT(
			"amd64",
			RELEASE("20240101_13:00",
				META("old/m", D64) "," ROOT(
					"old/r",
					B64)) "," RELEASE("20240301_13:00",
							  META("new/m", C64) "," ROOT(
								  "new/r",
								  B64)) "," RELEASE("20240401",
										    SQUASHFS)));
	_cleanup_(streams_image_done) struct streams_image image = { 0 };
	_cleanup_(streams_image_done) struct streams_image with_arch = { 0 };
	_cleanup_(streams_image_done) struct streams_image old = { 0 };
	struct streams_image none = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(find(text, "alpine/3.20", NULL, &image, &err), 0);
	assert_string_equal(image.fingerprint, C64);
	assert_string_equal(image.version, "20240301_13:00");
	assert_string_equal(image.metadata.path, "new/m");
	assert_string_equal(image.metadata.sha256, A64);
	assert_int_equal(image.metadata.size_bytes, 500);
	assert_string_equal(image.rootfs.path, "new/r");
	assert_int_equal(image.rootfs.size_bytes, 3000000);
	assert_int_equal(find(text, "alpine/3.20/amd64", NULL, &with_arch, &err), 0);
	assert_string_equal(with_arch.fingerprint, C64);
	assert_int_equal(find(text, NULL, "dddddddd", &old, &err), 0);
	assert_string_equal(old.metadata.path, "old/m");
	assert_int_equal(find(text, "alpine/3.20/arm64", NULL, &none, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "for x86_64"));
	assert_int_equal(find(text, "alpine/3.2", NULL, &none, &err), -ENOENT);
	assert_int_equal(find(text, NULL, "eeee", &none, &err), -ENOENT);
}

static void test_whole(void **state)
{
	static const char text[] = PRODUCTS(
		PRODUCT("amd64",
			RELEASE("1", "\"w\":{\"ftype\":\"lxd_combined.tar.gz\",\"path\":\"w\","
				     "\"sha256\":\"" C64 "\"}")));
	_cleanup_(streams_image_done) struct streams_image image = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(find(text, "alpine/3.20", NULL, &image, &err), 0);
	assert_string_equal(image.fingerprint, C64);
	assert_string_equal(image.metadata.path, "w");
	assert_null(image.rootfs.path);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		enum err_kind kind;
	} cases[] = {
		{ "{", ERR_INVALID },
		{ "{}", ERR_NOT_FOUND },
		{ "{\"products\":{\"a\":1,\"b\":[],\"c\":{\"aliases\":7}}}", ERR_NOT_FOUND },
		{ PRODUCTS(PRODUCT("amd64", RELEASE("1", META("m", C64) "," SQUASHFS))),
		  ERR_UNSUPPORTED },
		{ PRODUCTS(PRODUCT("amd64", RELEASE("1", META("m", "") "," ROOT("r", B64)))),
		  ERR_INVALID },
		{ PRODUCTS(PRODUCT("amd64", RELEASE("1", META("../m", C64) "," ROOT("r", B64)))),
		  ERR_INVALID },
		{ PRODUCTS(PRODUCT("amd64", RELEASE("1", META("m", C64) "," ROOT("/r", B64)))),
		  ERR_INVALID },
		{ PRODUCTS(PRODUCT("amd64", RELEASE("1", META("m", C64) "," ROOT("r", "BB")))),
		  ERR_INVALID },
		{ PRODUCTS(PRODUCT("amd64", RELEASE("1\\n", META("m", C64) "," ROOT("r", B64)))),
		  ERR_NOT_FOUND },
		{ PRODUCTS(PRODUCT("amd64",
				   RELEASE("1", META("m", C64) ",\"r\":{\"ftype\":\"root.tar.xz\","
							       "\"path\":\"r\",\"sha256\":\"" B64
							       "\",\"size\":-1}"))),
		  ERR_INVALID },
		{ PRODUCTS(PRODUCT("amd64",
				   RELEASE("1",
					   META("m", C64) ",\"r\":{\"ftype\":\"root.tar.xz\","
							  "\"path\":\"r\",\"sha256\":\"" B64
							  "\",\"size\":99999999999999999999}"))),
		  ERR_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct streams_image image = { 0 };
		struct err err = { 0 };

		assert_true(find(cases[i].text, "alpine/3.20", NULL, &image, &err) < 0);
		assert_int_equal(err.kind, cases[i].kind);
		assert_null(image.fingerprint);
	}
}

static void test_map(void **state)
{
	static const char text[] =
		PRODUCTS(PRODUCT("amd64", RELEASE("1", META("m", C64) "," ROOT("r", B64))));
	static const struct {
		const char *key, *value;
	} broken[] = {
		{ "fingerprint", "ccc" },	{ "metadata", "../m" },	   { "rootfs", "/r" },
		{ "rootfs_sha256", "" },	{ "metadata_size", "-1" }, { "metadata_size", "" },
		{ "metadata_sha256", C64 C64 },
	};
	_cleanup_(streams_image_done) struct streams_image image = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(find(text, "alpine/3.20", NULL, &image, &err), 0);
	for (size_t i = 0; i <= ARRAY_LEN(broken); i++) {
		_cleanup_(streams_image_done) struct streams_image again = { 0 };
		_cleanup_(strmap_done) struct strmap map = { 0 };

		streams_image_to_map(&image, &map);
		if (i < ARRAY_LEN(broken))
			strmap_set(&map, broken[i].key, broken[i].value);
		assert_int_equal(streams_image_from_map(&map, &again, &err),
				 i < ARRAY_LEN(broken) ? -EINVAL : 0);
		if (i == ARRAY_LEN(broken))
			assert_string_equal(again.rootfs.path, "r");
	}
}

static int list(const char *text, struct remote_images *ret_list)
{
	return streams_list_images(text, strlen(text), "x86_64", ret_list, NULL);
}

/* The newest version of each product that this host can run and that has tarballs. */
static void test_list(void **state)
{
	static const char text[] = PRODUCTS(PRODUCT(
		"amd64",
		RELEASE("20240101_13:00", META("a", C64) "," ROOT("b", B64)) "," RELEASE(
			"20240301_13:00",
			META("c", D64) "," ROOT(
				"d",
				B64)) "," RELEASE("20240401_13:00",
						  SQUASHFS)) "," PRODUCT("arm64",
									 RELEASE("20240101",
										 META("a", A64) "," ROOT(
											 "b",
											 B64))) ","
												"\"x\":{\"aliases\":\"ok,../x,a b\",\"arch\":\"amd64\",\"os\":\"X\",\"versions\":{" RELEASE(
													"one",
													META("a", C64) "," ROOT(
														"b",
														B64)) "}}");
	struct remote_images images = { 0 };
	const struct remote_image *image;

	(void)state;
	assert_int_equal(list(text, &images), 0);
	assert_int_equal(images.images.len, 2);
	assert_int_equal(remote_images_validate(&images, NULL), 0);
	image = &images.images.items[0];
	assert_string_equal(image->fingerprint, D64);
	assert_string_equal(image->version, "20240301_13:00");
	assert_string_equal(image->aliases[1], "alpine/3.20");
	assert_int_equal(image->size_bytes, 3000500);
	assert_int_equal(image->created_wall_ns / 1000000000, 1709251200);
	image = &images.images.items[1];
	assert_string_equal(image->aliases[0], "ok");
	assert_int_equal(strv_len(image->aliases), 3); /* "a b" is two */
	assert_string_equal(strmap_get(&image->properties, "description"), "X  x86_64 (one)");
	assert_int_equal(image->created_wall_ns, 0);
	wire_free(&remote_images_schema, &images);
	assert_true(list("[", &images) < 0);
	assert_int_equal(list("{\"products\":[]}", &images), 0);
	assert_int_equal(images.images.len, 0);
}

/* What comes across the wall is a stranger's. */
static void test_list_is_checked(void **state)
{
	struct remote_images images = { 0 };
	struct remote_image *image = vec_push(&images.images);

	(void)state;
	image->fingerprint = xstrdup(C64);
	image->architecture = xstrdup("x86_64");
	image->version = xstrdup("1");
	strv_push(&image->aliases, "fine");
	assert_int_equal(remote_images_validate(&images, NULL), 0);
	strv_push(&image->aliases, "../x");
	assert_true(remote_images_validate(&images, NULL) < 0);
	replace_str(&image->aliases[1], "x");
	image->size_bytes = UINT64_MAX;
	assert_true(remote_images_validate(&images, NULL) < 0);
	image->size_bytes = 0;
	replace_str(&image->fingerprint, "../../etc");
	assert_true(remote_images_validate(&images, NULL) < 0);
	wire_free(&remote_images_schema, &images);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),	      cmocka_unit_test(test_list_is_checked),
		cmocka_unit_test(test_paths),	      cmocka_unit_test(test_index),
		cmocka_unit_test(test_hostile_index), cmocka_unit_test(test_newest_version),
		cmocka_unit_test(test_whole),	      cmocka_unit_test(test_refused),
		cmocka_unit_test(test_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
