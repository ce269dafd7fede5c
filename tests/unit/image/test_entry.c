/* tests/unit/image/test_entry.c - image/entry.h: names of archives never lead outside */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/mem.h"
#include "image/entry.h"

static void test_normalize(void **state)
{
	static const struct {
		const char *in;
		const char *out; /* NULL: refused */
	} rows[] = {
		{ "a", "a" },	       { "./a/b", "a/b" }, { "a//b///", "a/b" },
		{ "./", "" },	       { ".", "" },	   { "", "" },
		{ "a/./b", "a/b" },    { "...", "..." },   { "..a/b", "..a/b" },
		{ "/a", NULL },	       { "//", NULL },	   { "..", NULL },
		{ "a/..", NULL },      { "./../x", NULL }, { "a/../b", NULL },
		{ "a/b/../..", NULL }, { " ", " " },	   { "a\nb", "a\nb" },
		{ "-rf", "-rf" },      { ".../..", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[PATH_MAX];
		struct err err = { 0 };
		int r = entry_normalize(rows[i].in, out, &err);
		if (rows[i].out) {
			assert_int_equal(r, 0);
			assert_string_equal(out, rows[i].out);
		} else {
			assert_true(r < 0);
			assert_int_equal(err.kind, ERR_INVALID);
		}
	}
}

static void test_bounds(void **state)
{
	_cleanup_(freep) char *name = xcalloc(1, 3 * PATH_MAX);
	char out[PATH_MAX];

	(void)state;
	memset(name, 'x', NAME_MAX);
	assert_int_equal(entry_normalize(name, out, NULL), 0);
	name[NAME_MAX] = 'x';
	assert_true(entry_normalize(name, out, NULL) < 0);
	for (size_t i = 0; i < 2 * PATH_MAX; i++)
		name[i] = i % 100 == 99 ? '/' : 'y';
	assert_true(entry_normalize(name, out, NULL) < 0);
	name[PATH_MAX - 200] = '\0';
	assert_int_equal(entry_normalize(name, out, NULL), 0);
	memset(name, 0, 3 * PATH_MAX);
	for (size_t i = 0; i < (size_t)2 * ENTRY_DEPTH_MAX; i++)
		name[i] = i % 2 == 0 ? 'd' : '/';
	assert_int_equal(entry_normalize(name, out, NULL), 0);
	name[(size_t)2 * ENTRY_DEPTH_MAX] = 'd';
	assert_true(entry_normalize(name, out, NULL) < 0);
}

static void test_layout(void **state)
{
	(void)state;
	assert_int_equal(entry_guess_layout(""), ENTRY_LAYOUT_UNKNOWN);
	assert_int_equal(entry_guess_layout("metadata.yaml"), ENTRY_LAYOUT_UNIFIED);
	assert_int_equal(entry_guess_layout("rootfs"), ENTRY_LAYOUT_UNIFIED);
	assert_int_equal(entry_guess_layout("rootfs/etc"), ENTRY_LAYOUT_UNIFIED);
	assert_int_equal(entry_guess_layout("templates/x"), ENTRY_LAYOUT_UNIFIED);
	assert_int_equal(entry_guess_layout("rootfs2/etc"), ENTRY_LAYOUT_PLAIN);
	assert_int_equal(entry_guess_layout("bin/sh"), ENTRY_LAYOUT_PLAIN);
	assert_string_equal(entry_below_root(ENTRY_LAYOUT_UNIFIED, "rootfs/etc/x"), "etc/x");
	assert_string_equal(entry_below_root(ENTRY_LAYOUT_UNIFIED, "rootfs"), "");
	assert_null(entry_below_root(ENTRY_LAYOUT_UNIFIED, "rootfsx"));
	assert_null(entry_below_root(ENTRY_LAYOUT_UNIFIED, "metadata.yaml"));
	assert_null(entry_below_root(ENTRY_LAYOUT_UNIFIED, "etc/passwd"));
	assert_string_equal(entry_below_root(ENTRY_LAYOUT_PLAIN, "rootfs/x"), "rootfs/x");
}

static void test_markers_and_xattrs(void **state)
{
	(void)state;
	assert_true(entry_is_root_marker("etc"));
	assert_true(entry_is_root_marker("etc/passwd"));
	assert_true(entry_is_root_marker("sbin/init"));
	assert_false(entry_is_root_marker("sbin"));
	assert_false(entry_is_root_marker("etcetera/x"));
	assert_true(entry_keeps_xattr("security.capability"));
	assert_true(entry_keeps_xattr("user.anything"));
	assert_false(entry_keeps_xattr("security.selinux"));
	assert_false(entry_keeps_xattr("security.capability2"));
	assert_false(entry_keeps_xattr("trusted.overlay.opaque"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normalize),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_markers_and_xattrs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
