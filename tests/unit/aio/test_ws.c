/* tests of aio/ws, aio/pump and aio/fdsession over real sockets; the client is codec/ws */
#include "aio/ws.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "aio/fdsession.h"
#include "aio/pump.h"
#include "base/mem.h"
#include "base/time.h"
#include "os/fd.h"
#include "os/sock.h"

struct fixture {
	struct aio_loop *loop;
	struct http_server *server;
	char dir[32];
	char path[100];

	/* the server's side */
	struct ws *ws;
	struct pump *pump;
	struct fdsession *session;
	bool fds_wanted;
	struct buf log;
	size_t binary_bytes;
	int drained, closed, source_ends, gone;
	int fd; /* handed over by the client of a fdsession */

	/* the client's side */
	int client_fd;
	struct ws_codec *client;
	bool client_reads;
	struct buf client_log;
	size_t client_binary;
	bool client_eof;
};

/* ---- server ---- */

static void on_open(void *data, struct ws *ws)
{
	((struct fixture *)data)->ws = ws;
}

static void on_text(void *data, const char *text, size_t len)
{
	struct fixture *f = data;

	buf_printf(&f->log, "[%.*s]", (int)len, text);
}

static void on_binary(void *data, const void *bytes, size_t len)
{
	struct fixture *f = data;

	(void)bytes;
	f->binary_bytes += len;
}

static void on_drained(void *data)
{
	((struct fixture *)data)->drained++;
}

static void on_closed(void *data)
{
	struct fixture *f = data;

	f->closed++;
	f->ws = ws_free(f->ws);
}

static const struct ws_handler ws_calls = { on_open, on_text, on_binary, on_drained, on_closed };

static void on_fds(void *data, struct fdsession *session, int *fds, size_t n_fds)
{
	struct fixture *f = data;

	f->session = session;
	buf_printf(&f->log, "<%zu>", n_fds);
	if (n_fds > 1)
		f->fd = TAKE_FD(fds[1]);
}

static void on_line(void *data, const char *line)
{
	struct fixture *f = data;

	buf_printf(&f->log, "[%s]", line);
}

static void on_session_closed(void *data)
{
	struct fixture *f = data;

	f->closed++;
	f->session = fdsession_free(f->session);
}

static const struct fdsession_handler session_calls = { on_fds, on_line, on_session_closed };

static void on_request(void *data, struct http_req *req)
{
	struct fixture *f = data;
	struct err err = { 0 };

	if (fdsession_wanted(req)) {
		f->fds_wanted = true;
		fdsession_upgrade(req, &session_calls, f);
	} else if (ws_upgrade(req, &ws_calls, f, &err) < 0) {
		http_req_answer_text(req, 400, err.msg);
	}
}

/* ---- client ---- */

static void on_client_message(void *data, enum ws_kind kind, const void *bytes, size_t len)
{
	struct fixture *f = data;

	if (kind == WS_BINARY) {
		f->client_binary += len;
		if (f->client_binary < 200)
			buf_add(&f->client_log, bytes, len);
	} else if (kind == WS_TEXT) {
		buf_printf(&f->client_log, "[%.*s]", (int)len, (const char *)bytes);
	} else {
		buf_printf(&f->client_log, "{%d}", (int)kind);
	}
}

static void connect_client(struct fixture *f, const char *head)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	f->client_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", f->path);
	assert_int_equal(connect(f->client_fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(write(f->client_fd, head, strlen(head)), (ssize_t)strlen(head));
	assert_int_equal(fd_set_nonblock(f->client_fd), 0);
}

/* The answer's head alone, so that nothing behind it is swallowed. */
static void read_head(struct fixture *f, struct buf *head)
{
	while (!head->len || !strstr(buf_str(head), "\r\n\r\n")) {
		char c;

		if (read(f->client_fd, &c, 1) == 1)
			buf_add_char(head, c);
		else
			(void)aio_loop_turn(f->loop, 0);
	}
}

/* One turn of the client: write what is queued, read what is there. */
static void client_turn(struct fixture *f)
{
	struct buf *out = ws_codec_output(f->client);
	char bytes[65536];
	ssize_t n;

	if (f->client_fd >= 0 && out->len > 0) {
		n = write(f->client_fd, out->data, out->len);
		if (n > 0)
			buf_consume(out, (size_t)n);
	}
	if (f->client_fd < 0 || !f->client_reads)
		return;
	n = read(f->client_fd, bytes, sizeof(bytes));
	if (n > 0)
		assert_int_equal(ws_codec_feed(f->client, bytes, (size_t)n), 0);
	else if (n == 0 || errno == ECONNRESET)
		f->client_eof = true;
}

/* Turn both sides until @condition or for a while. */
#define run_until(f, condition)                                      \
	do {                                                         \
		uint64_t end_ns = time_mono_ns() + 60ULL * NS_PER_S; \
		while (!(condition) && time_mono_ns() < end_ns) {    \
			(void)aio_loop_turn((f)->loop, 0);           \
			if ((f)->client)                             \
				client_turn(f);                      \
		}                                                    \
		assert_true(condition);                              \
	} while (0)

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct http_config config = { .on_request = on_request, .data = f };

	f->loop = aio_loop_new();
	f->client_fd = f->fd = -EBADF;
	f->client_reads = true;
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/test_ws.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/unix.socket", f->dir);
	config.path = f->path;
	assert_int_equal(http_server_new(f->loop, &config, &f->server, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	f->pump = pump_free(f->pump);
	f->ws = ws_free(f->ws);
	f->session = fdsession_free(f->session);
	f->server = http_server_free(f->server);
	f->client = ws_codec_free(f->client);
	(void)fd_close(f->client_fd);
	(void)fd_close(f->fd);
	(void)aio_loop_free(f->loop);
	assert_int_equal(rmdir(f->dir), 0);
	buf_done(&f->log);
	buf_done(&f->client_log);
	free(f);
	return 0;
}

#define WS_HEAD                                                                                   \
	"GET /x HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n" \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static void open_ws(struct fixture *f)
{
	struct buf head = { 0 };

	connect_client(f, WS_HEAD);
	read_head(f, &head);
	assert_non_null(strstr(buf_str(&head), "HTTP/1.1 101 "));
	assert_non_null(
		strstr(buf_str(&head), "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
	buf_done(&head);
	f->client = ws_codec_new(true, 100000, on_client_message, f);
	run_until(f, f->ws);
}

static void test_handshake(void **state)
{
	static const char *const bad[] = {
		"GET /x HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf head = { 0 };

		connect_client(f, bad[i]);
		read_head(f, &head);
		assert_non_null(strstr(buf_str(&head), "HTTP/1.1 400 "));
		buf_done(&head);
		f->client_fd = fd_close(f->client_fd);
	}
	open_ws(f);
}

static void test_messages_and_close(void **state)
{
	struct fixture *f = *state;
	static const char zeros[5000];

	open_ws(f);
	assert_int_equal(ws_codec_send(f->client, WS_TEXT, "hello", 5), 0);
	assert_int_equal(ws_codec_send(f->client, WS_BINARY, zeros, sizeof(zeros)), 0);
	assert_int_equal(ws_send(f->ws, WS_TEXT, "welcome", 7), 0);
	run_until(f, f->binary_bytes == sizeof(zeros) && f->client_log.len > 0);
	assert_string_equal(buf_str(&f->log), "[hello]");
	assert_string_equal(buf_str(&f->client_log), "[welcome]");
	ws_close(f->ws, WS_CLOSE_NORMAL);
	assert_int_equal(ws_send(f->ws, WS_TEXT, "x", 1), -EPIPE);
	assert_int_equal(f->closed, 0);
	run_until(f, f->closed);
	run_until(f, f->client_eof);
	assert_string_equal(buf_str(&f->client_log), "[welcome]{4}");
}

static void test_eof_without_close(void **state)
{
	struct fixture *f = *state;

	open_ws(f);
	f->client_fd = fd_close(f->client_fd);
	run_until(f, f->closed);
	assert_int_equal(f->closed, 1);
}

static void test_broken_frame(void **state)
{
	struct fixture *f = *state;

	open_ws(f);
	assert_int_equal(write(f->client_fd, "\x81\x02hi", 4), 4);
	run_until(f, f->closed);
	run_until(f, f->client_eof);
	assert_string_equal(buf_str(&f->client_log), "{4}");
}

static void test_flow_control(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *block = xcalloc(1, 65536);
	size_t sent = 0;
	int rc;

	open_ws(f);
	f->client_reads = false;
	while ((rc = ws_send(f->ws, WS_BINARY, block, 65536)) == 0)
		sent += 65536;
	sent += 65536;
	assert_int_equal(rc, 1);
	while ((rc = ws_send(f->ws, WS_BINARY, block, 65536)) == 1)
		sent += 65536;
	assert_int_equal(rc, -ENOBUFS);
	assert_true(ws_queued(f->ws) <= WS_QUEUE_MAX_BYTES + 70000);
	f->client_reads = true;
	run_until(f, f->drained == 1 && f->client_binary == sent);
	/* Paused, the server reads nothing: the client's socket fills up. */
	ws_pause(f->ws, true);
	for (int i = 0; i < 50; i++)
		assert_int_equal(ws_codec_send(f->client, WS_BINARY, block, 65536), 0);
	for (int i = 0; i < 200; i++) {
		(void)aio_loop_turn(f->loop, 0);
		client_turn(f);
	}
	assert_int_equal(f->binary_bytes, 0);
	assert_true(ws_codec_output(f->client)->len > 0);
	ws_pause(f->ws, false);
	run_until(f, f->binary_bytes == 50 * 65536);
}

static void test_keepalive(void **state)
{
	struct fixture *f = *state;

	open_ws(f);
	aio_loop_advance(f->loop, 0);
	for (int i = 0; i < 5; i++) {
		f->client_log.len = 0;
		aio_loop_advance(f->loop, 10ULL * NS_PER_S);
		run_until(f, f->client_log.len == 3); /* {2}: ping, answered by the codec */
		for (int k = 0; k < 10; k++) {
			client_turn(f);
			(void)aio_loop_turn(f->loop, 0);
		}
	}
	assert_int_equal(f->closed, 0);
	aio_loop_advance(f->loop, 30ULL * NS_PER_S);
	assert_int_equal(f->closed, 0);
	aio_loop_advance(f->loop, 10ULL * NS_PER_S);
	assert_int_equal(f->closed, 1);
}

/* ---- pump ---- */

static void on_source_end(void *data)
{
	((struct fixture *)data)->source_ends++;
}

static void on_client_gone(void *data)
{
	((struct fixture *)data)->gone++;
}

static const struct pump_handler pump_calls = { on_source_end, on_client_gone };

static void open_pump(struct fixture *f, int from_fd, int to_fd)
{
	struct pump_config config = { from_fd, to_fd, &pump_calls, f };

	open_ws(f);
	f->pump = pump_new(f->loop, &config, TAKE_PTR(f->ws));
}

static void test_pump_to_pipe(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *block = xcalloc(1, 65536);
	char bytes[4096];
	size_t got = 0;
	ssize_t n;
	int fds[2];

	assert_int_equal(fd_pipe(fds), 0);
	assert_int_equal(fd_set_nonblock(fds[0]), 0);
	open_pump(f, -1, fds[1]);
	for (int i = 0; i < 50; i++)
		assert_int_equal(ws_codec_send(f->client, WS_BINARY, block, 65536), 0);
	assert_int_equal(ws_codec_send(f->client, WS_TEXT, "", 0), 0);
	/* Nobody reads the pipe: the client is held back. */
	for (int i = 0; i < 300; i++) {
		(void)aio_loop_turn(f->loop, 0);
		client_turn(f);
	}
	assert_true(ws_codec_output(f->client)->len > 1000000);
	while ((n = read(fds[0], bytes, sizeof(bytes))) != 0) {
		got += n > 0 ? (size_t)n : 0;
		(void)aio_loop_turn(f->loop, 0);
		client_turn(f);
	}
	/* All of it, then EOF by the text frame. */
	assert_int_equal(got, 50 * 65536);
	(void)close(fds[0]);
}

static void test_pump_from_pipe(void **state)
{
	struct fixture *f = *state;
	static const char zeros[4096];
	size_t put = 0;
	int fds[2];

	assert_int_equal(fd_pipe(fds), 0);
	assert_int_equal(fd_set_nonblock(fds[1]), 0);
	open_pump(f, fds[0], -1);
	f->client_reads = false;
	/* The client does not read: the writer is held back. */
	for (int i = 0; i < 3000; i++) {
		ssize_t n = write(fds[1], zeros, sizeof(zeros));

		put += n > 0 ? (size_t)n : 0;
		(void)aio_loop_turn(f->loop, 0);
	}
	assert_true(put < 2000 * sizeof(zeros));
	f->client_reads = true;
	(void)close(fds[1]);
	run_until(f, f->source_ends == 1);
	pump_end(TAKE_PTR(f->pump), "bye");
	run_until(f, f->client_eof);
	assert_int_equal(f->client_binary, put + 3);
	assert_string_equal(buf_str(&f->client_log) + f->client_log.len - 5, "[]{4}");
}

static void test_pump_client_gone(void **state)
{
	struct fixture *f = *state;
	char c;
	int in[2], out[2];

	assert_int_equal(fd_pipe(in), 0);
	assert_int_equal(fd_pipe(out), 0);
	open_pump(f, out[0], in[1]);
	f->client_fd = fd_close(f->client_fd);
	run_until(f, f->gone == 1);
	/* End of file for the command's input, a broken pipe for its output. */
	assert_int_equal(read(in[0], &c, 1), 0);
	assert_int_equal(write(out[1], "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	(void)close(out[1]);
	pump_end(TAKE_PTR(f->pump), NULL);
	(void)close(in[0]);
}

static void test_pump_finish(void **state)
{
	struct fixture *f = *state;
	int fds[2];

	/* Somebody in the background keeps the pipe open after the command's end. */
	assert_int_equal(fd_pipe(fds), 0);
	open_pump(f, fds[0], -1);
	assert_int_equal(write(fds[1], "last", 4), 4);
	pump_finish(f->pump);
	run_until(f, f->source_ends == 1);
	pump_end(TAKE_PTR(f->pump), NULL);
	run_until(f, f->client_eof);
	assert_string_equal(buf_str(&f->client_log), "last[]{4}");
	(void)close(fds[1]);
}

static void test_pump_pty(void **state)
{
	struct fixture *f = *state;
	char name[64];
	char text[16] = "";
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int slave;

	assert_true(master >= 0);
	assert_int_equal(unlockpt(master), 0);
	assert_int_equal(ptsname_r(master, name, sizeof(name)), 0);
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	open_pump(f, master, master);
	assert_int_equal(ws_codec_send(f->client, WS_BINARY, "ls\n", 3), 0);
	assert_int_equal(ws_codec_send(f->client, WS_TEXT, "", 0), 0);
	run_until(f, strstr(buf_str(&f->client_log), "ls\r\n"));
	assert_int_equal(read(slave, text, sizeof(text)), 3);
	assert_string_equal(text, "ls\n");
	/* The client's EOF is a Ctrl-D of the terminal: the reader sees its end. */
	assert_int_equal(read(slave, text, sizeof(text)), 0);
	(void)close(slave);
	run_until(f, f->source_ends == 1);
	pump_end(TAKE_PTR(f->pump), NULL);
	run_until(f, f->client_eof);
	assert_string_equal(buf_str(&f->client_log) + f->client_log.len - 5, "[]{4}");
}

/* ---- fdsession ---- */

#define FDS_HEAD "GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: sysctr-fds\r\n\r\n"

static void open_session(struct fixture *f, const int *fds, size_t n_fds)
{
	struct iovec byte = { (void *)(uintptr_t) "x", 1 };
	struct buf head = { 0 };

	connect_client(f, FDS_HEAD);
	read_head(f, &head);
	assert_non_null(strstr(buf_str(&head), "Upgrade: sysctr-fds\r\n"));
	buf_done(&head);
	assert_int_equal(sock_send(f->client_fd, &byte, 1, fds, n_fds), 0);
	run_until(f, f->session);
}

static void test_fdsession(void **state)
{
	struct fixture *f = *state;
	char text[64] = "";
	int fds[2], received[1];
	size_t n_received = 0;

	assert_int_equal(fd_pipe(fds), 0);
	open_session(f, (const int[]){ fds[0], fds[1], fds[1] }, 3);
	assert_string_equal(buf_str(&f->log), "<3>");
	assert_int_equal(write(f->fd, "through", 7), 7);
	assert_int_equal(read(fds[0], text, sizeof(text)), 7);
	assert_int_equal(write(f->client_fd, "{\"a\":1}\n\nhal", 12), 12);
	run_until(f, strstr(buf_str(&f->log), "[]"));
	assert_int_equal(write(f->client_fd, "f\n", 2), 2);
	run_until(f, strstr(buf_str(&f->log), "[half]"));
	assert_string_equal(buf_str(&f->log), "<3>[{\"a\":1}][][half]");
	/* Our side: lines, one with a descriptor. */
	assert_int_equal(fdsession_send(f->session, "one", -1), 0);
	assert_int_equal(fdsession_send(f->session, "two", fds[0]), 0);
	fdsession_close(f->session);
	assert_int_equal(fdsession_send(f->session, "three", -1), -EPIPE);
	run_until(f, f->closed);
	memset(text, 0, sizeof(text));
	/* One read takes both lines, and ends behind the one that carries the descriptor. */
	assert_int_equal(sock_recv(f->client_fd, text, sizeof(text), received, 1, &n_received), 8);
	assert_int_equal(n_received, 1);
	assert_string_equal(text, "one\ntwo\n");
	(void)close(received[0]);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void test_fdsession_ends(void **state)
{
	struct fixture *f = *state;
	struct buf head = { 0 };

	/* The client goes before it has sent anything: nobody was told of a session. */
	connect_client(f, FDS_HEAD);
	read_head(f, &head);
	f->client_fd = fd_close(f->client_fd);
	run_until(f, f->closed == 1);
	assert_null(f->session);
	/* It did not wait for the 101. */
	buf_done(&head);
	connect_client(f, FDS_HEAD "x");
	run_until(f, f->closed == 2);
	f->client_fd = fd_close(f->client_fd);
	open_session(f, NULL, 0);
	assert_string_equal(buf_str(&f->log), "<0>");
	f->client_fd = fd_close(f->client_fd);
	run_until(f, f->closed == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_handshake, setup, teardown),
		cmocka_unit_test_setup_teardown(test_messages_and_close, setup, teardown),
		cmocka_unit_test_setup_teardown(test_eof_without_close, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flow_control, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keepalive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pump_to_pipe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pump_from_pipe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pump_client_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pump_finish, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pump_pty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fdsession, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fdsession_ends, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
