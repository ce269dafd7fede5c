/*
 * spec/template.h - a template (templates/debian.yaml) as a struct, and what one build of it is
 *
 * Layer spec: pure. sysctrd resolves with it which jobs to run, sysctr-worker builds with it. How
 * sysctrd makes the image "debian/trixie" or "alpine/3.20/mini":
 *
 *	template_parse(text of DATADIR/templates/debian.yaml) -> template
 *	template_resolve(template, "debian/trixie", {mirror setting, architecture}) -> plan
 *	plan.downloader == TEMPLATE_ROOTFS_HTTP: template_fill_fetch(plan, job); job.dst = a file in
 *		a cache directory (kept: a repeated build finds it there); run JOB_FETCH
 *	template_fill_build(plan, job), job.template_text = text; job.src = that file or NULL;
 *		job.dir, id_base, id_count; run JOB_IMAGE_BUILD: results as JOB_IMAGE_STORE
 *	plan.alias is the alias to give the image
 *
 * Index, checksum file and tarball are downloaded and read by sysctr-fetch in that one job.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "base/vec.h"
#include "spec/job.h"

enum template_downloader {
	TEMPLATE_DEBOOTSTRAP, /* mmdebstrap, else debootstrap, inside the build */
	TEMPLATE_ROOTFS_HTTP, /* a tarball, fetched first */
	TEMPLATE_DOWNLOADER_MAX
};

enum template_generator {
	TEMPLATE_DUMP,	  /* content */
	TEMPLATE_COPY,	  /* source, a file beside the template */
	TEMPLATE_REMOVE,  /* path, with all below it; may be missing */
	TEMPLATE_SYMLINK, /* content is the target */
	TEMPLATE_GENERATOR_MAX
};

enum template_trigger {
	TEMPLATE_POST_UNPACK,
	TEMPLATE_POST_PACKAGES,
	TEMPLATE_POST_FILES,
	TEMPLATE_TRIGGER_MAX
};

enum template_manager {
	TEMPLATE_APT,
	TEMPLATE_APK,
	TEMPLATE_MANAGER_MAX
};

enum template_arch_names {
	TEMPLATE_ARCH_KERNEL, /* x86_64, aarch64 */
	TEMPLATE_ARCH_DEBIAN, /* amd64, arm64 */
	TEMPLATE_ARCH_ALPINE, /* x86_64, x86 */
	TEMPLATE_ARCH_NAMES_MAX
};

/* To which builds a part belongs; NULL: to all. */
struct template_when {
	char **releases;
	char **variants;
	char **architectures;
};

struct template_choice { /* a release or a variant */
	char *name;
	char *description;
};

struct template_packages {
	char **packages;
	struct template_when when;
};

struct template_file {
	char *path; /* absolute, inside the image */
	uint32_t generator;
	char *content;
	char *source; /* plain file name */
	uint32_t mode;
	uint32_t uid, gid;
	struct template_when when;
};

struct template_action {
	uint32_t trigger;
	char *script; /* run by its #! line, /bin/sh without one */
	struct template_when when;
};

struct template
{
	char *distribution, *release, *variant, *description; /* release, variant: the defaults */
	char **architectures;				      /* uname -m names; NULL: any */
	VEC(struct template_choice) releases;		      /* empty: any */
	VEC(struct template_choice) variants;
	uint32_t downloader;
	char *mirror;	    /* default of {mirror}; NULL: the downloader's own */
	char *url;	    /* of the tarball; {} inside this and the next three are replaced */
	char *index_url;    /* a list of {flavor, file, version, sha512} that gives url */
	char *checksum_url; /* "<hex>  <file>" lines */
	char *checksum;	    /* "sha256:..." */
	char *flavor;	    /* which one in the index */
	char **components;
	char *debootstrap_variant; /* "minbase" */
	uint32_t manager;
	char **repositories; /* URLs for the manager; {} is replaced */
	VEC(struct template_packages) sets;
	VEC(struct template_file) files;
	VEC(struct template_action) actions;
	uint32_t arch_names; /* enum template_arch_names: what {arch} is */
	char *stop_signal;   /* "SIGUSR2"; NULL: found out from the init */
	char *init;	     /* NULL: /sbin/init */
};

/*
 * Every key is checked; free with template_freep() on success.
 * Errors: ERR_INVALID with the place in the document and "did you mean".
 */
int template_parse(const char *text, size_t len, struct template **ret_template, struct err *err);
void template_free(struct template *t);
void template_freep(struct template **t);

struct template_settings {
	const char *mirror;	  /* the daemon's setting; NULL, "": the template's */
	const char *architecture; /* "x86_64" */
};

/* One build, all decided. Free with template_plan_done(). */
struct template_plan {
	enum template_downloader downloader;
	char *name;  /* first part of what was asked for: "alpine" */
	char *alias; /* "alpine/3.20/mini": release always, variant unless it is the default */
	char *release, *variant, *architecture;
	char *arch;   /* as the distribution says: "amd64" */
	char *mirror; /* NULL: the downloader's own */
	char *description;
	char *url, *index_url, *flavor, *checksum_url, *checksum; /* NULL: not given */
	char **repositories;
};

/*
 * Decide what @name ("debian", "debian/trixie", "alpine/3.20/mini") of @t means.
 * Errors: ERR_NOT_FOUND 'template "debian" has no release "trixi"; did you mean "trixie"?'.
 */
int template_resolve(const struct template *t, const char *name,
		     const struct template_settings *settings, struct template_plan *ret_plan,
		     struct err *err);
void template_plan_done(struct template_plan *plan);

/* kind, url, checksum and variables (index_url, flavor, checksum_url) of JOB_FETCH. */
void template_fill_fetch(const struct template_plan *plan, struct job *job);

/* kind and variables (name, release, variant, architecture, mirror) of JOB_IMAGE_BUILD. */
void template_fill_build(const struct template_plan *plan, struct job *job);

/* Whether a part with @when belongs to the build. */
bool template_applies(const struct template_when *when, const struct template_plan *plan);
