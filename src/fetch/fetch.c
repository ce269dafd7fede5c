/* fetch/fetch.c - see fetch.h */
#include "fetch/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "fetch/checksum.h"
#include "fetch/confine.h"
#include "fetch/transfer.h"
#include "image/release_index.h"
#include "os/fd.h"

enum {
	INDEX_BYTES_MAX = 1024 * 1024
};

struct fetch {
	const struct job *job;
	struct report *report;
	char *url;	/* of the file itself */
	char *checksum; /* NULL: unchecked */
	char *version;
	char *final_url;
	char *part_path;
	int fd; /* of part_path */
	uint64_t size_bytes;
};

static void fetch_done(struct fetch *fetch)
{
	(void)fd_close(fetch->fd);
	free(fetch->url);
	free(fetch->checksum);
	free(fetch->version);
	free(fetch->final_url);
	free(fetch->part_path);
}

static bool has_scheme(const char *url)
{
	return str_after(url, "http://") || str_after(url, "https://") ||
	       str_after(url, "file:///");
}

static int check_job(const struct job *job, struct err *err)
{
	const char *index_url = strmap_get(&job->variables, "index_url");
	const char *url = index_url ? index_url : job->url;

	if (!url || !job->dst || job->dst[0] != '/')
		return err_kind(err, ERR_INVALID, "fetch: url or dst is missing");
	if (!has_scheme(url))
		return err_kind(err, ERR_INVALID,
				"fetch \"%s\": must begin with http://, https:// or file:///", url);
	return job->checksum ? checksum_validate(job->checksum, err) : 0;
}

/* Sandbox: a small text. */
static int read_text(struct confine *confine, const char *url, struct buf *out, struct err *err)
{
	struct transfer transfer = {
		.url = url,
		.max_bytes = INDEX_BYTES_MAX,
		.fd = -EBADF,
		.out = out,
	};
	int r = transfer_run(&transfer, err);

	(void)confine;
	free(transfer.final_url);
	return r;
}

/* Sandbox: the index of a mirror to the file's URL, checksum and version. */
static int read_index(struct confine *confine, struct err *err)
{
	_cleanup_(release_entry_done) struct release_entry entry = { 0 };
	_cleanup_(buf_done) struct buf text = { 0 };
	const char *flavor = strmap_get(&confine->job->variables, "flavor");
	int r = read_text(confine, confine->url, &text, err);

	if (r == 0)
		r = release_index_find(buf_str(&text), text.len, flavor ? flavor : "", &entry, err);
	if (r < 0)
		return r;
	strmap_set_take(&confine->result, "url",
			xasprintf("%.*s%s", (int)(strrchr(confine->url, '/') - confine->url + 1),
				  confine->url, entry.file));
	if (entry.checksum)
		strmap_set(&confine->result, "checksum", entry.checksum);
	if (entry.version)
		strmap_set(&confine->result, "version", entry.version);
	return 0;
}

/* Sandbox: the line of a checksum file for the file whose name is in result. */
static int read_checksum(struct confine *confine, struct err *err)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	const char *name = strmap_get(&confine->result, "name");
	char *checksum;
	int r = read_text(confine, confine->url, &text, err);

	if (r == 0)
		r = release_checksum_find(buf_str(&text), name, &checksum, err);
	if (r < 0)
		return r;
	strmap_set_take(&confine->result, "checksum", checksum);
	return 0;
}

/* Sandbox: the file itself. */
static int read_file(struct confine *confine, struct err *err)
{
	struct transfer transfer = {
		.url = confine->url,
		.max_bytes = confine->job->size_bytes,
		.fd = confine->fd,
		.resume_at = confine->resume_at,
		.report = confine->report,
	};
	int r = transfer_run(&transfer, err);

	if (transfer.final_url)
		strmap_set_take(&confine->result, "url", transfer.final_url);
	if (transfer.no_resume)
		strmap_set(&confine->result, "no_resume", "true");
	return r;
}

static int ask_index(struct fetch *fetch, struct err *err)
{
	struct confine confine = {
		.job = fetch->job,
		.url = strmap_get(&fetch->job->variables, "index_url"),
		.fd = -EBADF,
	};
	int r = confine_run(&confine, read_index, fetch->report, err);
	const char *url = strmap_get(&confine.result, "url");

	if (r == 0 && (!url || !has_scheme(url)))
		r = err_kind(err, ERR_INVALID, "fetch \"%s\": the index has no URL", confine.url);
	if (r == 0) {
		replace_str(&fetch->url, url);
		replace_str(&fetch->version, strmap_get(&confine.result, "version"));
		replace_str(&fetch->checksum, strmap_get(&confine.result, "checksum"));
	} else {
		r = err_wrap(err, "\"%s\"", confine.url);
	}
	strmap_done(&confine.result);
	return r;
}

/* checksum_url, with {url} replaced. New string. */
static char *checksum_url(const char *pattern, const char *url)
{
	const char *word = strstr(pattern, "{url}");

	return word ? xasprintf("%.*s%s%s", (int)(word - pattern), pattern, url,
				word + strlen("{url}"))
		    : xstrdup(pattern);
}

static int ask_checksum(struct fetch *fetch, const char *pattern, struct err *err)
{
	_cleanup_(freep) char *url = checksum_url(pattern, fetch->url);
	struct confine confine = { .job = fetch->job, .url = url, .fd = -EBADF };
	int r;

	strmap_set(&confine.result, "name", strrchr(fetch->url, '/') + 1);
	r = confine_run(&confine, read_checksum, fetch->report, err);
	if (r == 0)
		replace_str(&fetch->checksum, strmap_get(&confine.result, "checksum"));
	else
		r = err_wrap(err, "checksum");
	strmap_done(&confine.result);
	return r;
}

/* Find out url and checksum. */
static int look_up(struct fetch *fetch, struct err *err)
{
	const char *pattern = strmap_get(&fetch->job->variables, "checksum_url");
	int r = 0;

	fetch->url = xstrdup(fetch->job->url);
	if (strmap_has(&fetch->job->variables, "index_url"))
		r = ask_index(fetch, err);
	if (r == 0 && fetch->job->checksum)
		replace_str(&fetch->checksum, fetch->job->checksum);
	if (r == 0 && !fetch->checksum && pattern)
		r = ask_checksum(fetch, pattern, err);
	if (r == 0 && fetch->checksum)
		r = checksum_validate(fetch->checksum, err);
	return r;
}

/* Whether dst is there already, with the right checksum. */
static bool have_it(struct fetch *fetch)
{
	_cleanup_(fd_closep) int fd =
		open(fetch->job->dst, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_(freep) char *found = NULL;
	struct stat st;

	if (fd < 0 || !fetch->checksum || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	fetch->size_bytes = (uint64_t)st.st_size;
	return checksum_verify(fd, fetch->checksum, &found) == 1;
}

/* Open the part; *ret_resume_at: what is in it and may be gone on from (F2). */
static int open_part(struct fetch *fetch, uint64_t *ret_resume_at, struct err *err)
{
	_cleanup_(freep) char *copy = xstrdup(fetch->job->dst);
	const char *dir = dirname(copy);
	struct stat st;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "make \"%s\"", dir);

	fetch->part_path = xasprintf("%s.part", fetch->job->dst);
	fetch->fd =
		open(fetch->part_path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fetch->fd < 0 || fstat(fetch->fd, &st) < 0)
		return err_set(err, -errno, "open \"%s\"", fetch->part_path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "\"%s\": no regular file", fetch->part_path);
	if (flock(fetch->fd, LOCK_EX | LOCK_NB) < 0)
		return err_kind(err, ERR_CONFLICT, "\"%s\" is being downloaded already",
				fetch->job->dst);
	*ret_resume_at = fetch->checksum ? (uint64_t)st.st_size : 0;
	if (*ret_resume_at == 0 && ftruncate(fetch->fd, 0) < 0)
		return err_set(err, -errno, "empty \"%s\"", fetch->part_path);
	return 0;
}

/* Returns: 0, 1 when it has to be tried again from the beginning, -errno. */
static int transfer_once(struct fetch *fetch, uint64_t resume_at, struct err *err)
{
	struct confine confine = {
		.job = fetch->job,
		.url = fetch->url,
		.resume_at = resume_at,
		.fd = fetch->fd,
	};
	_cleanup_(freep) char *found = NULL;
	int r = confine_run(&confine, read_file, fetch->report, err);
	bool again = strmap_has(&confine.result, "no_resume");

	if (strmap_has(&confine.result, "url"))
		replace_str(&fetch->final_url, strmap_get(&confine.result, "url"));
	strmap_done(&confine.result);
	if (r < 0)
		return again && r != -ECANCELED ? 1 : r;
	if (!fetch->checksum)
		return 0;
	r = checksum_verify(fetch->fd, fetch->checksum, &found);
	if (r < 0)
		return err_set(err, r, "hash \"%s\"", fetch->part_path);
	if (r == 0 && resume_at > 0)
		return 1; /* the part was of something else */
	if (r == 0) {
		(void)unlink(fetch->part_path);
		return err_kind(err, ERR_INVALID,
				"fetch \"%s\": wrong checksum: expected %s, got %s", fetch->url,
				fetch->checksum, found);
	}
	return 0;
}

static int transfer_all(struct fetch *fetch, struct err *err)
{
	uint64_t resume_at = 0;
	int r = open_part(fetch, &resume_at, err);

	if (r == 0)
		r = transfer_once(fetch, resume_at, err);
	if (r != 1)
		return r;
	if (ftruncate(fetch->fd, 0) < 0)
		return err_set(err, -errno, "empty \"%s\"", fetch->part_path);
	return transfer_once(fetch, 0, err);
}

/* A part that nothing can be gone on from is of no use (F2). */
static void drop_useless_part(const struct fetch *fetch)
{
	struct stat st;

	if (fetch->fd >= 0 && fstat(fetch->fd, &st) == 0 && (st.st_size == 0 || !fetch->checksum))
		(void)unlink(fetch->part_path);
}

/* The part becomes dst (F1). */
static int publish(struct fetch *fetch, struct err *err)
{
	_cleanup_(freep) char *copy = xstrdup(fetch->job->dst);
	_cleanup_(fd_closep) int dir_fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fsync(fetch->fd) < 0 || fstat(fetch->fd, &st) < 0)
		return err_set(err, -errno, "sync \"%s\"", fetch->part_path);
	if (rename(fetch->part_path, fetch->job->dst) < 0)
		return err_set(err, -errno, "rename to \"%s\"", fetch->job->dst);
	if (dir_fd < 0 || fsync(dir_fd) < 0)
		return err_set(err, -errno, "sync the directory of \"%s\"", fetch->job->dst);
	fetch->size_bytes = (uint64_t)st.st_size;
	return 0;
}

static void tell_results(const struct fetch *fetch)
{
	char number[32];

	(void)snprintf(number, sizeof(number), "%" PRIu64, fetch->size_bytes);
	report_result(fetch->report, "size", number);
	report_result(fetch->report, "url", fetch->final_url ? fetch->final_url : fetch->url);
	if (fetch->version)
		report_result(fetch->report, "version", fetch->version);
	if (fetch->checksum)
		report_result(fetch->report, "checksum", fetch->checksum);
}

int fetch_run(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(fetch_done) struct fetch fetch = { .job = job, .report = report, .fd = -EBADF };
	int r = check_job(job, err);

	if (r < 0)
		return r;
	report_stage(report, "download");
	r = look_up(&fetch, err);
	if (r == 0 && !have_it(&fetch)) {
		r = transfer_all(&fetch, err);
		if (r == 0)
			r = publish(&fetch, err);
	}
	if (r < 0) {
		drop_useless_part(&fetch);
		return r;
	}
	tell_results(&fetch);
	return 0;
}
