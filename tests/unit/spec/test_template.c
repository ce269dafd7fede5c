/* tests of spec/template: reading, and what a name means */
#include "spec/template.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"

#define HEAD "image: {distribution: D, release: one}\nsource: {downloader: rootfs-http, url: u}\n"

static const struct template_settings x86 = { .architecture = "x86_64" };

/* One of the templates that are installed. */
static struct template *load(const char *name)
{
	const char *srcdir = getenv("SYSCTR_SRCDIR");
	_cleanup_(freep) char *path =
		xasprintf("%s/templates/%s.yaml", srcdir ? srcdir : ".", name);
	struct template *t = NULL;
	struct err err = { 0 };
	char text[16384];
	FILE *file = fopen(path, "re");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof(text), file);
	(void)fclose(file);
	if (template_parse(text, len, &t, &err) < 0)
		fail_msg("%s: %s", name, err.msg);
	return t;
}

static void test_what_is_refused(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{ "", "template: must have keys and values" },
		{ "a: 1\n", "template: unknown key \"a\"" },
		{ "image: {distribution: D}\n", "image: \"release\" is missing" },
		{ "image: {distribution: D, relase: x, release: y}\n",
		  "image: unknown key \"relase\"; did you mean \"release\"?" },
		{ "image: {distribution: D, release: x}\n", "\"source\" is missing" },
		{ "image: {distribution: D, release: x}\nsource: {downloader: rootfs-htp}\n",
		  "source: unknown downloader \"rootfs-htp\"; did you mean \"rootfs-http\"?" },
		{ "image: {distribution: D, release: x}\nsource: {downloader: rootfs-http}\n",
		  "source: \"url\" or \"index_url\" is missing" },
		{ HEAD "files: [{path: a, generator: dump, content: x}]\n",
		  "files[0]: \"path\" must be a plain absolute path: \"a\"" },
		{ HEAD "files: [{path: /a/../../b, generator: remove}]\n",
		  "files[0]: \"path\" must be a plain absolute path: \"/a/../../b\"" },
		{ HEAD "files: [{path: /a, generator: dump}]\n",
		  "files[0]: \"content\" is missing" },
		{ HEAD "files: [{path: /a, generator: copy, source: ../x}]\n",
		  "files[0]: \"source\" must be a plain file name: \"../x\"" },
		{ HEAD
		  "files: [{path: /a, generator: remove}, {path: /a, generator: dump, content: "
		  "x, mode: 99}]\n",
		  "files[1]: \"mode\" is no octal number: \"99\"" },
		{ HEAD "packages: {manager: apk, sets: [{packages: ['--root=/']}]}\n",
		  "packages.sets[0]: \"--root=/\" is no package name" },
		{ HEAD "actions: [{trigger: post-file, action: x}]\n",
		  "actions[0]: unknown trigger \"post-file\"; did you mean \"post-files\"?" },
		{ HEAD "actions: [x]\n", "actions[0]: must have keys and values" },
		{ HEAD "releases: [x]\n", "releases: must have names and descriptions" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct template *t = NULL;
		struct err err = { 0 };

		assert_int_equal(template_parse(cases[i].text, strlen(cases[i].text), &t, &err),
				 -EINVAL);
		assert_string_equal(err.msg, cases[i].message);
		assert_null(t);
	}
}

static void test_names(void **state)
{
	static const struct {
		const char *template;
		const char *name;
		const char *alias; /* or the message */
		int r;
	} cases[] = {
		{ "debian", "debian", "debian/bookworm", 0 },
		{ "debian", "debian/trixie", "debian/trixie", 0 },
		{ "debian", "debian/trixie/default", "debian/trixie", 0 },
		{ "alpine", "alpine/3.20/mini", "alpine/3.20/mini", 0 },
		{ "debian", "debian/trixi",
		  "template \"debian\" has no release \"trixi\"; did you mean \"trixie\"?",
		  -ENOENT },
		{ "debian", "debian/zzzzzzzzz",
		  "template \"debian\" has no release \"zzzzzzzzz\"; there is bookworm, trixie",
		  -ENOENT },
		{ "alpine", "alpine/3.20/minni",
		  "template \"alpine\" has no variant \"minni\"; did you mean \"mini\"?", -ENOENT },
		{ "debian", "debian/a/b/c",
		  "template \"debian/a/b/c\": must be NAME, NAME/RELEASE or NAME/RELEASE/VARIANT",
		  -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(template_freep) struct template *t = load(cases[i].template);
		_cleanup_(template_plan_done) struct template_plan plan = { 0 };
		struct err err = { 0 };

		assert_int_equal(template_resolve(t, cases[i].name, &x86, &plan, &err), cases[i].r);
		assert_string_equal(cases[i].r == 0 ? plan.alias : err.msg, cases[i].alias);
	}
}

static void test_fetch_job(void **state)
{
	_cleanup_(template_freep) struct template *t = load("alpine");
	_cleanup_(template_plan_done) struct template_plan plan = { 0 };
	const struct template_settings settings = { "http://m/alpine//", "x86_64" };
	struct job job = { 0 };

	(void)state;
	assert_int_equal(template_resolve(t, "alpine/3.20", &settings, &plan, NULL), 0);
	assert_int_equal(plan.downloader, TEMPLATE_ROOTFS_HTTP);
	template_fill_fetch(&plan, &job);
	assert_int_equal(job.kind, JOB_FETCH);
	assert_null(job.url);
	assert_string_equal(strmap_get(&job.variables, "index_url"),
			    "http://m/alpine/v3.20/releases/x86_64/latest-releases.yaml");
	assert_string_equal(strmap_get(&job.variables, "flavor"), "alpine-minirootfs");
	assert_string_equal(strmap_get(&job.variables, "checksum_url"), "{url}.sha512");
	assert_string_equal(plan.repositories[0], "http://m/alpine/v3.20/main");
	strmap_done(&job.variables);
	template_fill_build(&plan, &job);
	assert_int_equal(job.kind, JOB_IMAGE_BUILD);
	assert_string_equal(strmap_get(&job.variables, "name"), "alpine");
	assert_string_equal(strmap_get(&job.variables, "variant"), "default");
	wire_free(&job_schema, &job);
}

static void test_debian_has_no_mirror_of_its_own(void **state)
{
	_cleanup_(template_freep) struct template *t = load("debian");
	_cleanup_(template_plan_done) struct template_plan plan = { 0 };
	const struct template_settings arm = { "", "aarch64" };
	const struct template_settings vax = { NULL, "vax" };
	struct template_plan none = { 0 };

	(void)state;
	assert_int_equal(template_resolve(t, "debian", &arm, &plan, NULL), 0);
	assert_int_equal(plan.downloader, TEMPLATE_DEBOOTSTRAP);
	assert_null(plan.mirror);
	assert_string_equal(plan.arch, "arm64");
	assert_int_equal(template_resolve(t, "debian", &vax, &none, NULL), -ENOENT);
	assert_null(none.name);
}

static void test_applies(void **state)
{
	char *mini[] = { (char *)"mini", NULL }, *amd64[] = { (char *)"amd64", NULL };
	const struct template_plan plan = {
		.release = (char *)"3.20",
		.variant = (char *)"default",
		.architecture = (char *)"x86_64",
		.arch = (char *)"amd64",
	};

	(void)state;
	assert_true(template_applies(&(struct template_when){ 0 }, &plan));
	assert_true(template_applies(&(struct template_when){ .architectures = amd64 }, &plan));
	assert_false(template_applies(&(struct template_when){ .variants = mini }, &plan));
}

static void test_substitution(void **state)
{
	static const char good[] =
		"image: {distribution: D, release: one, description: 'x {release} {arch}'}\n"
		"source: {downloader: rootfs-http, url: '{mirror}/{machine}.tar'}\n";
	static const char bad[] = "image: {distribution: D, release: one}\n"
				  "source: {downloader: rootfs-http, url: '{include}'}\n";
	const struct template_settings settings = { "m{release}", "x86_64" };
	struct template_plan plan = { 0 };
	struct template *t = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(template_parse(good, strlen(good), &t, NULL), 0);
	assert_int_equal(template_resolve(t, "t", &settings, &plan, &err), 0);
	assert_string_equal(plan.description, "x one x86_64");
	assert_string_equal(plan.url,
			    "m{release}/x86_64.tar"); /* what is put in is not read again */
	template_plan_done(&plan);
	assert_int_equal(template_resolve(t, "t", &x86, &plan, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "{mirror} has no value"));
	template_free(t);
	assert_int_equal(template_parse(bad, strlen(bad), &t, NULL), 0);
	assert_int_equal(template_resolve(t, "t", &x86, &plan, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "unknown word in braces"));
	template_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_fetch_job),
		cmocka_unit_test(test_debian_has_no_mirror_of_its_own),
		cmocka_unit_test(test_applies),
		cmocka_unit_test(test_substitution),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
