/* tests of image/command and image/pack: command lines and metadata against golden files */
#include "image/command.h"

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
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/pack.h"

static struct template *load(const char *name)
{
	const char *srcdir = getenv("SYSCTR_SRCDIR");
	_cleanup_(freep) char *path =
		xasprintf("%s/templates/%s.yaml", srcdir ? srcdir : ".", name);
	struct template *t = NULL;
	char text[16384];
	FILE *file = fopen(path, "re");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof(text), file);
	(void)fclose(file);
	assert_int_equal(template_parse(text, len, &t, NULL), 0);
	return t;
}

static struct template_plan resolve(const struct template *t, const char *name)
{
	const struct template_settings settings = { "http://m.example/x", "x86_64" };
	struct template_plan plan = { 0 };

	assert_int_equal(template_resolve(t, name, &settings, &plan, NULL), 0);
	return plan;
}

static void assert_argv(const char *golden, char **argv)
{
	_cleanup_(freep) char *lines = strv_join((const char *const *)argv, "\n");
	_cleanup_(freep) char *text = xasprintf("%s\n", lines);

	assert_golden(golden, text);
	strv_free(argv);
}

static void test_bootstrap(void **state)
{
	_cleanup_(template_freep) struct template *t = load("debian");
	_cleanup_(template_plan_done) struct template_plan plan = resolve(t, "debian/trixie");
	static const char *const sources[] = { "deb http://m.example/x trixie main", NULL };
	static const char *const options[] = { "Acquire::http::Proxy \"http://p\";", NULL };

	(void)state;
	assert_argv("image/mmdebstrap.txt",
		    command_mmdebstrap("/usr/bin/mmdebstrap", t, &plan, sources, options));
	assert_argv("image/debootstrap.txt",
		    command_debootstrap("/usr/sbin/debootstrap", t, &plan, plan.mirror));
}

static void test_tar(void **state)
{
	(void)state;
	assert_argv("image/untar.txt", command_untar("/usr/bin/tar", COMMAND_XZ));
	assert_argv("image/tar.txt", command_tar("/usr/bin/tar", "/usr/bin/zstd", "image.part"));
}

static void test_packages(void **state)
{
	_cleanup_(template_freep) struct template *t = load("alpine");
	_cleanup_(template_plan_done) struct template_plan full = resolve(t, "alpine/3.20");
	_cleanup_(template_plan_done) struct template_plan mini = resolve(t, "alpine/3.20/mini");
	_cleanup_(strv_freep) char **packages = command_packages(t, &full);

	(void)state;
	assert_true(strv_contains((const char *const *)packages, "openrc"));
	assert_null(command_packages(t, &mini));
}

static void test_compression(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum command_compression compression;
	} cases[] = {
		{ "\x1f\x8b\x08", 3, COMMAND_GZIP },
		{ "\xfd"
		  "7zXZ\0",
		  6, COMMAND_XZ },
		{ "\x28\xb5\x2f\xfd", 4, COMMAND_ZSTD },
		{ "BZh9", 4, COMMAND_BZIP2 },
		{ "./etc", 5, COMMAND_PLAIN },
		{ "\x1f", 1, COMMAND_PLAIN },
		{ "", 0, COMMAND_PLAIN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(command_compression_of(cases[i].bytes, cases[i].len),
				 cases[i].compression);
}

/* E4: a known word becomes a program of ours, and nothing else does. */
static void test_pack(void **state)
{
	static const char *const members[] = { "metadata.yaml", "rootfs", NULL };
	_cleanup_(strv_freep) char **argv = command_pack("/bin/tar", "xz", "rootfs", members);
	_cleanup_(strv_freep) char **plain = command_pack("/bin/tar", "none", NULL, members);
	_cleanup_(freep) char *text = strv_join((const char *const *)argv, "\n");

	(void)state;
	assert_golden("image/pack.txt", text);
	assert_string_equal(plain[strv_len(plain) - 1], "rootfs");
	for (char **word = plain; *word; word++)
		assert_null(str_after(*word, "--use-compress-program"));
	for (size_t i = 0; job_compressions[i]; i++)
		assert_int_equal(job_check_compression(job_compressions[i], NULL), 0);
	assert_true(job_check_compression("gzip --rsyncable", NULL) < 0);
	assert_true(job_check_compression("xz;id", NULL) < 0);
	assert_true(job_check_compression(NULL, NULL) < 0);
}

static void test_metadata(void **state)
{
	_cleanup_(template_freep) struct template *t = load("alpine");
	_cleanup_(template_plan_done) struct template_plan plan = resolve(t, "alpine/3.20/mini");
	_cleanup_(strmap_done) struct strmap properties = { 0 };
	_cleanup_(buf_done) struct buf text = { 0 };

	(void)state;
	pack_properties(t, &plan, 1795329989, &properties);
	pack_metadata(plan.architecture, &properties, 1795329989, &text);
	assert_golden("image/metadata.yaml", buf_str(&text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bootstrap), cmocka_unit_test(test_tar),
		cmocka_unit_test(test_packages),  cmocka_unit_test(test_compression),
		cmocka_unit_test(test_metadata),  cmocka_unit_test(test_pack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
