/* image/inside.c - see inside.h */
#include "image/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "image/child.h"
#include "image/command.h"
#include "os/fd.h"
#include "os/path.h"
#include "os/tree_remove.h"

#define SCRIPT_PATH "/tmp/action"
#define RESOLV_CONF "/etc/resolv.conf"

enum {
	COPY_BYTES_MAX = 64 * 1024 * 1024
};

static int say(const char *what, const char *object, int r)
{
	(void)fprintf(stderr, "E: %s %s: %s\n", what, object, strerror(-r));
	return r;
}

/* The directory of @path, made when missing. Links are followed within the root. */
static int open_parent(int root_fd, const char *path, bool make, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(freep) char *dir =
		xstrndup(path + 1, slash > path ? (size_t)(slash - path - 1) : 0);
	int fd = path_open_in_root(root_fd, dir[0] ? dir : ".", O_PATH | O_DIRECTORY, 0);

	*ret_name = slash + 1;
	if (fd == -ENOENT && make)
		fd = path_make_dir(root_fd, dir, 0755);
	return fd;
}

static int write_new(int dir_fd, const char *name, const struct template_file *file,
		     const char *content, size_t len)
{
	_cleanup_(fd_closep) int fd = -EBADF;
	int r;

	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, content, len);
	if (r < 0)
		return r;
	return fchown(fd, file->uid, file->gid) < 0 || fchmod(fd, file->mode) < 0 ? -errno : 0;
}

static int copy_file(int dir_fd, const char *name, const struct template_file *file)
{
	_cleanup_(fd_closep) int template_fd = open(INSIDE_TEMPLATE, O_PATH | O_CLOEXEC);
	_cleanup_(fd_closep) int fd = -EBADF;
	_cleanup_(buf_done) struct buf content = { 0 };
	int r;

	if (template_fd < 0)
		return -errno;
	fd = path_open_plain(template_fd, file->source, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	r = fd_read_all(fd, COPY_BYTES_MAX, &content);
	return r < 0 ? r : write_new(dir_fd, name, file, content.data, content.len);
}

static int make_symlink(int dir_fd, const char *name, const struct template_file *file)
{
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	return symlinkat(file->content, dir_fd, name) < 0 ? -errno : 0;
}

static int apply_file(int root_fd, const struct template_file *file)
{
	const char *name;
	bool make = file->generator != TEMPLATE_REMOVE;
	_cleanup_(fd_closep) int dir_fd = open_parent(root_fd, file->path, make, &name);

	if (dir_fd == -ENOENT && !make)
		return 0;
	if (dir_fd < 0)
		return dir_fd;
	switch ((enum template_generator)file->generator) {
	case TEMPLATE_DUMP:
		return write_new(dir_fd, name, file, file->content, strlen(file->content));
	case TEMPLATE_COPY:
		return copy_file(dir_fd, name, file);
	case TEMPLATE_REMOVE:
		return tree_remove(dir_fd, name, NULL, NULL);
	case TEMPLATE_SYMLINK:
		return make_symlink(dir_fd, name, file);
	case TEMPLATE_GENERATOR_MAX:
		break;
	}
	return -EINVAL;
}

static int apply_files(const struct inside *inside, int root_fd)
{
	vec_for_each(file, &inside->t->files) {
		int r;

		if (!template_applies(&file->when, inside->plan))
			continue;
		r = apply_file(root_fd, file);
		if (r < 0)
			return say("file", file->path, r);
	}
	return 0;
}

static char **make_env(const struct template_plan *plan)
{
	char **env = NULL;

	strv_push(&env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	strv_push(&env, "HOME=/root");
	strv_push(&env, "LC_ALL=C");
	strv_push(&env, "DEBIAN_FRONTEND=noninteractive");
	strv_push_take(&env, xasprintf("RELEASE=%s", plan->release));
	strv_push_take(&env, xasprintf("VARIANT=%s", plan->variant));
	strv_push_take(&env, xasprintf("ARCH=%s", plan->arch));
	return env;
}

static int run(const struct inside *inside, const char *const *argv, const char *what)
{
	_cleanup_(strv_freep) char **env = make_env(inside->plan);
	int status = child_run(argv, (const char *const *)env, -EBADF);

	if (status < 0)
		return say("run", argv[0], status);
	if (status > 0) {
		(void)fprintf(stderr, "E: %s failed with status %d\n", what, status);
		return -EIO;
	}
	return 0;
}

static int write_text(int root_fd, const char *path, uint32_t mode, const char *text)
{
	const struct template_file file = {
		.path = (char *)path,
		.generator = TEMPLATE_DUMP,
		.content = (char *)text,
		.mode = mode,
	};
	int r = apply_file(root_fd, &file);

	return r < 0 ? say("write", path, r) : 0;
}

static int run_actions(const struct inside *inside, int root_fd, enum template_trigger trigger)
{
	vec_for_each(action, &inside->t->actions) {
		_cleanup_(freep) char *script = NULL;
		const char *const argv[] = { SCRIPT_PATH, NULL };
		int r;

		if (action->trigger != trigger || !template_applies(&action->when, inside->plan))
			continue;
		script = str_after(action->script, "#!")
				 ? xstrdup(action->script)
				 : xasprintf("#!/bin/sh\nset -e\n%s", action->script);
		r = write_text(root_fd, SCRIPT_PATH, 0755, script);
		if (r == 0)
			r = run(inside, argv, "action of the template");
		(void)unlink(SCRIPT_PATH);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The repositories' lines; a mirror that is a directory of the host is bound at INSIDE_MIRROR. */
static char *repository_lines(const struct template_plan *plan, bool inside)
{
	struct buf lines = { 0 };

	for (size_t i = 0; plan->repositories && plan->repositories[i]; i++) {
		const char *url = plan->repositories[i];
		const char *rest = inside && plan->mirror && str_after(plan->mirror, "file://")
					   ? str_after(url, plan->mirror)
					   : NULL;

		buf_printf(&lines, "%s%s\n", rest ? INSIDE_MIRROR : "", rest ? rest : url);
	}
	return buf_take_str(&lines);
}

static int add_with_apk(const struct inside *inside, int root_fd, char **packages)
{
	_cleanup_(freep) char *lines = repository_lines(inside->plan, true);
	_cleanup_(strv_freep) char **argv = NULL;
	int r = write_text(root_fd, "/tmp/repositories", 0644, lines);

	strv_push(&argv, "/sbin/apk");
	strv_push(&argv, "add");
	strv_push(&argv, "--no-cache");
	strv_push(&argv, "--no-progress");
	if (inside->plan->repositories)
		strv_push(&argv, "--repositories-file=/tmp/repositories");
	for (size_t i = 0; packages[i]; i++)
		strv_push(&argv, packages[i]);
	return r < 0 ? r : run(inside, (const char *const *)argv, "apk add");
}

static int add_with_apt(const struct inside *inside, char **packages)
{
	static const char *const update[] = { "/usr/bin/apt-get", "update", NULL };
	_cleanup_(strv_freep) char **argv = NULL;
	int r = run(inside, update, "apt-get update");

	strv_push(&argv, "/usr/bin/apt-get");
	strv_push(&argv, "install");
	strv_push(&argv, "--yes");
	strv_push(&argv, "--no-install-recommends");
	for (size_t i = 0; packages[i]; i++)
		strv_push(&argv, packages[i]);
	return r < 0 ? r : run(inside, (const char *const *)argv, "apt-get install");
}

/* A bootstrap program has installed its packages already. */
static int add_packages(const struct inside *inside, int root_fd)
{
	_cleanup_(strv_freep) char **packages = command_packages(inside->t, inside->plan);
	const char *mirror = inside->plan->mirror;
	int r;

	if (inside->plan->downloader == TEMPLATE_DEBOOTSTRAP)
		return 0;
	if (inside->t->manager == TEMPLATE_APK && mirror && !str_after(mirror, "file:")) {
		_cleanup_(freep) char *lines = repository_lines(inside->plan, false);

		r = write_text(root_fd, "/etc/apk/repositories", 0644, lines);
		if (r < 0)
			return r;
	}
	if (!packages)
		return 0;
	r = write_text(root_fd, RESOLV_CONF, 0644, inside->resolv_conf);
	if (r < 0)
		return r;
	r = inside->t->manager == TEMPLATE_APK ? add_with_apk(inside, root_fd, packages)
					       : add_with_apt(inside, packages);
	(void)unlink(RESOLV_CONF);
	return r;
}

int inside_run(const struct inside *inside)
{
	_cleanup_(fd_closep) int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = root_fd < 0 ? say("open", "/", -errno) : 0;

	if (r == 0)
		r = run_actions(inside, root_fd, TEMPLATE_POST_UNPACK);
	if (r == 0)
		r = add_packages(inside, root_fd);
	if (r == 0)
		r = run_actions(inside, root_fd, TEMPLATE_POST_PACKAGES);
	if (r == 0)
		r = apply_files(inside, root_fd);
	if (r == 0)
		r = run_actions(inside, root_fd, TEMPLATE_POST_FILES);
	return r < 0 ? 1 : 0;
}
