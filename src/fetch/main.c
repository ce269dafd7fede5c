/*
 * fetch/main.c - sysctr-fetch: JOB_FETCH, JOB_STREAMS_FETCH and _LIST of spec/job.h, the only program with libcurl
 *
 * Worker; blocks. A program of its own, because loading libcurl takes longer than starting a
 * container.
 */
#include <curl/curl.h>

#include "fetch/fetch.h"
#include "fetch/streams.h"
#include "image/job_main.h"

/* Loads what it needs of certificates and libraries while the host's files can be seen. */
static int start_curl(struct err *err)
{
	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		return err_kind(err, ERR_INTERNAL, "libcurl cannot be initialised");
	return 0;
}

static int fetch(const struct job *job, struct report *report, struct err *err)
{
	int r = start_curl(err);

	return r < 0 ? r : fetch_run(job, report, err);
}

static int fetch_streams(const struct job *job, struct report *report, struct err *err)
{
	int r = start_curl(err);

	return r < 0 ? r : streams_run(job, report, err);
}

static int list_streams(const struct job *job, struct report *report, struct err *err)
{
	int r = start_curl(err);

	return r < 0 ? r : streams_list(job, report, err);
}

static job_fn *const jobs[JOB_KIND_MAX] = {
	[JOB_FETCH] = fetch,
	[JOB_STREAMS_FETCH] = fetch_streams,
	[JOB_STREAMS_LIST] = list_streams,
};

int main(void)
{
	return job_main("sysctr-fetch", jobs);
}
