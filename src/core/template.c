/*
 * core/template.c - see template.h
 *
 *   fetch -> build -> store
 *
 * fetch is only for templates that start from a tarball; it is kept in <state>/images/cache, so a
 * build that failed later does not download it again.
 */
#include "core/template.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/image_store.h"
#include "core/job.h"
#include "os/fd.h"
#include "spec/daemon_config.h"
#include "spec/names.h"
#include "spec/template.h"

enum {
	TEMPLATE_BYTES_MAX = 1024 * 1024
};

struct build_args {
	char *text;
	char *alias;
	char *tarball;	 /* where fetch puts it; NULL: none is needed */
	bool is_default; /* release and variant are those of the bare name */
	struct template_plan plan;
};

static void build_args_free(void *data)
{
	struct build_args *args = data;

	free(args->text);
	free(args->alias);
	free(args->tarball);
	template_plan_done(&args->plan);
	free(args);
}

/* "debian" of "debian/trixie". */
static char *base_name(const char *name)
{
	return xstrndup(name, strcspn(name, "/"));
}

static char *template_path(const struct core *core, const char *name)
{
	_cleanup_(freep) char *base = base_name(name);

	return xasprintf("%s/%s.yaml", core->dirs.templates, base);
}

bool template_exists(const struct core *core, const char *name)
{
	_cleanup_(freep) char *path = NULL;
	_cleanup_(fd_closep) int fd = -EBADF;

	if (name_validate(NAME_IMAGE_ALIAS, name, NULL) < 0)
		return false;
	path = template_path(core, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0;
}

char **template_names(const struct core *core)
{
	char **names = NULL;
	DIR *dir = opendir(core->dirs.templates);

	if (!dir)
		return NULL;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		if (str_ends_with(entry->d_name, ".yaml"))
			strv_push_take(&names, xstrndup(entry->d_name, strlen(entry->d_name) - 5));
	(void)closedir(dir);
	return names;
}

static int read_template(const struct core *core, const char *name, struct buf *text,
			 struct err *err)
{
	_cleanup_(freep) char *path = template_path(core, name);
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0 && errno == ENOENT)
		return err_kind(err, ERR_NOT_FOUND, "no template is called \"%s\" (%s)", name,
				path);
	r = fd < 0 ? -errno : fd_read_all(fd, TEMPLATE_BYTES_MAX, text);
	return r < 0 ? err_set(err, r, "read template %s", path) : 0;
}

static int plan_build(struct core *core, const char *name, struct build_args *args, struct err *err)
{
	_cleanup_(template_freep) struct template *template = NULL;
	_cleanup_(freep) char *base = base_name(name);
	_cleanup_(freep) char *usual = NULL;
	struct utsname host;
	struct template_settings settings = { 0 };
	int r = template_parse(args->text, strlen(args->text), &template, err);

	if (r < 0)
		return err_wrap(err, "template \"%s\"", base);
	if (uname(&host) < 0)
		return err_set(err, -errno, "ask for the host's architecture");
	settings.architecture = host.machine;
	if (strcasecmp(template->distribution, "alpine") == 0)
		settings.mirror = core->config->alpine_mirror;
	else if (strcasecmp(template->distribution, "debian") == 0)
		settings.mirror = core->config->debian_mirror;
	r = template_resolve(template, name, &settings, &args->plan, err);
	usual = xasprintf("%s/%s", base, template->release);
	args->is_default = r == 0 && streq(args->plan.alias, usual);
	return r;
}

static enum op_next step_fetch(struct op *op)
{
	struct build_args *args = op->args;
	struct job job = { 0 };
	_cleanup_(freep) char *file = NULL;
	enum op_next next;

	if (args->plan.downloader != TEMPLATE_ROOTFS_HTTP)
		return OP_NEXT;
	file = xstrdup(args->plan.alias);
	for (char *p = file; *p; p++)
		if (*p == '/')
			*p = '-';
	args->tarball = xasprintf("%s/images/cache/%s.tar", op->core->dirs.state, file);
	template_fill_fetch(&args->plan, &job);
	image_store_fill_job(op->core, &job);
	job.dst = xstrdup(args->tarball);
	next = job_run(op, &job, -EBADF, NULL);
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next built(struct op *op, const struct job_report *report)
{
	const struct build_args *args = op->args;
	_cleanup_(image_record_freep) struct image_record *given = image_record_new("");

	if (op->err.code < 0)
		return OP_FAIL;
	given->source_protocol = xstrdup("template");
	given->source_alias = xstrdup(args->plan.alias);
	image_record_add_alias(given, args->alias ? args->alias : args->plan.alias,
			       args->plan.description);
	if (args->is_default && !args->alias)
		image_record_add_alias(given, args->plan.name, args->plan.description);
	return op_result(image_store_add(op, report, given, &op->err));
}

static enum op_next step_build(struct op *op)
{
	const struct build_args *args = op->args;
	struct job job = { 0 };
	enum op_next next;

	template_fill_build(&args->plan, &job);
	image_store_fill_job(op->core, &job);
	job.template_text = xstrdup(args->text);
	job.template_dir = xstrdup(op->core->dirs.templates);
	job.src = xstrdup(args->tarball);
	next = job_run(op, &job, -EBADF, built);
	wire_free(&job_schema, &job);
	return next;
}

static const struct op_step build_steps[] = {
	{ "fetch", step_fetch, NULL },
	{ "build", step_build, NULL },
	{ 0 },
};
static const struct op_table build_table = { "image-build", build_steps };

int template_build(struct core *core, const char *name, const char *yaml, const char *alias,
		   struct op **ret_op, struct err *err)
{
	struct build_args *args = xcalloc(1, sizeof(*args));
	struct buf text = { 0 };
	struct op *op;
	int r = name_validate(NAME_IMAGE_ALIAS, name, err);

	if (r == 0 && alias)
		r = name_validate(NAME_IMAGE_ALIAS, alias, err);
	if (r == 0 && !yaml)
		r = read_template(core, name, &text, err);
	args->text = yaml ? xstrdup(yaml) : buf_take_str(&text);
	args->alias = xstrdup(alias);
	if (r == 0)
		r = plan_build(core, name, args, err);
	if (r < 0) {
		build_args_free(args);
		return r;
	}
	op = op_new(core, OP_TASK, "Building image", args, build_args_free, err);
	if (!op)
		return -EBUSY;
	op_add_table(op, &build_table);
	op_start(op);
	*ret_op = op;
	return 0;
}
