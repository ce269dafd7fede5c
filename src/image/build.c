/* image/build.c - see build.h */
#include "image/build.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "image/apt.h"
#include "image/build_log.h"
#include "image/child.h"
#include "image/command.h"
#include "image/inside.h"
#include "image/pack.h"
#include "os/fd.h"
#include "os/path.h"
#include "os/sandbox.h"
#include "os/tree_remove.h"

#define WORK_PREFIX   ".new-build-"
#define PACK_NAME     "image.part"
#define SUM_NAME      "image.sum"
#define METADATA_NAME "metadata.yaml"
#define KEYRING	      "/usr/share/keyrings/debian-archive-keyring.gpg"

enum {
	POLL_MS = 200,
	LOG_TAIL_BYTES = 16 * 1024,
	CONFIG_BYTES_MAX = 1024 * 1024,
	FINGERPRINT_LEN = 64,
	ID_COUNT_MIN = 65536
};

struct build {
	const struct job *job;
	struct report *report;
	struct template *t;
	struct template_plan plan;
	int dir_fd;  /* the images directory */
	int work_fd; /* ours in it; holds the lock */
	char *work_name, *work_path;
	int log_fd;
	char *log_path;
	int src_fd; /* the tarball of rootfs-http */
	enum command_compression compression;
	struct strmap properties;
	int64_t created_s;
	char **sources; /* "deb ..." lines */
	char *mirror;	/* of debootstrap */
	char *resolv_conf;
	char fingerprint[FINGERPRINT_LEN + 1];
};

static const char *const tool_env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/tmp",
	"LC_ALL=C.UTF-8",
	"DEBIAN_FRONTEND=noninteractive",
	"TMPDIR=/tmp",
	"container=lxc", /* debootstrap: make no device nodes */
	NULL,
};

static void build_done(struct build *build)
{
	/* closing the directory gives up its lock: remove it first */
	if (build->work_name)
		(void)tree_remove(build->dir_fd, build->work_name, NULL, NULL);
	(void)fd_close(build->work_fd);
	(void)fd_close(build->dir_fd);
	(void)fd_close(build->log_fd);
	(void)fd_close(build->src_fd);
	template_free(build->t);
	template_plan_done(&build->plan);
	strmap_done(&build->properties);
	strv_free(build->sources);
	free(build->work_name);
	free(build->work_path);
	free(build->log_path);
	free(build->mirror);
	free(build->resolv_conf);
}

static int resolve(struct build *build, struct err *err)
{
	const struct job *job = build->job;
	const char *name = strmap_get(&job->variables, "name");
	const char *release = strmap_get(&job->variables, "release");
	const char *variant = strmap_get(&job->variables, "variant");
	const struct template_settings settings = {
		.mirror = strmap_get(&job->variables, "mirror"),
		.architecture = strmap_get(&job->variables, "architecture"),
	};
	_cleanup_(freep) char *what = NULL;
	int r;

	if (!job->dir || !job->template_text || !settings.architecture)
		return err_kind(err, ERR_INVALID,
				"image build: directory, template or "
				"architecture is missing");
	if (job->id_base == 0 || job->id_count < ID_COUNT_MIN)
		return err_kind(err, ERR_INVALID, "image build: needs a range of %d ids",
				ID_COUNT_MIN);
	r = template_parse(job->template_text, strlen(job->template_text), &build->t, err);
	if (r < 0)
		return err_wrap(err, "template \"%s\"", name ? name : "");
	what = xasprintf("%s/%s/%s", name ? name : "image", release ? release : build->t->release,
			 variant	     ? variant
			 : build->t->variant ? build->t->variant
					     : "default");
	r = template_resolve(build->t, what, &settings, &build->plan, err);
	if (r == 0 && build->plan.downloader == TEMPLATE_ROOTFS_HTTP && !job->src)
		r = err_kind(err, ERR_INVALID, "build \"%s\": no tarball was fetched for it",
			     build->plan.alias);
	return r;
}

/* Remove directories of builds whose worker is gone (D2). */
static void remove_leftovers(struct build *build)
{
	int fd = fd_copy(build->dir_fd, 3);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_(fd_closep) int left_fd = -EBADF;

		if (!str_after(entry->d_name, WORK_PREFIX))
			continue;
		left_fd = path_open_plain(build->dir_fd, entry->d_name, O_RDONLY | O_DIRECTORY, 0);
		if (left_fd >= 0 && flock(left_fd, LOCK_EX | LOCK_NB) == 0)
			(void)tree_remove(build->dir_fd, entry->d_name, NULL, NULL);
	}
	if (dir)
		(void)closedir(dir);
	else
		(void)fd_close(fd);
}

static int make_work(struct build *build, struct err *err)
{
	char uuid[UUID_LEN];

	if (mkdir(build->job->dir, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "make \"%s\"", build->job->dir);
	build->dir_fd = open(build->job->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (build->dir_fd < 0)
		return err_set(err, -errno, "open \"%s\"", build->job->dir);
	remove_leftovers(build);
	build->work_name = xasprintf("%s%s", WORK_PREFIX, uuid_new(uuid));
	build->work_path = xasprintf("%s/%s", build->job->dir, build->work_name);
	if (mkdirat(build->dir_fd, build->work_name, 0700) < 0)
		return err_set(err, -errno, "make \"%s\"", build->work_path);
	build->work_fd =
		path_open_plain(build->dir_fd, build->work_name, O_RDONLY | O_DIRECTORY, 0);
	if (build->work_fd < 0)
		return err_set(err, build->work_fd, "open \"%s\"", build->work_path);
	if (flock(build->work_fd, LOCK_EX | LOCK_NB) < 0 ||
	    mkdirat(build->work_fd, "rootfs", 0755) < 0)
		return err_set(err, -errno, "prepare \"%s\"", build->work_path);
	return 0;
}

/* "<dir>/../logs/build-debian-trixie.log", a new one. */
static int open_log(struct build *build, struct err *err)
{
	_cleanup_(freep) char *copy = xstrdup(build->job->dir);
	_cleanup_(freep) char *logs = xasprintf("%s/logs", dirname(copy));
	_cleanup_(freep) char *name = xstrdup(build->plan.alias);

	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '-';
	if (mkdir(logs, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "make \"%s\"", logs);
	build->log_path = xasprintf("%s/build-%s.log", logs, name);
	if (unlink(build->log_path) < 0 && errno != ENOENT)
		return err_set(err, -errno, "remove \"%s\"", build->log_path);
	build->log_fd = open(build->log_path,
			     O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	return build->log_fd < 0 ? err_set(err, -errno, "create \"%s\"", build->log_path) : 0;
}

static int open_src(struct build *build, struct err *err)
{
	char magic[8] = "";
	ssize_t n;

	if (build->plan.downloader != TEMPLATE_ROOTFS_HTTP)
		return 0;
	build->src_fd = open(build->job->src, O_RDONLY | O_CLOEXEC);
	if (build->src_fd < 0)
		return err_set(err, -errno, "open \"%s\"", build->job->src);
	n = pread(build->src_fd, magic, sizeof(magic), 0);
	if (n < 0)
		return err_set(err, -errno, "read \"%s\"", build->job->src);
	build->compression = command_compression_of(magic, (size_t)n);
	return 0;
}

/* The text of a file of the host, "" when it cannot be read. */
static char *host_file(int dir_fd, const char *path)
{
	_cleanup_(fd_closep) int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	struct buf text = { 0 };

	if (fd < 0 || fd_read_all(fd, CONFIG_BYTES_MAX, &text) < 0)
		buf_done(&text);
	return buf_take_str(&text);
}

/* Look through /etc/apt/sources.list.d for the mirrors of @codename. */
static void read_source_parts(const char *codename, struct apt_mirrors *mirrors)
{
	DIR *dir = opendir("/etc/apt/sources.list.d");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_(freep) char *text = NULL;
		bool deb822 = str_ends_with(entry->d_name, ".sources");

		if (!deb822 && !str_ends_with(entry->d_name, ".list"))
			continue;
		text = host_file(dirfd(dir), entry->d_name);
		apt_find_mirrors(text, deb822, codename, mirrors);
	}
	if (dir)
		(void)closedir(dir);
}

/* From where debootstrap's kin get Debian: the setting, else this host's apt, else their own. */
static void find_sources(struct build *build)
{
	_cleanup_(freep) char *os_release = host_file(AT_FDCWD, "/etc/os-release");
	_cleanup_(freep) char *list = host_file(AT_FDCWD, "/etc/apt/sources.list");
	_cleanup_(freep) char *codename = apt_codename(os_release);
	_cleanup_(apt_mirrors_done) struct apt_mirrors mirrors = { 0 };

	if (codename) {
		apt_find_mirrors(list, false, codename, &mirrors);
		read_source_parts(codename, &mirrors);
	}
	if (build->plan.mirror)
		replace_str(&mirrors.main, build->plan.mirror);
	build->mirror = xstrdup(mirrors.main);
	build->sources = apt_source_lines(&mirrors, build->plan.release,
					  (const char *const *)build->t->components,
					  access(KEYRING, R_OK) == 0 ? KEYRING : NULL);
}

/* Bodies of the sandboxes: they return an exit status and say what is wrong in the log. */
static int say(const char *what, int r)
{
	if (r < 0)
		(void)fprintf(stderr, "E: %s: %s\n", what, strerror(-r));
	else if (r > 0)
		(void)fprintf(stderr, "E: %s failed with status %d\n", what, r);
	return r == 0 ? 0 : 1;
}

static char **read_apt_options(void)
{
	static const char *const argv[] = { "/usr/bin/apt-config", "dump", NULL };
	_cleanup_(buf_done) struct buf dump = { 0 };

	if (access(argv[0], X_OK) < 0 || child_read(argv, tool_env, CONFIG_BYTES_MAX, &dump) != 0)
		return NULL;
	return apt_options(buf_str(&dump));
}

static int run_bootstrap(const struct build *build)
{
	static const char *const mmdebstraps[] = { "/usr/bin/mmdebstrap", NULL };
	static const char *const debootstraps[] = { "/usr/sbin/debootstrap", "/usr/bin/debootstrap",
						    NULL };
	const char *program = child_find(mmdebstraps);
	_cleanup_(strv_freep) char **options = NULL, **argv = NULL;

	if (program) {
		options = read_apt_options();
		argv = command_mmdebstrap(program, build->t, &build->plan,
					  (const char *const *)build->sources,
					  (const char *const *)options);
	} else {
		program = child_find(debootstraps);
		if (!program)
			return say("neither mmdebstrap nor debootstrap is installed", -ENOENT);
		argv = command_debootstrap(program, build->t, &build->plan, build->mirror);
	}
	return say(program, child_run((const char *const *)argv, tool_env, -EBADF));
}

static const char *const tars[] = { "/usr/bin/tar", "/bin/tar", NULL };

static int run_untar(const struct build *build)
{
	const char *program = child_find(tars);
	_cleanup_(strv_freep) char **argv = NULL;

	if (!program)
		return say("tar", -ENOENT);
	argv = command_untar(program, build->compression);
	return say("unpacking the tarball",
		   child_run((const char *const *)argv, tool_env, build->src_fd));
}

static int tools_body(void *data)
{
	const struct build *build = data;

	if (child_redirect(build->log_fd) < 0)
		return 1;
	return build->plan.downloader == TEMPLATE_DEBOOTSTRAP ? run_bootstrap(build)
							      : run_untar(build);
}

static int inside_body(void *data)
{
	const struct build *build = data;
	const struct inside inside = {
		.t = build->t,
		.plan = &build->plan,
		.resolv_conf = build->resolv_conf,
	};

	return child_redirect(build->log_fd) < 0 ? 1 : inside_run(&inside);
}

/* Write the sum of the packed file beside it. */
static int run_sum(void)
{
	static const char *const sums[] = { "/usr/bin/sha256sum", "/bin/sha256sum", NULL };
	_cleanup_(fd_closep) int in_fd = open(COMMAND_WORK "/" PACK_NAME, O_RDONLY | O_CLOEXEC);
	_cleanup_(fd_closep) int out_fd =
		open(COMMAND_WORK "/" SUM_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const char *argv[] = { child_find(sums), NULL };

	if (!argv[0] || in_fd < 0 || out_fd < 0)
		return say("sha256sum", argv[0] ? -errno : -ENOENT);
	return say(argv[0], child_run_to(argv, tool_env, in_fd, out_fd));
}

static int write_metadata(const struct build *build)
{
	_cleanup_(fd_closep) int fd =
		open(COMMAND_WORK "/" METADATA_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	_cleanup_(buf_done) struct buf text = { 0 };
	int r;

	if (fd < 0)
		return say("create " METADATA_NAME, -errno);
	pack_metadata(build->plan.architecture, &build->properties, build->created_s, &text);
	r = fd_write_all(fd, text.data, text.len);
	return say("write " METADATA_NAME, r);
}

static int pack_body(void *data)
{
	static const char *const zstds[] = { "/usr/bin/zstd", "/bin/zstd", NULL };
	const struct build *build = data;
	const char *program = child_find(tars);
	_cleanup_(strv_freep) char **argv = NULL;
	int status;

	if (child_redirect(build->log_fd) < 0)
		return 1;
	if (!program)
		return say("tar", -ENOENT);
	argv = command_tar(program, child_find(zstds), PACK_NAME);
	status = write_metadata(build);
	if (status == 0)
		status = say("packing", child_run((const char *const *)argv, tool_env, -EBADF));
	return status == 0 ? run_sum() : status;
}

/* What was written to the log last. */
static char *read_log_tail(const struct build *build)
{
	struct stat st;
	struct buf tail = { 0 };
	off_t from = 0;
	ssize_t n;

	if (fstat(build->log_fd, &st) == 0 && st.st_size > LOG_TAIL_BYTES)
		from = st.st_size - LOG_TAIL_BYTES;
	n = pread(build->log_fd, buf_reserve(&tail, LOG_TAIL_BYTES), LOG_TAIL_BYTES, from);
	tail.len = n > 0 ? (size_t)n : 0;
	tail.data[tail.len] = '\0';
	/* NUL bytes would hide what follows them */
	for (size_t i = 0; i < tail.len; i++)
		if (tail.data[i] == '\0')
			tail.data[i] = '?';
	return buf_take_str(&tail);
}

/* Wait for the sandbox; the log tells how far it is. */
static int follow(struct build *build, struct sandbox *sandbox, const char *stage, struct err *err)
{
	const char *last = stage;
	bool talks = streq(stage, "download"); /* what comes later is behind old lines of the log */

	report_stage(build->report, stage);
	for (;;) {
		int r = report_wait(build->report, sandbox->pidfd, POLLIN, POLL_MS);
		_cleanup_(freep) char *tail = NULL;
		const char *now;

		if (r == -ECANCELED)
			return report_cancel_err(err);
		if (r < 0)
			return err_set(err, r, "wait for the sandbox");
		if (r > 0)
			return sandbox_wait(sandbox, err);
		tail = talks ? read_log_tail(build) : xstrdup("");
		now = build_log_stage(tail);
		if (now && !streq(now, last)) {
			report_stage(build->report, now);
			last = now;
		}
	}
}

static int fail(struct build *build, const char *stage, struct err *err)
{
	_cleanup_(freep) char *tail = read_log_tail(build);
	_cleanup_(freep) char *reason = build_log_reason(tail);

	return err_kind(err, ERR_INTERNAL, "build \"%s\": %s: %s (log: %s)", build->plan.alias,
			stage, reason, build->log_path);
}

static int run_sandbox(struct build *build, const struct sandbox_plan *plan, sandbox_fn *body,
		       const char *stage, struct err *err)
{
	_cleanup_(sandbox_done) struct sandbox sandbox = { .pidfd = -EBADF };
	int r = sandbox_start(plan, body, build, &sandbox, err);

	if (r == 0)
		r = follow(build, &sandbox, stage, err);
	if (r < 0)
		return err_wrap(err, "build \"%s\"", build->plan.alias);
	return r == 0 ? 0 : fail(build, stage, err);
}

/* The host's tree read-only, the build below COMMAND_WORK. */
static int run_tools(struct build *build, sandbox_fn *body, bool net, const char *stage,
		     struct err *err)
{
	const int keep_fds[] = { build->log_fd, build->src_fd };
	static const char *const tmpfs[] = { "/tmp" };
	const struct sandbox_bind binds[] = {
		{ .src = "/", .src_fd = -EBADF, .dst = "/", .ro = true, .recursive = true },
		{ .src = build->work_path,
		  .src_fd = build->work_fd,
		  .dst = COMMAND_WORK,
		  .idmap = true },
	};
	const struct sandbox_plan plan = {
		.name = "image-build",
		.id_base = build->job->id_base,
		.id_count = build->job->id_count,
		.binds = binds,
		.n_binds = ARRAY_LEN(binds),
		.tmpfs = tmpfs,
		.n_tmpfs = ARRAY_LEN(tmpfs),
		.proc = true,
		.keep_net = net,
		.filter = SANDBOX_FILTER_BUILD,
		.keep_fds = keep_fds,
		.n_keep_fds = build->src_fd >= 0 ? 2 : 1,
	};

	return run_sandbox(build, &plan, body, stage, err);
}

static bool copies_files(const struct build *build)
{
	vec_for_each(file, &build->t->files)
		if (file->generator == TEMPLATE_COPY && template_applies(&file->when, &build->plan))
			return true;
	return false;
}

static int run_inside(struct build *build, struct err *err)
{
	static const char *const devices[] = { "/dev/null",   "/dev/zero",    "/dev/full",
					       "/dev/random", "/dev/urandom", "/dev/tty" };
	static const char *const tmpfs[] = { "/tmp", "/run" };
	const char *mirror = build->plan.mirror ? str_after(build->plan.mirror, "file://") : NULL;
	_cleanup_(fd_closep) int root_fd =
		path_open_plain(build->work_fd, "rootfs", O_PATH | O_DIRECTORY, 0);
	struct sandbox_bind binds[ARRAY_LEN(devices) + 3] = {
		{ .src = "rootfs", .src_fd = root_fd, .dst = "/", .idmap = true },
	};
	struct sandbox_plan plan = {
		.name = "image-build",
		.id_base = build->job->id_base,
		.id_count = build->job->id_count,
		.binds = binds,
		.n_binds = 1,
		.tmpfs = tmpfs,
		.n_tmpfs = ARRAY_LEN(tmpfs),
		.proc = true,
		.keep_net = true,
		.filter = SANDBOX_FILTER_BUILD,
		.keep_fds = &build->log_fd,
		.n_keep_fds = 1,
	};

	if (root_fd < 0)
		return err_set(err, root_fd, "open \"%s/rootfs\"", build->work_path);
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		binds[plan.n_binds++] = (struct sandbox_bind){
			.src = devices[i],
			.src_fd = -EBADF,
			.dst = devices[i],
		};
	if (mirror)
		binds[plan.n_binds++] = (struct sandbox_bind){
			.src = mirror,
			.src_fd = -EBADF,
			.dst = INSIDE_MIRROR,
			.ro = true,
		};
	if (build->job->template_dir && copies_files(build))
		binds[plan.n_binds++] = (struct sandbox_bind){
			.src = build->job->template_dir,
			.src_fd = -EBADF,
			.dst = INSIDE_TEMPLATE,
			.ro = true,
		};
	return run_sandbox(build, &plan, inside_body, "configure", err);
}

/* The packed file becomes <dir>/<fingerprint> (D1). */
static int publish(struct build *build, uint64_t *ret_size, struct err *err)
{
	_cleanup_(fd_closep) int fd = path_open_plain(build->work_fd, PACK_NAME, O_RDONLY, 0);
	char sum[FINGERPRINT_LEN + 8] = "";
	ssize_t n = fd_read_file_at(build->work_fd, SUM_NAME, sum, sizeof(sum));
	struct stat st;

	sum[FINGERPRINT_LEN] = '\0';
	if (n < FINGERPRINT_LEN || !str_only(sum, "0123456789abcdef"))
		return err_set(err, -EBADMSG, "build \"%s\": read the sum", build->plan.alias);
	if (fd < 0)
		return err_set(err, fd, "build \"%s\": open the packed file", build->plan.alias);
	if (fchmod(fd, 0600) < 0 || fsync(fd) < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "build \"%s\": sync the image", build->plan.alias);
	if (renameat(build->work_fd, PACK_NAME, build->dir_fd, sum) < 0)
		return err_set(err, -errno, "rename to \"%s/%s\"", build->job->dir, sum);
	if (fsync(build->dir_fd) < 0)
		return err_set(err, -errno, "sync \"%s\"", build->job->dir);
	memcpy(build->fingerprint, sum, sizeof(build->fingerprint));
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

static void tell_results(struct build *build, uint64_t size)
{
	_cleanup_(freep) char *file = xasprintf("%s/%s", build->job->dir, build->fingerprint);
	char number[32];

	strmap_for_each(entry, &build->properties)
	{
		_cleanup_(freep) char *key = xasprintf("property.%s", entry->key);

		report_result(build->report, key, entry->value);
	}
	report_result(build->report, "fingerprint", build->fingerprint);
	report_result(build->report, "format", "unified");
	report_result(build->report, "architecture", build->plan.architecture);
	report_result(build->report, "file", file);
	report_result(build->report, "expiry", "0");
	(void)snprintf(number, sizeof(number), "%" PRIu64, size);
	report_result(build->report, "size", number);
	(void)snprintf(number, sizeof(number), "%" PRId64, build->created_s);
	report_result(build->report, "created", number);
}

static int build_steps(struct build *build, struct err *err)
{
	bool fetched = build->plan.downloader == TEMPLATE_ROOTFS_HTTP;
	uint64_t size = 0;
	int r = make_work(build, err);

	if (r == 0)
		r = open_log(build, err);
	if (r == 0)
		r = open_src(build, err);
	if (r < 0)
		return r;
	find_sources(build);
	build->resolv_conf = host_file(AT_FDCWD, "/etc/resolv.conf");
	pack_properties(build->t, &build->plan, build->created_s, &build->properties);
	r = run_tools(build, tools_body, !fetched, fetched ? "unpack" : "download", err);
	if (r == 0)
		r = run_inside(build, err);
	if (r == 0)
		r = run_tools(build, pack_body, false, "pack", err);
	if (r == 0)
		r = publish(build, &size, err);
	if (r < 0)
		return r;
	tell_results(build, size);
	(void)unlink(build->log_path); /* it is for failures only */
	return 0;
}

int build_run(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(build_done) struct build build = {
		.job = job,
		.report = report,
		.dir_fd = -EBADF,
		.work_fd = -EBADF,
		.log_fd = -EBADF,
		.src_fd = -EBADF,
		.created_s = time_wall_ns() / NS_PER_S,
	};
	int r = resolve(&build, err);

	return r < 0 ? r : build_steps(&build, err);
}
