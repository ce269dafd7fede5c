/* image/command.c - see command.h */
#include "image/command.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const struct {
	const char *magic;
	size_t len;
	const char *option; /* of tar */
} compressions[] = {
	[COMMAND_PLAIN] = { "", 0, NULL },
	[COMMAND_GZIP] = { "\x1f\x8b", 2, "--gzip" },
	[COMMAND_XZ] = { "\xfd"
			 "7zXZ",
			 6, "--xz" }, /* the string's NUL belongs to it */
	[COMMAND_ZSTD] = { "\x28\xb5\x2f\xfd", 4, "--zstd" },
	[COMMAND_BZIP2] = { "BZh", 3, "--bzip2" },
};
static_assert(ARRAY_LEN(compressions) == COMMAND_COMPRESSION_MAX, "one row each");

enum command_compression command_compression_of(const void *bytes, size_t len)
{
	for (enum command_compression i = COMMAND_GZIP; i < COMMAND_COMPRESSION_MAX; i++)
		if (len >= compressions[i].len &&
		    memcmp(bytes, compressions[i].magic, compressions[i].len) == 0)
			return i;
	return COMMAND_PLAIN;
}

static void push_all(char ***v, const char *const *words)
{
	for (size_t i = 0; words && words[i]; i++)
		strv_push(v, words[i]);
}

char **command_packages(const struct template *t, const struct template_plan *plan)
{
	char **packages = NULL;

	vec_for_each(set, &t->sets)
		if (template_applies(&set->when, plan))
			push_all(&packages, (const char *const *)set->packages);
	return packages;
}

/* --include=a,b,c and what else both bootstrap programs call the same. */
static void push_common(char ***argv, const struct template *t, const struct template_plan *plan)
{
	_cleanup_(strv_freep) char **packages = command_packages(t, plan);
	_cleanup_(freep) char *names = strv_join((const char *const *)packages, ",");
	_cleanup_(freep) char *components =
		t->components ? strv_join((const char *const *)t->components, ",") : NULL;

	if (t->debootstrap_variant)
		strv_push_take(argv, xasprintf("--variant=%s", t->debootstrap_variant));
	if (packages)
		strv_push_take(argv, xasprintf("--include=%s", names));
	if (components)
		strv_push_take(argv, xasprintf("--components=%s", components));
}

char **command_mmdebstrap(const char *program, const struct template *t,
			  const struct template_plan *plan, const char *const *sources,
			  const char *const *options)
{
	char **argv = NULL;

	strv_push(&argv, program);
	strv_push(&argv, "--mode=root");
	/* the directory is there already: nothing else can be written to in the sandbox */
	strv_push(&argv, "--skip=check/empty");
	strv_push(&argv, "--format=directory");
	strv_push_take(&argv, xasprintf("--architectures=%s", plan->arch));
	push_common(&argv, t, plan);
	for (size_t i = 0; options && options[i]; i++)
		strv_push_take(&argv, xasprintf("--aptopt=%s", options[i]));
	strv_push(&argv, plan->release);
	strv_push(&argv, COMMAND_ROOT);
	push_all(&argv, sources);
	return argv;
}

char **command_debootstrap(const char *program, const struct template *t,
			   const struct template_plan *plan, const char *mirror)
{
	char **argv = NULL;

	strv_push(&argv, program);
	strv_push_take(&argv, xasprintf("--arch=%s", plan->arch));
	push_common(&argv, t, plan);
	strv_push(&argv, plan->release);
	strv_push(&argv, COMMAND_ROOT);
	if (mirror)
		strv_push(&argv, mirror);
	return argv;
}

char **command_untar(const char *program, enum command_compression compression)
{
	static const char *const options[] = {
		"--extract",
		"--file=-",
		"--directory=" COMMAND_ROOT,
		"--numeric-owner",
		"--same-permissions",
		"--xattrs",
		"--xattrs-include=security.capability",
		"--anchored",
		"--exclude=dev/*",
		"--exclude=./dev/*",
		NULL,
	};
	char **argv = NULL;

	strv_push(&argv, program);
	if (compressions[compression].option)
		strv_push(&argv, compressions[compression].option);
	push_all(&argv, options);
	return argv;
}

char **command_tar(const char *program, const char *zstd, const char *name)
{
	static const char *const options[] = {
		"--directory=" COMMAND_WORK,
		"--format=posix",
		"--pax-option=delete=atime,delete=ctime",
		"--sort=name",
		"--numeric-owner",
		"--xattrs",
		"--xattrs-include=user.*",
		"--xattrs-include=security.capability",
		"--anchored",
		"--exclude=rootfs/dev/*",
		"--exclude=rootfs/.build", /* INSIDE_DIR */
		"metadata.yaml",
		"rootfs",
		NULL,
	};
	char **argv = NULL;

	strv_push(&argv, program);
	strv_push(&argv, "--create");
	strv_push_take(&argv, xasprintf("--file=%s/%s", COMMAND_WORK, name));
	if (zstd)
		strv_push_take(&argv, xasprintf("--use-compress-program=%s -q -T0 -3", zstd));
	else
		strv_push(&argv, "--gzip");
	push_all(&argv, options);
	return argv;
}

static const struct {
	const char *name;
	const char *program; /* NULL: none */
} packers[] = {
	{ "zstd", "/usr/bin/zstd -q -T0 -3" },
	{ "gzip", "/bin/gzip -n" },
	{ "xz", "/usr/bin/xz -q -T0" },
	{ "none", NULL },
};
static_assert(ARRAY_LEN(packers) == 4, "one row per name in spec/job.c");

/* What another machine must not have: keys, leases, seeds, the journal of its machine-id. */
static const char *const private_paths[] = {
	"dev/*",
	"etc/dropbear/*_host_key",
	"etc/ssh/ssh_host_*",
	"var/lib/NetworkManager/*.lease",
	"var/lib/NetworkManager/secret_key",
	"var/lib/dbus/machine-id",
	"var/lib/dhcp/*.leases",
	"var/lib/dhclient/*.lease*",
	"var/lib/dhcpcd/*.lease*",
	"var/lib/misc/random-seed",
	"var/lib/systemd/credential.secret",
	"var/lib/systemd/random-seed",
	"var/lib/urandom/random-seed",
	"var/lib/seedrng/*",
	"var/log/journal/*",
	"run/*",
	"tmp/*",
};

char **command_pack(const char *program, const char *compression, const char *scrub,
		    const char *const *members)
{
	static const char *const options[] = {
		"--create",
		"--file=-",
		"--directory=" COMMAND_WORK,
		"--format=posix",
		"--pax-option=delete=atime,delete=ctime",
		"--sort=name",
		"--numeric-owner",
		"--xattrs",
		"--xattrs-include=user.*",
		"--xattrs-include=security.capability",
		"--warning=no-file-ignored",
		"--anchored",
		NULL,
	};
	char **argv = NULL;

	strv_push(&argv, program);
	push_all(&argv, options);
	for (size_t i = 0; i < ARRAY_LEN(packers); i++)
		if (streq(packers[i].name, compression) && packers[i].program)
			strv_push_take(&argv,
				       xasprintf("--use-compress-program=%s", packers[i].program));
	for (size_t i = 0; scrub && i < ARRAY_LEN(private_paths); i++)
		strv_push_take(&argv, xasprintf("--exclude=%s/%s", scrub, private_paths[i]));
	push_all(&argv, members);
	return argv;
}
