/* tests of api/routes: the matcher, the golden list, and docs/rest-api.md */
#include "api/routes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../golden.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

static const struct {
	const char *method;
	const char *path;
	const char *pattern; /* NULL: none fits */
	const char *args;    /* joined by '|'; for -EPERM what is allowed */
	int rc;
} cases[] = {
	{ "GET", "/", "/", "", 0 },
	{ "GET", "/1.0", "/1.0", "", 0 },
	{ "GET", "/1.0/instances", "/1.0/instances", "", 0 },
	{ "GET", "/1.0/containers", "/1.0/instances", "", 0 },
	{ "GET", "/1.0/containers/c1/state", "/1.0/instances/{name}/state", "c1", 0 },
	{ "PUT", "/1.0/instances/c1/state", "/1.0/instances/{name}/state", "c1", 0 },
	/* A slash in a segment stays inside it: no instance can have that name. */
	{ "GET", "/1.0/instances/c1%2Fsnap0", "/1.0/instances/{name}", "c1/snap0", 0 },
	{ "GET", "/1.0/instances/c1/logs/a%20b", "/1.0/instances/{name}/logs/{file}", "c1|a b", 0 },
	/* Aliases take the rest of the path, encoded or not. */
	{ "GET", "/1.0/images/aliases/debian/13", "/1.0/images/aliases/{name...}", "debian/13", 0 },
	{ "GET", "/1.0/images/aliases/a%2Fb", "/1.0/images/aliases/{name...}", "a/b", 0 },
	{ "GET", "/1.0/images/aliases", "/1.0/images/aliases", "", 0 },
	{ "GET", "/1.0/images/abc", "/1.0/images/{fingerprint}", "abc", 0 },
	/* The literal pattern decides: "aliases" is no fingerprint. */
	{ "DELETE", "/1.0/images/aliases", NULL, "GET, POST", -EPERM },
	{ "PATCH", "/1.0/instances/c1/state", NULL, "GET, PUT", -EPERM },
	{ "BREW", "/1.0", NULL, "GET, PUT, PATCH", -EPERM },
	{ "GET", "/1.0/nothing", NULL, NULL, -ENOENT },
	{ "GET", "/2.0", NULL, NULL, -ENOENT },
	{ "GET", "/1.0/instances/c1/state/x", NULL, NULL, -ENOENT },
	{ "GET", "/1.0/instances/", NULL, NULL, -ENOENT },
	{ "GET", "/1.0/instances/%zz", NULL, NULL, -EINVAL },
	{ "GET", "/1.0/instances/a%00b", NULL, NULL, -EINVAL },
};

static void test_matcher(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strv_freep) char **args = NULL;
		_cleanup_(freep) char *allow = NULL;
		_cleanup_(freep) char *joined = NULL;
		const struct route *route = NULL;
		int rc = route_find(cases[i].method, cases[i].path, &route, &args, &allow);

		if (rc != cases[i].rc)
			print_message("%s %s\n", cases[i].method, cases[i].path);
		assert_int_equal(rc, cases[i].rc);
		if (rc == -EPERM)
			assert_string_equal(allow, cases[i].args);
		if (rc < 0)
			continue;
		assert_string_equal(route->pattern, cases[i].pattern);
		assert_string_equal(route->method, cases[i].method);
		joined = strv_join((const char *const *)args, "|");
		assert_string_equal(joined ? joined : "", cases[i].args);
	}
}

static void test_golden_list(void **state)
{
	static const char *const bodies[ROUTE_BODY_MAX] = { "ignored", "json", "own" };
	struct buf text = { 0 };

	(void)state;
	for (size_t i = 0; i < n_routes; i++)
		buf_printf(&text, "%s %s %s\n", routes[i].method, routes[i].pattern,
			   bodies[routes[i].body]);
	assert_golden("api/routes.txt", buf_str(&text));
	buf_done(&text);
}

static void test_no_route_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_routes; i++) {
		assert_non_null(routes[i].handler);
		for (size_t k = 0; k < i; k++)
			assert_false(streq(routes[i].method, routes[k].method) &&
				     streq(routes[i].pattern, routes[k].pattern));
	}
}

static char *read_document(void)
{
	const char *srcdir = getenv("SYSCTR_SRCDIR");
	_cleanup_(freep) char *path = xasprintf("%s/docs/rest-api.md", srcdir ? srcdir : ".");
	FILE *file = fopen(path, "re");
	struct buf text = { 0 };
	char line[4096];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		buf_add_str(&text, line);
	(void)fclose(file);
	return buf_take_str(&text);
}

/* A row begins "| `METHOD` | `pattern` |". */
static void test_every_route_is_documented(void **state)
{
	_cleanup_(freep) char *document = read_document();

	(void)state;
	for (size_t i = 0; i < n_routes; i++) {
		_cleanup_(freep) char *row =
			xasprintf("\n| `%s` | `%s` |", routes[i].method, routes[i].pattern);

		if (!strstr(document, row))
			fail_msg("docs/rest-api.md has no row for %s %s", routes[i].method,
				 routes[i].pattern);
	}
}

/* ... and no row is left of a route that is gone. */
static void test_every_row_has_a_route(void **state)
{
	_cleanup_(freep) char *document = read_document();
	size_t rows = 0;

	(void)state;
	for (const char *p = strstr(document, "\n| `"); p; p = strstr(p + 1, "\n| `"))
		rows++;
	assert_int_equal(rows, n_routes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matcher),
		cmocka_unit_test(test_golden_list),
		cmocka_unit_test(test_no_route_twice),
		cmocka_unit_test(test_every_route_is_documented),
		cmocka_unit_test(test_every_row_has_a_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
