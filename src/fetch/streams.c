/*
 * fetch/streams.c - see streams.h
 *
 *   index -> lists of products, until one has the image -> its one or two files
 */
#include "fetch/streams.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "fetch/confine.h"
#include "fetch/fetch.h"
#include "fetch/transfer.h"
#include "image/simplestreams.h"
#include "os/fd.h"
#include "spec/image_server.h"

/* New string. */
static char *url_of(const char *server, const char *path)
{
	size_t len = strlen(server);

	while (len > 0 && server[len - 1] == '/')
		len--;
	return xasprintf("%.*s/%s", (int)len, server, path);
}

/* Sandbox. */
static int read_text(const struct confine *confine, struct buf *out, struct err *err)
{
	struct transfer transfer = {
		.url = confine->url,
		.max_bytes = STREAMS_BYTES_MAX,
		.keep_scheme = true,
		.fd = -EBADF,
		.out = out,
	};
	int r = transfer_run(&transfer, err);

	free(transfer.final_url);
	return r;
}

/* Sandbox: result "0", "1", ... are the paths of lists. */
static int read_index(struct confine *confine, struct err *err)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	_cleanup_(strv_freep) char **paths = NULL;
	int r = read_text(confine, &text, err);

	if (r == 0)
		r = streams_read_index(buf_str(&text), text.len, &paths, err);
	for (size_t i = 0; paths && paths[i]; i++) {
		_cleanup_(freep) char *key = xasprintf("%zu", i);

		strmap_set(&confine->result, key, paths[i]);
	}
	return r;
}

/* Sandbox. */
static int read_products(struct confine *confine, struct err *err)
{
	_cleanup_(streams_image_done) struct streams_image image = { 0 };
	_cleanup_(buf_done) struct buf text = { 0 };
	const struct streams_want want = {
		.alias = strmap_get(&confine->job->variables, "alias"),
		.fingerprint = confine->job->fingerprint,
		.architecture = strmap_get(&confine->job->variables, "architecture"),
	};
	int r = read_text(confine, &text, err);

	if (r == 0)
		r = streams_find_image(buf_str(&text), text.len, &want, &image, err);
	if (r == 0)
		streams_image_to_map(&image, &confine->result);
	return r;
}

/* @ret_paths: new strv. */
static int ask_index(const struct job *job, struct report *report, char ***ret_paths,
		     struct err *err)
{
	_cleanup_(freep) char *url = url_of(job->url, "streams/v1/index.json");
	struct confine confine = { .job = job, .url = url, .fd = -EBADF };
	int r = confine_run(&confine, read_index, report, err);

	for (size_t i = 0; r == 0 && i < STREAMS_LISTS_MAX; i++) {
		_cleanup_(freep) char *key = xasprintf("%zu", i);
		const char *path = strmap_get(&confine.result, key);

		if (path && !streams_path_is_plain(path))
			r = err_kind(err, ERR_INVALID, "a path in the index is no plain one");
		else if (path)
			strv_push(ret_paths, path);
	}
	strmap_done(&confine.result);
	return r < 0 ? err_wrap(err, "\"%s\"", url) : 0;
}

static int ask_products(const struct job *job, const char *path, struct report *report,
			struct streams_image *ret_image, struct err *err)
{
	_cleanup_(freep) char *url = url_of(job->url, path);
	struct confine confine = { .job = job, .url = url, .fd = -EBADF };
	int r = confine_run(&confine, read_products, report, err);

	if (r == 0)
		r = streams_image_from_map(&confine.result, ret_image, err);
	strmap_done(&confine.result);
	return r < 0 ? err_wrap(err, "\"%s\"", url) : 0;
}

static int find_image(const struct job *job, struct report *report, struct streams_image *ret_image,
		      struct err *err)
{
	_cleanup_(strv_freep) char **paths = NULL;
	int r = ask_index(job, report, &paths, err);

	if (r < 0)
		return r;
	r = err_kind(err, ERR_NOT_FOUND, "\"%s\": the index names no list of images", job->url);
	for (char **path = paths; path && *path && err->kind == ERR_NOT_FOUND; path++) {
		*err = (struct err){ 0 };
		r = ask_products(job, *path, report, ret_image, err);
		if (r == 0)
			return 0;
	}
	return r;
}

static int fetch_file(const struct job *job, const struct streams_file *file, const char *dst,
		      struct report *report, struct err *err)
{
	struct job part = {
		.kind = JOB_FETCH,
		.url = url_of(job->url, file->path),
		.dst = (char *)dst,
		.checksum = xasprintf("sha256:%s", file->sha256),
		.size_bytes = job->size_bytes,
		.id_base = job->id_base,
		.id_count = job->id_count,
	};
	int r;

	if (job->size_bytes > 0 && file->size_bytes > job->size_bytes)
		r = err_kind(err, ERR_INVALID, "\"%s\" has %" PRIu64 " bytes, too many", part.url,
			     file->size_bytes);
	else
		r = fetch_run(&part, report, err);
	free(part.url);
	free(part.checksum);
	return r;
}

static int fetch_image(const struct job *job, const struct streams_image *image,
		       struct report *report, struct err *err)
{
	_cleanup_(freep) char *metadata = xasprintf("%s/cache/%s", job->dir, image->fingerprint);
	_cleanup_(freep) char *rootfs = xasprintf("%s.rootfs", metadata);
	int r = fetch_file(job, &image->metadata, metadata, report, err);

	return r == 0 && image->rootfs.path ? fetch_file(job, &image->rootfs, rootfs, report, err)
					    : r;
}

static int check_job(const struct job *job, struct err *err)
{
	const char *alias = strmap_get(&job->variables, "alias");

	if (!job->dir || job->dir[0] != '/' || !strmap_has(&job->variables, "architecture"))
		return err_kind(err, ERR_INVALID, "streams-fetch: dir or architecture is missing");
	if (str_empty(alias) && str_empty(job->fingerprint))
		return err_kind(err, ERR_INVALID, "streams-fetch: alias or fingerprint is missing");
	return image_server_check(job->url, err);
}

/* The caller has it already. */
static bool is_known(const struct job *job, const struct streams_image *image)
{
	_cleanup_(freep) char *key = xasprintf("have.%s", image->fingerprint);

	return strmap_has(&job->variables, key);
}

/*
 * A server that shows an old list, whoever makes it do so, gets no old version in. By days: what
 * servers write behind the date differs from what they write into images.
 */
static int check_age(const struct job *job, const struct streams_image *image, struct err *err)
{
	const char *newest = strmap_get(&job->variables, "newest");
	int64_t theirs = streams_version_wall_ns(image->version);

	if (!newest || theirs == 0 || theirs >= streams_version_wall_ns(newest))
		return 0;
	return err_kind(
		err, ERR_CONFLICT,
		"\"%s\" has version %s, which is older than %s, the one that is here: delete "
		"that first if the older one is wanted",
		job->url, image->version, newest);
}

int streams_run(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(streams_image_done) struct streams_image image = { 0 };
	int r = check_job(job, err);

	if (r < 0)
		return r;
	report_stage(report, "index");
	r = find_image(job, report, &image, err);
	if (r == 0)
		r = check_age(job, &image, err);
	if (r == 0 && !is_known(job, &image))
		r = fetch_image(job, &image, report, err);
	if (r < 0)
		return r;
	report_result(report, "fingerprint", image.fingerprint);
	report_result(report, "version", image.version);
	report_result(report, "format", image.rootfs.path ? "split" : "unified");
	return 0;
}

/* ---- what it has ---- */

/* Sandbox: one list of products; its images are appended to the job's output. */
static int list_products(struct confine *confine, struct err *err)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	_cleanup_(buf_done) struct buf bytes = { 0 };
	struct remote_images list = { 0 };
	const char *architecture = strmap_get(&confine->job->variables, "architecture");
	int r = read_text(confine, &text, err);

	if (r == 0)
		r = streams_list_images(buf_str(&text), text.len, architecture, &list, err);
	if (r == 0) {
		wire_encode(&remote_images_schema, &list, &bytes);
		r = fd_write_all(confine->fd, bytes.data, bytes.len);
		if (r < 0)
			(void)err_set(err, r, "write the list of images");
	}
	wire_free(&remote_images_schema, &list);
	return r;
}

static int list_one(const struct job *job, const char *path, struct report *report, struct err *err)
{
	_cleanup_(freep) char *url = url_of(job->url, path);
	struct confine confine = { .job = job, .url = url, .fd = STDOUT_FILENO };
	int r = confine_run(&confine, list_products, report, err);

	strmap_done(&confine.result);
	return r < 0 ? err_wrap(err, "\"%s\"", url) : 0;
}

int streams_list(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(strv_freep) char **paths = NULL;
	int r = image_server_check(job->url, err);

	if (r == 0 && !strmap_has(&job->variables, "architecture"))
		r = err_kind(err, ERR_INVALID, "streams-list: architecture is missing");
	if (r < 0)
		return r;
	report_stage(report, "index");
	r = ask_index(job, report, &paths, err);
	for (char **path = paths; r == 0 && path && *path; path++)
		r = list_one(job, *path, report, err);
	return r;
}
