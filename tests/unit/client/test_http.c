/* tests/unit/client/test_http.c - answers in every shape, from a child that plays the daemon */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "client/client.h"

struct fake {
	char path[64];
	pid_t pid;
};

/* Read one request off @fd: up to the empty line, or to the last chunk. */
static void read_request(int fd, bool chunked)
{
	char bytes[65536];
	size_t len = 0;

	while (len + 1 < sizeof(bytes)) {
		ssize_t n = read(fd, bytes + len, sizeof(bytes) - 1 - len);

		if (n <= 0)
			return;
		len += (size_t)n;
		bytes[len] = '\0';
		if (strstr(bytes, chunked ? "0\r\n\r\n" : "\r\n\r\n"))
			return;
	}
}

/* Each answer byte by byte, so that every boundary is met. */
static void answer(int fd, const char *text)
{
	for (; *text; text++)
		if (send(fd, text, 1, MSG_NOSIGNAL) < 0)
			return;
}

/* A child that gives @answers in turn on one connection ("" closes it and takes the next). */
static void fake_start(struct fake *fake, const char *const *answers, bool chunked)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	(void)snprintf(fake->path, sizeof(fake->path), "/tmp/sysctr-http-%d", getpid());
	(void)unlink(fake->path);
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", fake->path);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 4), 0);
	fake->pid = fork();
	if (fake->pid > 0) {
		(void)close(listener);
		return;
	}
	fd = accept(listener, NULL, NULL);
	for (; *answers; answers++) {
		if (!**answers) {
			(void)close(fd);
			fd = accept(listener, NULL, NULL);
			continue;
		}
		read_request(fd, chunked);
		answer(fd, *answers);
	}
	_exit(0);
}

static void fake_stop(struct fake *fake)
{
	(void)kill(fake->pid, SIGKILL);
	(void)waitpid(fake->pid, NULL, 0);
	(void)unlink(fake->path);
}

#define OK "HTTP/1.1 200 OK\r\n"

static void test_bodies(void **state)
{
	static const char *const answers[] = {
		OK
		"Content-Length: 34\r\nETag: \"x\"\r\n\r\n{\"type\":\"sync\",\"metadata\":[1,2,3]}",
		OK "Transfer-Encoding: chunked\r\n\r\n10\r\n{\"type\":\"sync\",\"\r\n"
		   "10;x=y\r\nmetadata\":[1,2,3\r\n2\r\n]}\r\n0\r\nTrailer: a\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n" OK
		"Connection: close\r\n\r\n{\"type\":\"sync\",\"metadata\":[1,2,3]}",
		"",
		NULL,
	};
	struct fake fake;
	struct client *client;

	(void)state;
	fake_start(&fake, answers, false);
	client = client_new(fake.path);
	for (int i = 0; i < 3; i++) {
		struct client_reply reply = { 0 };
		struct err err = { 0 };

		if (client_request(client, "GET", "/1.0", NULL, &reply, &err) < 0)
			fail_msg("answer %d: %s", i, err.msg);
		assert_int_equal(json_array_size(reply.metadata), 3);
		if (i == 0)
			assert_string_equal(reply.etag, "\"x\"");
		client_reply_done(&reply);
	}
	client = client_free(client);
	fake_stop(&fake);
}

static void test_errors(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 404 Not Found\r\nContent-Length: 42\r\n\r\n"
		"{\"type\":\"error\",\"error\":\"no \\u001b such\" }",
		"HTTP/1.1 502 Bad\r\nContent-Length: 5\r\n\r\noops!",
		OK "Content-Length: 3\r\n\r\n[1]",
		"nonsense\r\n\r\n",
		NULL,
	};
	static const struct {
		enum err_kind kind;
		const char *text;
	} wanted[] = {
		{ ERR_NOT_FOUND, "no ? such" },
		{ ERR_INTERNAL, "sysctrd answered with status 502" },
		{ ERR_INTERNAL, "sysctrd's answer is not JSON" },
		{ ERR_INTERNAL, "read the answer's head: Protocol error" },
	};
	struct fake fake;
	struct client *client;

	(void)state;
	fake_start(&fake, answers, false);
	client = client_new(fake.path);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		struct err err = { 0 };

		assert_true(client_request(client, "GET", "/1.0/x", NULL, NULL, &err) < 0);
		assert_string_equal(err.msg, wanted[i].text);
		assert_int_equal(err.kind, wanted[i].kind);
	}
	client = client_free(client);
	fake_stop(&fake);
}

/* A connection that was closed while idle is opened again without a word. */
static void test_reconnect(void **state)
{
	static const char *const answers[] = {
		OK "Content-Length: 28\r\n\r\n{\"type\":\"sync\",\"metadata\":1}", "",
		OK "Content-Length: 28\r\n\r\n{\"type\":\"sync\",\"metadata\":2}", NULL
	};
	struct fake fake;
	struct client *client;

	(void)state;
	fake_start(&fake, answers, false);
	client = client_new(fake.path);
	for (int i = 1; i <= 2; i++) {
		json_t *value = NULL;

		assert_int_equal(client_get(client, "/1.0", &value, NULL), 0);
		assert_int_equal(json_integer_value(value), i);
		json_decref(value);
	}
	client = client_free(client);
	fake_stop(&fake);
}

static ssize_t three_pieces(void *data, void *out, size_t cap, struct err *err)
{
	int *left = data;

	(void)err;
	if ((*left)-- <= 0)
		return 0;
	memset(out, 'a', cap / 4);
	return (ssize_t)(cap / 4);
}

static void test_upload(void **state)
{
	static const char *const answers[] = {
		OK "Content-Length: 66\r\n\r\n{\"type\":\"async\",\"operation\":\"/1.0/operations/"
		   "abc\",\"metadata\":null}",
		NULL
	};
	int left = 3;
	struct http_request request = { .method = "POST",
					.target = "/1.0/images",
					.source = three_pieces,
					.source_data = &left };
	struct client_reply reply = { 0 };
	struct fake fake;
	struct client *client;

	(void)state;
	fake_start(&fake, answers, true);
	client = client_new(fake.path);
	assert_int_equal(client_send(client, &request, &reply, NULL), 0);
	assert_string_equal(reply.operation, "abc");
	client_reply_done(&reply);
	client = client_free(client);
	fake_stop(&fake);
}

static void test_nobody(void **state)
{
	struct client *client = client_new("/nonexistent/socket");
	struct err err = { 0 };

	(void)state;
	assert_true(client_request(client, "GET", "/1.0", NULL, NULL, &err) < 0);
	assert_int_equal(err.kind, ERR_UNAVAILABLE);
	assert_non_null(strstr(err.msg, "sysctrd is not running"));
	client = client_free(client);
}

static void test_paths(void **state)
{
	_cleanup_(freep) char *path = client_path("/1.0/images/aliases/%s?x=%s", "a/b c", "ü");

	(void)state;
	assert_string_equal(path, "/1.0/images/aliases/a%2Fb%20c?x=%C3%BC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),	  cmocka_unit_test(test_errors),
		cmocka_unit_test(test_reconnect), cmocka_unit_test(test_upload),
		cmocka_unit_test(test_nobody),	  cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
