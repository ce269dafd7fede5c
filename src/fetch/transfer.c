/* fetch/transfer.c - see transfer.h */
#include "fetch/transfer.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"

enum {
	CONNECT_S = 30,
	STALL_S = 60, /* no byte for so long: give up */
	REDIRECTS_MAX = 5,
	HTTP_RANGE_REFUSED = 416
};

struct state {
	struct transfer *transfer;
	CURL *curl;
	char words[CURL_ERROR_SIZE];
	int write_error; /* -errno of our side */
	bool too_big;
};

static size_t on_bytes(char *bytes, size_t size, size_t n, void *data)
{
	struct state *state = data;
	struct transfer *transfer = state->transfer;
	size_t len = size * n;

	if (transfer->max_bytes > 0 && transfer->done_bytes + len > transfer->max_bytes) {
		state->too_big = true;
		return 0;
	}
	if (transfer->fd < 0)
		buf_add(transfer->out, bytes, len);
	else
		state->write_error = fd_write_all(transfer->fd, bytes, len);
	transfer->done_bytes += len;
	return state->write_error < 0 ? 0 : len;
}

static int on_progress(void *data, curl_off_t total, curl_off_t now, curl_off_t up_total,
		       curl_off_t up_now)
{
	const struct state *state = data;
	const struct transfer *transfer = state->transfer;

	(void)up_total;
	(void)up_now;
	if (transfer->report)
		report_progress(transfer->report, "download", transfer->resume_at + (uint64_t)now,
				total > 0 ? transfer->resume_at + (uint64_t)total : 0);
	return 0;
}

/* Every option is known to the libcurl that configure asked for: failures are out-of-memory. */
static void set_options(struct state *state)
{
	const struct transfer *transfer = state->transfer;
	bool https_only = transfer->keep_scheme && str_after(transfer->url, "https://");
	CURL *curl = state->curl;

	(void)curl_easy_setopt(curl, CURLOPT_URL, transfer->url);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
	(void)curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR,
			       https_only ? "https" : "http,https");
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	(void)curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
	(void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "sysctr/" SYSCTR_VERSION);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, state->words);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, state);
	(void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, state);
	if (transfer->resume_at > 0)
		(void)curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE,
				       (curl_off_t)transfer->resume_at);
}

static int explain_status(const char *url, long status, struct err *err)
{
	static const struct {
		long from, to;
		enum err_kind kind;
		const char *words;
	} statuses[] = {
		{ 401, 401, ERR_FORBIDDEN, "the server wants a login" },
		{ 403, 403, ERR_FORBIDDEN, "the server refuses it" },
		{ 404, 404, ERR_NOT_FOUND, "the server has no such file" },
		{ 407, 407, ERR_FORBIDDEN, "the proxy wants a login" },
		{ 410, 410, ERR_NOT_FOUND, "the server has that file no more" },
		{ 429, 429, ERR_UNAVAILABLE, "too many requests, try again later" },
		{ 500, 599, ERR_UNAVAILABLE, "the server failed, try again later" },
	};

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (status >= statuses[i].from && status <= statuses[i].to)
			return err_kind(err, statuses[i].kind, "fetch \"%s\": %s (HTTP status %ld)",
					url, statuses[i].words, status);
	return err_kind(err, ERR_INTERNAL, "fetch \"%s\": HTTP status %ld", url, status);
}

static int explain(const struct state *state, CURLcode code, struct err *err)
{
	static const struct {
		CURLcode code;
		enum err_kind kind;
	} kinds[] = {
		{ CURLE_COULDNT_RESOLVE_HOST, ERR_UNAVAILABLE },
		{ CURLE_COULDNT_RESOLVE_PROXY, ERR_UNAVAILABLE },
		{ CURLE_COULDNT_CONNECT, ERR_UNAVAILABLE },
		{ CURLE_OPERATION_TIMEDOUT, ERR_UNAVAILABLE },
		{ CURLE_RECV_ERROR, ERR_UNAVAILABLE },
		{ CURLE_PARTIAL_FILE, ERR_UNAVAILABLE },
		{ CURLE_GOT_NOTHING, ERR_UNAVAILABLE },
		{ CURLE_FILE_COULDNT_READ_FILE, ERR_NOT_FOUND },
		{ CURLE_UNSUPPORTED_PROTOCOL, ERR_INVALID },
		{ CURLE_URL_MALFORMAT, ERR_INVALID },
	};
	enum err_kind kind = ERR_INTERNAL;
	long status = 0;

	if (state->write_error < 0)
		return err_set(err, state->write_error, "fetch \"%s\": write",
			       state->transfer->url);
	if (state->too_big)
		return err_kind(err, ERR_INVALID, "fetch \"%s\": larger than %llu bytes",
				state->transfer->url,
				(unsigned long long)state->transfer->max_bytes);
	(void)curl_easy_getinfo(state->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_HTTP_RETURNED_ERROR)
		return explain_status(state->transfer->url, status, err);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].code == code)
			kind = kinds[i].kind;
	return err_kind(err, kind, "fetch \"%s\": %s", state->transfer->url,
			state->words[0] ? state->words : curl_easy_strerror(code));
}

int transfer_run(struct transfer *transfer, struct err *err)
{
	struct state state = { .transfer = transfer, .curl = curl_easy_init() };
	const char *final_url = NULL;
	long status = 0;
	CURLcode code;
	int r = 0;

	if (!state.curl)
		return err_set(err, -ENOMEM, "start libcurl");
	transfer->done_bytes = transfer->resume_at;
	set_options(&state);
	code = curl_easy_perform(state.curl);
	(void)curl_easy_getinfo(state.curl, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(state.curl, CURLINFO_EFFECTIVE_URL, &final_url);
	transfer->final_url = xstrdup(final_url);
	transfer->no_resume = transfer->resume_at > 0 &&
			      (code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME ||
			       status == HTTP_RANGE_REFUSED);
	if (code != CURLE_OK)
		r = explain(&state, code, err);
	curl_easy_cleanup(state.curl);
	return r;
}
