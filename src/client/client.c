/* client/client.c - see client.h */
#include "client/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"

enum {
	ANSWER_MAX = 512 * 1024 * 1024
};

struct client {
	char *socket_path;
	int interrupt_fd; /* borrowed */
	struct http_conn *conn;
};

struct client *client_new(const char *socket_path)
{
	struct client *client = xcalloc(1, sizeof(*client));

	client->socket_path = xstrdup(socket_path);
	client->interrupt_fd = -EBADF;
	return client;
}

struct client *client_free(struct client *client)
{
	if (!client)
		return NULL;
	http_close(client->conn);
	free(client->socket_path);
	free(client);
	return NULL;
}

static void drop_connection(struct client *client)
{
	http_close(client->conn);
	client->conn = NULL;
}

void client_set_interrupt(struct client *client, int fd)
{
	client->interrupt_fd = fd;
	drop_connection(client); /* it remembers the old one */
}

/* Send on the kept connection, or on a new one when there is none or it was closed meanwhile. */
static int exchange(struct client *client, const struct http_request *request,
		    struct http_reply *head, struct err *err)
{
	bool kept = client->conn != NULL;
	int r = 0;

	if (kept) {
		r = http_exchange(client->conn, request, head, err);
		if (r != -EPIPE || request->source)
			goto out;
		drop_connection(client);
	}
	if (err)
		*err = (struct err){ 0 };
	r = http_open(client->socket_path, client->interrupt_fd, &client->conn, err);
	if (r == 0)
		r = http_exchange(client->conn, request, head, err);
out:
	if (r < 0)
		drop_connection(client);
	return r;
}

/* Read the body to its end and keep the connection when it can be used again. */
static int finish(struct client *client, struct buf *body, struct err *err)
{
	int r = http_read_all(client->conn, body, ANSWER_MAX, err);

	if (r < 0 || !http_reusable(client->conn))
		drop_connection(client);
	return r;
}

static enum err_kind kind_of_status(int status)
{
	for (enum err_kind kind = 0; kind < ERR_KIND_MAX; kind++)
		if (err_http_status(kind) == status)
			return kind;
	return status >= 400 && status < 500 ? ERR_INVALID : ERR_INTERNAL;
}

/* The text of an error answer, cleaned for a terminal. */
static int refuse(int status, const json_t *envelope, struct err *err)
{
	_cleanup_(freep) char *text = str_printable(json_str(envelope, "error", ""), true);

	if (str_empty(text))
		return err_kind(err, kind_of_status(status), "sysctrd answered with status %d",
				status);
	return err_kind(err, kind_of_status(status), "%s", text);
}

/* The last element of "/1.0/operations/<id>?project=x". */
static char *operation_id(const char *url)
{
	const char *slash = strrchr(url, '/');
	const char *from = slash ? slash + 1 : url;

	return xstrndup(from, strcspn(from, "?"));
}

static int parse_envelope(const struct http_reply *head, const struct buf *body,
			  struct client_reply *reply, struct err *err)
{
	_cleanup_(json_decrefp) json_t *envelope = NULL;
	const char *type;

	envelope = json_loadb(buf_str(body), body->len, JSON_REJECT_DUPLICATES, NULL);
	type = json_str(envelope, "type", "");
	if (streq(type, "error") || head->status >= 400)
		return refuse(head->status, envelope, err);
	if (!json_is_object(envelope))
		return err_kind(err, ERR_INTERNAL, "sysctrd's answer is not JSON");
	reply->status = head->status;
	reply->metadata = json_incref(json_object_get(envelope, "metadata"));
	if (streq(type, "async"))
		reply->operation = operation_id(json_str(envelope, "operation", ""));
	replace_str(&reply->etag, strmap_get(&head->headers, "etag"));
	return 0;
}

int client_send(struct client *client, const struct http_request *request,
		struct client_reply *reply, struct err *err)
{
	struct client_reply ignored = { 0 };
	struct http_reply head = { 0 };
	struct buf body = { 0 };
	int r;

	if (reply)
		client_reply_done(reply);
	r = exchange(client, request, &head, err);
	if (r == 0)
		r = finish(client, &body, err);
	if (r == 0)
		r = parse_envelope(&head, &body, reply ? reply : &ignored, err);
	client_reply_done(&ignored);
	http_reply_done(&head);
	buf_done(&body);
	return r;
}

int client_change(struct client *client, const char *method, const char *path, const json_t *body,
		  const char *etag, struct client_reply *reply, struct err *err)
{
	_cleanup_(freep) char *text =
		body ? json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	_cleanup_(freep) char *match = etag ? xasprintf("If-Match: %s", etag) : NULL;
	const char *headers[3] = { 0 };
	struct http_request request = { .method = method, .target = path, .headers = headers };
	size_t n = 0;

	if (text) {
		headers[n++] = "Content-Type: application/json";
		request.body = text;
		request.body_len = strlen(text);
	}
	headers[n] = match;
	return client_send(client, &request, reply, err);
}

int client_request(struct client *client, const char *method, const char *path, const json_t *body,
		   struct client_reply *reply, struct err *err)
{
	return client_change(client, method, path, body, NULL, reply, err);
}

int client_get(struct client *client, const char *path, json_t **ret_value, struct err *err)
{
	struct client_reply reply = { 0 };
	int r = client_request(client, "GET", path, NULL, &reply, err);

	if (r == 0)
		*ret_value = reply.metadata ? json_incref(reply.metadata) : json_null();
	client_reply_done(&reply);
	return r;
}

int client_get_fields(struct client *client, const char *path, const char *const *fields,
		      json_t **ret_value, struct err *err)
{
	_cleanup_(freep) char *list = strv_join(fields, ",");
	_cleanup_(freep) char *escaped = client_escape(list);
	_cleanup_(freep) char *target =
		xasprintf("%s%cfields=%s", path, strchr(path, '?') ? '&' : '?', escaped);

	return client_get(client, target, ret_value, err);
}

static int pass_on(struct client *client, client_sink_fn sink, void *data, struct err *err)
{
	enum {
		PIECE = 256 * 1024
	};
	_cleanup_(freep) char *piece = xmalloc(PIECE);

	for (;;) {
		ssize_t n = http_read(client->conn, piece, PIECE, err);
		int r = n > 0 ? sink(data, piece, (size_t)n, err) : (int)n;

		if (r < 0 || n == 0)
			return r;
	}
}

int client_download(struct client *client, const char *path, struct http_reply *head,
		    client_sink_fn sink, void *data, struct err *err)
{
	struct http_request request = { .method = "GET", .target = path };
	struct http_reply own = { 0 }, *reply = head ? head : &own;
	struct client_reply ignored = { 0 };
	struct buf body = { 0 };
	int r = exchange(client, &request, reply, err);

	if (r == 0 && reply->status >= 400) {
		r = finish(client, &body, err);
		if (r == 0)
			r = parse_envelope(reply, &body, &ignored, err);
	} else if (r == 0) {
		r = pass_on(client, sink, data, err);
		if (r < 0 || !http_reusable(client->conn))
			drop_connection(client);
	}
	client_reply_done(&ignored);
	http_reply_done(&own);
	buf_done(&body);
	return r;
}

int client_raw(struct client *client, const struct http_request *request, struct buf *ret_body,
	       int *ret_status, struct err *err)
{
	struct http_reply head = { 0 };
	int r = exchange(client, request, &head, err);

	if (r == 0)
		r = finish(client, ret_body, err);
	if (r == 0 && ret_status)
		*ret_status = head.status;
	http_reply_done(&head);
	return r;
}

/* Any other answer than 101. Returns: 1 when @reply is wanted and the request was taken. */
static int not_upgraded(struct http_conn *conn, const struct http_request *request,
			const struct http_reply *head, struct client_reply *reply, struct err *err)
{
	_cleanup_(buf_done) struct buf body = { 0 };
	struct client_reply ignored = { 0 };
	int r = http_read_all(conn, &body, ANSWER_MAX, err);

	if (r == 0)
		r = parse_envelope(head, &body, reply ? reply : &ignored, err);
	client_reply_done(&ignored);
	if (r == 0 && !reply)
		r = err_kind(err, ERR_INTERNAL, "sysctrd refused to upgrade to %s",
			     request->upgrade);
	return r < 0 ? r : 1;
}

int client_upgrade(const struct client *client, const struct http_request *request,
		   struct client_reply *reply, struct http_conn **ret_conn, struct err *err)
{
	_cleanup_(http_closep) struct http_conn *conn = NULL;
	struct http_reply head = { 0 };
	int r = http_open(client->socket_path, client->interrupt_fd, &conn, err);

	if (r == 0)
		r = http_exchange(conn, request, &head, err);
	if (r == 0 && head.status == 101) {
		const char *location = strmap_get(&head.headers, "location");

		if (reply && location)
			reply->operation = operation_id(location);
		*ret_conn = TAKE_PTR(conn);
	} else if (r == 0) {
		r = not_upgraded(conn, request, &head, reply, err);
	}
	http_reply_done(&head);
	return r;
}

void client_reply_done(struct client_reply *reply)
{
	json_decref(reply->metadata);
	free(reply->operation);
	free(reply->etag);
	*reply = (struct client_reply){ 0 };
}

char *client_escape(const char *segment)
{
	struct buf out = { 0 };

	for (const unsigned char *p = (const unsigned char *)segment; *p; p++) {
		if ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
		    (*p >= 'A' && *p <= 'Z') || strchr("-._~", *p))
			buf_add_char(&out, (char)*p);
		else
			buf_printf(&out, "%%%02X", *p);
	}
	return buf_take_str(&out);
}

char *client_path(const char *format, ...)
{
	struct buf out = { 0 };
	const char *mark;
	va_list ap;

	va_start(ap, format);
	while ((mark = strstr(format, "%s"))) {
		_cleanup_(freep) char *escaped = client_escape(va_arg(ap, const char *));

		buf_add(&out, format, (size_t)(mark - format));
		buf_add_str(&out, escaped);
		format = mark + 2;
	}
	va_end(ap);
	buf_add_str(&out, format);
	return buf_take_str(&out);
}

json_t *json_at(const json_t *object, const char *path)
{
	json_t *at = (json_t *)object;

	while (at && *path) {
		size_t len = strcspn(path, ".");

		at = json_object_getn(at, path, len);
		path += len + (path[len] == '.');
	}
	return at;
}
