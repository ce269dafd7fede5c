/*
 * image/command.h - the command lines of the programs a build runs (image, pure)
 *
 * Each returns a strv for execve(): absolute path first, no shell in between. Inside of the tools'
 * sandbox the build lies below COMMAND_WORK.
 */
#pragma once

#include "base/err.h"
#include "spec/template.h"

#define COMMAND_WORK "/mnt"
#define COMMAND_ROOT "/mnt/rootfs"

enum command_compression {
	COMMAND_PLAIN,
	COMMAND_GZIP,
	COMMAND_XZ,
	COMMAND_ZSTD,
	COMMAND_BZIP2,
	COMMAND_COMPRESSION_MAX
};

/* By the first bytes of a file. */
enum command_compression command_compression_of(const void *bytes, size_t len);

/* Names of all packages of the build, in order. strv, NULL for none. */
char **command_packages(const struct template *t, const struct template_plan *plan);

/* @sources: "deb ..." lines, NULL: mmdebstrap's own choice. @options: for --aptopt. */
char **command_mmdebstrap(const char *program, const struct template *t,
			  const struct template_plan *plan, const char *const *sources,
			  const char *const *options);

/* @mirror: NULL: debootstrap's own choice. */
char **command_debootstrap(const char *program, const struct template *t,
			   const struct template_plan *plan, const char *mirror);

/* Unpack a tarball on standard input below COMMAND_ROOT; what is in /dev is left out. */
char **command_untar(const char *program, enum command_compression compression);

/*
 * Pack @members of COMMAND_WORK to standard output. @compression: of job_compressions. @scrub: the root file system among them, of
 * which keys, leases and the like are left out; NULL: it is packed as it is.
 */
char **command_pack(const char *program, const char *compression, const char *scrub,
		    const char *const *members);

/* Pack metadata.yaml and rootfs of COMMAND_WORK into its file @name; @zstd NULL: gzip. */
char **command_tar(const char *program, const char *zstd, const char *name);
