/* spec/template.c - see template.h; reading the YAML is template_parse.c's */
#include "spec/template.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

/* What each distribution calls a machine. */
static const char *const machines[][TEMPLATE_ARCH_NAMES_MAX] = {
	{ "x86_64", "amd64", "x86_64" },     { "aarch64", "arm64", "aarch64" },
	{ "i686", "i386", "x86" },	     { "armv7l", "armhf", "armv7" },
	{ "ppc64le", "ppc64el", "ppc64le" }, { "s390x", "s390x", "s390x" },
	{ "riscv64", "riscv64", "riscv64" },
};

static void when_done(struct template_when *when)
{
	strv_free(when->releases);
	strv_free(when->variants);
	strv_free(when->architectures);
}

static void free_choices(struct template_choice *items, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		free(items[i].name);
		free(items[i].description);
	}
	free(items);
}

static void free_parts(struct template *t)
{
	vec_for_each(set, &t->sets) {
		strv_free(set->packages);
		when_done(&set->when);
	}
	vec_for_each(file, &t->files) {
		free(file->path);
		free(file->content);
		free(file->source);
		when_done(&file->when);
	}
	vec_for_each(action, &t->actions) {
		free(action->script);
		when_done(&action->when);
	}
	free(t->sets.items);
	free(t->files.items);
	free(t->actions.items);
}

void template_free(struct template *t)
{
	if (!t)
		return;
	free(t->distribution);
	free(t->release);
	free(t->variant);
	free(t->description);
	strv_free(t->architectures);
	free_choices(t->releases.items, t->releases.len);
	free_choices(t->variants.items, t->variants.len);
	free(t->mirror);
	free(t->url);
	free(t->index_url);
	free(t->checksum_url);
	free(t->checksum);
	free(t->flavor);
	strv_free(t->components);
	free(t->debootstrap_variant);
	strv_free(t->repositories);
	free(t->stop_signal);
	free(t->init);
	free_parts(t);
	free(t);
}

void template_freep(struct template **t)
{
	template_free(*t);
}

void template_plan_done(struct template_plan *plan)
{
	free(plan->name);
	free(plan->alias);
	free(plan->release);
	free(plan->variant);
	free(plan->architecture);
	free(plan->arch);
	free(plan->mirror);
	free(plan->description);
	free(plan->url);
	free(plan->index_url);
	free(plan->flavor);
	free(plan->checksum_url);
	free(plan->checksum);
	strv_free(plan->repositories);
	*plan = (struct template_plan){ 0 };
}

static const char *arch_of(const char *machine, uint32_t names)
{
	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		if (streq(machines[i][TEMPLATE_ARCH_KERNEL], machine))
			return machines[i][names];
	return machine;
}

/* Copy of @text with each {word} replaced by the plan's. NULL for NULL. */
static int substitute(const char *text, const struct template_plan *plan, char **ret_text,
		      struct err *err)
{
	const struct {
		const char *word;
		const char *value;
	} words[] = {
		{ "{release}", plan->release },
		{ "{variant}", plan->variant },
		{ "{arch}", plan->arch },
		{ "{mirror}", plan->mirror },
		{ "{machine}", plan->architecture },
		{ "{url}", "{url}" }, /* of the tarball: known to sysctr-fetch only */
	};
	_cleanup_(buf_done) struct buf out = { 0 };

	while (text && *text) {
		const char *rest = NULL;

		for (size_t i = 0; !rest && i < ARRAY_LEN(words); i++) {
			rest = str_after(text, words[i].word);
			if (rest && !words[i].value)
				return err_kind(err, ERR_INVALID, "%s has no value in \"%s\"",
						words[i].word, text);
			if (rest)
				buf_add_str(&out, words[i].value);
		}
		if (!rest && *text == '{')
			return err_kind(err, ERR_INVALID, "unknown word in braces: \"%s\"", text);
		if (!rest)
			buf_add_char(&out, *text++);
		else
			text = rest;
	}
	*ret_text = text ? buf_take_str(&out) : NULL;
	return 0;
}

/* Take @wanted, or the default; it must be one of the choices unless there are none. */
static int choose(const char *template_name, const char *what, const char *wanted,
		  const char *fallback, const struct template_choice *choices, size_t n_choices,
		  char **ret_name, struct err *err)
{
	_cleanup_(strv_freep) char **names = NULL;
	_cleanup_(freep) char *list = NULL;
	const char *name = str_empty(wanted) ? fallback : wanted, *near;

	for (size_t i = 0; i < n_choices; i++)
		strv_push(&names, choices[i].name);
	if (n_choices == 0 || strv_contains((const char *const *)names, name)) {
		*ret_name = xstrdup(name);
		return 0;
	}
	near = str_nearest(name, (const char *const *)names);
	list = strv_join((const char *const *)names, ", ");
	if (near)
		return err_kind(err, ERR_NOT_FOUND,
				"template \"%s\" has no %s \"%s\"; did you mean \"%s\"?",
				template_name, what, name, near);
	return err_kind(err, ERR_NOT_FOUND, "template \"%s\" has no %s \"%s\"; there is %s",
			template_name, what, name, list);
}

/* Split "alpine/3.20/mini" into the plan's name and the two words behind it (NULL: not given). */
static int split_name(const char *name, struct template_plan *plan, char **ret_release,
		      char **ret_variant, struct err *err)
{
	_cleanup_(strv_freep) char **parts = strv_split(name, "/");
	size_t n = strv_len(parts);

	if (n == 0 || n > 3)
		return err_kind(
			err, ERR_INVALID,
			"template \"%s\": must be NAME, NAME/RELEASE or NAME/RELEASE/VARIANT",
			name);
	plan->name = xstrdup(parts[0]);
	*ret_release = n > 1 ? xstrdup(parts[1]) : NULL;
	*ret_variant = n > 2 ? xstrdup(parts[2]) : NULL;
	return 0;
}

static int resolve_machine(const struct template *t, const struct template_settings *settings,
			   struct template_plan *plan, struct err *err)
{
	const char *machine = settings->architecture;

	if (t->architectures && !strv_contains((const char *const *)t->architectures, machine))
		return err_kind(err, ERR_NOT_FOUND, "template \"%s\" is not for architecture %s",
				plan->name, machine);
	plan->architecture = xstrdup(machine);
	plan->arch = xstrdup(arch_of(machine, t->arch_names));
	return 0;
}

/* The URLs and the other texts, once all words in braces are known. */
static int resolve_texts(const struct template *t, struct template_plan *plan, struct err *err)
{
	const struct {
		const char *text;
		char **ret;
	} texts[] = {
		{ t->description, &plan->description }, { t->url, &plan->url },
		{ t->index_url, &plan->index_url },	{ t->checksum_url, &plan->checksum_url },
		{ t->checksum, &plan->checksum },	{ t->flavor, &plan->flavor },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
		r = substitute(texts[i].text, plan, texts[i].ret, err);
	for (size_t i = 0; r == 0 && t->repositories && t->repositories[i]; i++) {
		char *url = NULL;

		r = substitute(t->repositories[i], plan, &url, err);
		if (r == 0)
			strv_push_take(&plan->repositories, url);
	}
	return r < 0 ? err_wrap(err, "template \"%s\"", plan->name) : 0;
}

static int resolve(const struct template *t, const char *name,
		   const struct template_settings *settings, struct template_plan *plan,
		   struct err *err)
{
	_cleanup_(freep) char *release = NULL, *variant = NULL;
	const char *usual = t->variant ? t->variant : "default";
	int r = split_name(name, plan, &release, &variant, err);

	if (r == 0)
		r = choose(plan->name, "release", release, t->release, t->releases.items,
			   t->releases.len, &plan->release, err);
	if (r == 0)
		r = choose(plan->name, "variant", variant, usual, t->variants.items,
			   t->variants.len, &plan->variant, err);
	if (r == 0)
		r = resolve_machine(t, settings, plan, err);
	if (r < 0)
		return r;
	plan->downloader = t->downloader;
	plan->mirror = xstrdup(str_empty(settings->mirror) ? t->mirror : settings->mirror);
	/* "http://host/alpine/" and "http://host/alpine" are the same mirror */
	while (plan->mirror && str_ends_with(plan->mirror, "/"))
		plan->mirror[strlen(plan->mirror) - 1] = '\0';
	plan->alias = streq(plan->variant, usual)
			      ? xasprintf("%s/%s", plan->name, plan->release)
			      : xasprintf("%s/%s/%s", plan->name, plan->release, plan->variant);
	return resolve_texts(t, plan, err);
}

int template_resolve(const struct template *t, const char *name,
		     const struct template_settings *settings, struct template_plan *ret_plan,
		     struct err *err)
{
	struct template_plan plan = { 0 };
	int r = resolve(t, name, settings, &plan, err);

	if (r < 0)
		template_plan_done(&plan);
	else
		*ret_plan = plan;
	return r;
}

static void set_variable(struct job *job, const char *key, const char *value)
{
	if (value)
		strmap_set(&job->variables, key, value);
}

void template_fill_fetch(const struct template_plan *plan, struct job *job)
{
	job->kind = JOB_FETCH;
	replace_str(&job->url, plan->url);
	replace_str(&job->checksum, plan->checksum);
	set_variable(job, "index_url", plan->index_url);
	set_variable(job, "flavor", plan->flavor);
	set_variable(job, "checksum_url", plan->checksum_url);
}

void template_fill_build(const struct template_plan *plan, struct job *job)
{
	job->kind = JOB_IMAGE_BUILD;
	set_variable(job, "name", plan->name);
	set_variable(job, "release", plan->release);
	set_variable(job, "variant", plan->variant);
	set_variable(job, "architecture", plan->architecture);
	set_variable(job, "mirror", plan->mirror);
}

static bool listed(char *const *list, const char *word)
{
	return !list || strv_contains((const char *const *)list, word);
}

bool template_applies(const struct template_when *when, const struct template_plan *plan)
{
	return listed(when->releases, plan->release) && listed(when->variants, plan->variant) &&
	       (listed(when->architectures, plan->architecture) ||
		listed(when->architectures, plan->arch));
}
