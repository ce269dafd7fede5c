/* tests of image/apt */
#include "image/apt.h"

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

static const char stanzas[] = "Types: deb deb-src\n"
			      "# a comment between fields\n"
			      "URIs: cdrom:/x http://mirror.example/debian\n"
			      "Suites: bookworm bookworm-updates\n"
			      "Components: main\n"
			      "\n"
			      "types: deb\n"
			      "uris: http://off.example/debian-security\n"
			      "suites: bookworm-security\n"
			      "Enabled: no\n"
			      "\n"
			      "Types: deb\n"
			      "URIs: http://sec.example/debian-security\n"
			      "Suites: bookworm-security\n";

static void test_deb822(void **state)
{
	_cleanup_(apt_mirrors_done) struct apt_mirrors mirrors = { 0 };

	(void)state;
	apt_find_mirrors(stanzas, true, "bookworm", &mirrors);
	assert_string_equal(mirrors.main, "http://mirror.example/debian");
	assert_string_equal(mirrors.security, "http://sec.example/debian-security");
}

static void test_lines(void **state)
{
	_cleanup_(apt_mirrors_done) struct apt_mirrors mirrors = { 0 };
	static const char text[] =
		"# deb http://no.example/debian bookworm main\n"
		"deb-src http://no.example/debian bookworm main\n"
		"deb [arch=amd64 signed-by=/k] http://a.example/debian bookworm main\n"
		"deb http://b.example/debian bookworm main\n"
		"deb http://c.example/other nodistro main";

	(void)state;
	apt_find_mirrors(text, false, "bookworm", &mirrors);
	assert_string_equal(mirrors.main, "http://a.example/debian");
	assert_null(mirrors.security);
	apt_find_mirrors("deb http://later.example/debian bookworm main\n", false, "bookworm",
			 &mirrors);
	assert_string_equal(mirrors.main, "http://a.example/debian");
}

static void test_codename(void **state)
{
	static const struct {
		const char *text;
		const char *codename;
	} cases[] = {
		{ "NAME=\"Debian\"\nVERSION_CODENAME=bookworm\nID=debian\n", "bookworm" },
		{ "ID=\"debian\"\nVERSION_CODENAME=\"trixie\"", "trixie" },
		{ "ID=ubuntu\nVERSION_CODENAME=noble\n", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(freep) char *codename = apt_codename(cases[i].text);

		assert_true(streq(codename, cases[i].codename));
	}
}

static void test_source_lines(void **state)
{
	struct apt_mirrors mirrors = { (char *)"http://m/debian", (char *)"http://s" };
	static const char *const components[] = { "main", "contrib", NULL };
	char **lines = apt_source_lines(&mirrors, "trixie", components, "/k");

	(void)state;
	assert_int_equal(strv_len(lines), 3);
	assert_string_equal(lines[0], "deb [signed-by=/k] http://m/debian trixie main contrib");
	assert_string_equal(lines[1],
			    "deb [signed-by=/k] http://m/debian trixie-updates main contrib");
	assert_string_equal(lines[2], "deb [signed-by=/k] http://s trixie-security main contrib");
	strv_free(lines);
	mirrors.main = NULL;
	assert_null(apt_source_lines(&mirrors, "trixie", components, NULL));
}

static void test_options(void **state)
{
	char **options = apt_options("Acquire \"\";\n"
				     "Acquire::http::Proxy \"http://p:3142\";\n"
				     "Acquire::https::Proxy \"\";\n"
				     "Acquire::Check-Valid-Until \"false\";\n"
				     "DPkg::Post-Invoke:: \"rm -rf /\";\n");

	(void)state;
	assert_int_equal(strv_len(options), 2);
	assert_string_equal(options[0], "Acquire::http::Proxy \"http://p:3142\";");
	assert_string_equal(options[1], "Acquire::Check-Valid-Until \"false\";");
	strv_free(options);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deb822),	 cmocka_unit_test(test_lines),
		cmocka_unit_test(test_codename), cmocka_unit_test(test_source_lines),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
