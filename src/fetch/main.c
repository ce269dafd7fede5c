/*
 * fetch/main.c - sysctr-fetch: JOB_FETCH of spec/job.h, the only program with libcurl
 *
 * Worker; blocks. A program of its own, because loading libcurl takes longer than starting a
 * container.
 */
#include <curl/curl.h>

#include "fetch/fetch.h"
#include "image/job_main.h"

static int fetch(const struct job *job, struct report *report, struct err *err)
{
	/* loads what it needs of certificates and libraries while the host's files can be seen */
	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		return err_kind(err, ERR_INTERNAL, "libcurl cannot be initialised");
	return fetch_run(job, report, err);
}

static job_fn *const jobs[JOB_KIND_MAX] = {
	[JOB_FETCH] = fetch,
};

int main(void)
{
	return job_main("sysctr-fetch", jobs);
}
