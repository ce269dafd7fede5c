/*
 * client/client.h - the /1.0 REST API as function calls
 *
 * One struct client holds the path of the socket and one kept connection. All calls block; an
 * interrupt descriptor (client_set_interrupt) ends them with -EINTR.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "client/http.h"

struct client;

struct client_reply {
	int status;
	json_t *metadata; /* owned; NULL for none */
	char *operation;  /* its id when the answer is asynchronous, else NULL */
	char *etag;
};

/* @socket_path is copied. Nothing is connected before the first request. */
struct client *client_new(const char *socket_path);
struct client *client_free(struct client *client); /* returns NULL */

/* Borrowed; -EBADF for none. */
void client_set_interrupt(struct client *client, int fd);

/*
 * One request and its answer in the usual envelope. @body: borrowed, NULL for none.
 * @headers: as in http.h. @reply: all zero or of an earlier call (then dropped); NULL to ignore.
 *
 * Errors: what the daemon answered, with its kind; ERR_UNAVAILABLE when it does not run.
 */
int client_request(struct client *client, const char *method, const char *path, const json_t *body,
		   struct client_reply *reply, struct err *err);
int client_send(struct client *client, const struct http_request *request,
		struct client_reply *reply, struct err *err);

/* GET: its metadata alone. Returns: 0 with an owned *@ret_value. */
int client_get(struct client *client, const char *path, json_t **ret_value, struct err *err);

/*
 * GET of a list of which only @fields of each element are wanted ("name", "state/network"); the
 * daemon sends no others.
 */
int client_get_fields(struct client *client, const char *path, const char *const *fields,
		      json_t **ret_value, struct err *err);

/* PUT, PATCH with If-Match; @etag NULL for none. */
int client_change(struct client *client, const char *method, const char *path, const json_t *body,
		  const char *etag, struct client_reply *reply, struct err *err);

/* Bytes of a raw answer. Returns: 0, or -errno to stop. */
typedef int (*client_sink_fn)(void *data, const void *bytes, size_t len, struct err *err);

/*
 * A request whose answer is not JSON: @head (NULL allowed) gets status and headers before the
 * first call of @sink.
 */
int client_download(struct client *client, const char *path, struct http_reply *head,
		    client_sink_fn sink, void *data, struct err *err);

/* The answer as it is, error envelopes included; for "query --raw". @ret_status may be NULL. */
int client_raw(struct client *client, const struct http_request *request, struct buf *ret_body,
	       int *ret_status, struct err *err);

/*
 * A request on a connection of its own that must be answered with 101. Returns: 0 with *@ret_conn
 * to be taken apart by http_take_fd().
 *
 * @reply: NULL, or all zero. Gets the operation that the 101 names. A daemon that took the request
 * without the upgrade: returns 1, and @reply is its answer.
 */
int client_upgrade(const struct client *client, const struct http_request *request,
		   struct client_reply *reply, struct http_conn **ret_conn, struct err *err);

void client_reply_done(struct client_reply *reply);

/* @segment percent-encoded into a path: "a b/c" -> "a%20b%2Fc". Returns: new string. */
char *client_escape(const char *segment);

/* "/1.0/instances/%s/state" with each argument (char *) escaped. Returns: new string. */
char *client_path(const char *format, ...);

/* Member by a path of keys ("state.network"): NULL for none. Borrowed. */
json_t *json_at(const json_t *object, const char *path);
