/* tests of aio/http: a server in this process, driven by curl and by raw sockets */
#include "aio/http.h"

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
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "aio/poll.h"
#include "aio/proc.h"
#include "aio/timer.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "os/fd.h"

struct fixture {
	struct aio_loop *loop;
	struct http_server *server;
	char dir[32];
	char path[100];
	struct http_req *waiting; /* of /wait, not answered */
	struct aio_timer timer;
	int gone;
	int sink_code;
	int sink_calls;
	int reader_fd; /* other end of /sink */
	struct aio_poll *reader;
	struct aio_timer pace;
	bool slow;
	bool deaf; /* never reads */
	uint64_t received;
	struct http_stream *stream;
	int upgrades;
	enum http_verdict verdict;
	int verdicts;
	bool run_done;
	char *output;
	struct err run_err;
};

/* ---- handlers of the server ---- */

static void on_body(void *data, struct http_req *req, const struct buf *body)
{
	struct buf answer = { 0 };

	(void)data;
	if (!body) {
		http_req_answer_text(req, 413, "too large");
		return;
	}
	buf_printf(&answer, "%s %s [%s] uid=%d len=%zu", http_req_method(req), http_req_path(req),
		   http_req_query(req), (int)http_req_peer(req)->uid, body->len);
	if (http_req_header(req, "x-lxd-UID"))
		buf_printf(&answer, " header=%s", http_req_header(req, "X-LXD-uid"));
	if (body->len > 0 && body->len < 100)
		buf_printf(&answer, " body=%s", buf_str(body));
	http_req_add_header(req, "ETag", "\"abc\"");
	http_req_answer(req, 200, &answer);
}

static void on_wait_over(void *data)
{
	struct fixture *f = data;

	http_req_answer_text(TAKE_PTR(f->waiting), 200, "waited");
}

static void on_gone(void *data)
{
	struct fixture *f = data;

	f->gone++;
}

static void on_wait_body(void *data, struct http_req *req, const struct buf *body)
{
	struct fixture *f = data;

	(void)body;
	f->waiting = req;
	http_req_on_gone(req, on_gone, f);
	if (streq(http_req_path(req), "/wait"))
		aio_timer_start(f->loop, &f->timer, 50 * NS_PER_MS, on_wait_over, f);
}

static void on_reader(void *data, unsigned int ready);

static void on_pace(void *data)
{
	struct fixture *f = data;

	aio_poll_set(f->reader, AIO_READ);
}

static void on_reader(void *data, unsigned int ready)
{
	struct fixture *f = data;
	static char bytes[256 * 1024];
	ssize_t n = read(f->reader_fd, bytes, sizeof(bytes));

	(void)ready;
	if (n <= 0) {
		f->reader = aio_poll_free(f->reader);
		f->reader_fd = fd_close(f->reader_fd);
		return;
	}
	f->received += (uint64_t)n;
	if (f->slow && f->received % 50 == 0) {
		aio_poll_set(f->reader, 0);
		aio_timer_start(f->loop, &f->pace, NS_PER_MS, on_pace, f);
	}
}

static void on_sink_end(void *data, struct http_req *req, int code)
{
	struct fixture *f = data;
	struct buf answer = { 0 };

	f->sink_calls++;
	f->sink_code = code;
	buf_printf(&answer, "sink %d", code);
	http_req_answer(req, 200, &answer);
}

static void start_sink(struct fixture *f, struct http_req *req)
{
	int fds[2];

	assert_int_equal(fd_pipe(fds), 0);
	f->reader_fd = fds[0];
	if (!f->deaf) {
		f->reader = aio_poll_new(f->loop, fds[0], on_reader, f);
		aio_poll_set(f->reader, AIO_READ);
	}
	http_req_stream(req, fds[1], on_sink_end, f);
}

static enum http_verdict on_verdict(void *data)
{
	struct fixture *f = data;

	return ++f->verdicts < 3 ? HTTP_UNDECIDED : f->verdict;
}

static void answer_source(struct fixture *f, struct http_req *req)
{
	static const char *const argv[] = { "sh", "-c",
					    "head -c 5000000 /dev/zero; sleep 0.05; echo end",
					    NULL };
	struct aio_proc *proc = NULL;
	struct aio_proc_spec spec = { .program = "sh", .argv = argv, .n_fds = 2 };
	int fds[2];

	assert_int_equal(fd_pipe(fds), 0);
	spec.fds = (const int[]){ -1, fds[1] };
	assert_int_equal(aio_proc_spawn(f->loop, &spec, NULL, NULL, &proc, NULL), 0);
	proc = aio_proc_free(proc);
	(void)close(fds[1]);
	f->verdicts = 0;
	http_req_answer_pipe(req, 200, fds[0], on_verdict, f);
}

static void on_upgraded(void *data, struct http_stream *stream)
{
	struct fixture *f = data;

	f->upgrades++;
	f->stream = stream;
	if (stream) {
		assert_int_equal(write(http_stream_fd(stream), "raw!", 4), 4);
	}
}

static void on_request(void *data, struct http_req *req)
{
	struct fixture *f = data;
	const char *path = http_req_path(req);

	if (str_after(path, "/wait"))
		http_req_collect(req, 1000, on_wait_body, f);
	else if (streq(path, "/sink"))
		start_sink(f, req);
	else if (streq(path, "/refuse"))
		http_req_answer_text(req, 404, "not here");
	else if (streq(path, "/file"))
		http_req_answer_file(req, 200, open("/proc/self/exe", O_RDONLY | O_CLOEXEC), 1, 3);
	else if (streq(path, "/source"))
		answer_source(f, req);
	else if (streq(path, "/upgrade"))
		http_req_upgrade(req, "test", on_upgraded, f);
	else
		http_req_collect(req, 100000, on_body, f);
}

/* ---- the client's side ---- */

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct http_config config = { .on_request = on_request, .data = f };

	f->loop = aio_loop_new();
	f->reader_fd = -EBADF;
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/test_http.XXXXXX");
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

	f->server = http_server_free(f->server);
	if (f->waiting)
		http_req_answer(TAKE_PTR(f->waiting), 200, NULL);
	aio_timer_stop(&f->timer);
	aio_timer_stop(&f->pace);
	f->reader = aio_poll_free(f->reader);
	(void)fd_close(f->reader_fd);
	f->stream = http_stream_free(f->stream);
	(void)aio_loop_free(f->loop);
	assert_int_equal(access(f->path, F_OK), -1);
	assert_int_equal(rmdir(f->dir), 0);
	free(f->output);
	free(f);
	return 0;
}

static void on_run(void *data, const char *output, const struct err *err)
{
	struct fixture *f = data;

	f->run_done = true;
	replace_str(&f->output, output);
	f->run_err = err ? *err : (struct err){ 0 };
}

/* Run a shell script with $S the socket and curl -sS as $C; its output is returned. */
static const char *shell(struct fixture *f, const char *script)
{
	_cleanup_(freep) char *whole =
		xasprintf("S=%s; C='curl -sS --max-time 30 --unix-socket '$S; H=http://x; %s",
			  f->path, script);
	const char *const argv[] = { "sh", "-c", whole, NULL };
	struct aio_proc_spec spec = { .program = "sh", .argv = argv };

	f->run_done = false;
	(void)aio_run_text(f->loop, &spec, "", 0, on_run, f);
	while (!f->run_done)
		(void)aio_loop_turn(f->loop, 1);
	return f->output;
}

static int connect_raw(struct fixture *f, const char *text)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static void turns(struct fixture *f, int n)
{
	for (int i = 0; i < n; i++)
		(void)aio_loop_turn(f->loop, 0);
}

static void test_requests(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *uid = xasprintf("uid=%d", (int)getuid());

	assert_string_equal(
		shell(f, "$C \"$H/a%2Fb/c?x=%20&y\" -H 'X-LXD-uid: 7' | sed s/uid=[0-9]*//"),
		"GET /a%2Fb/c [x=%20&y]  len=0 header=7");
	assert_non_null(strstr(shell(f, "$C $H/x"), uid));
	/* A body with GET, and one in chunks with DELETE. */
	assert_non_null(strstr(shell(f, "$C -X GET -d '{}' $H/x"), "len=2 body={}"));
	assert_non_null(strstr(
		shell(f, "printf null | $C -X DELETE -H 'Transfer-Encoding: chunked' -T - $H/x"),
		"len=4 body=null"));
	assert_non_null(strstr(shell(f, "$C -i $H/x"), "ETag: \"abc\""));
	assert_non_null(strstr(shell(f, "$C -I $H/x"), "200 OK"));
	/* Keep-alive, and close. */
	assert_string_equal(shell(f, "$C -w '%{num_connects}' -o $S.o $H/x -o $S.o $H/y; rm $S.o"),
			    "10");
	assert_non_null(strstr(shell(f, "$C -i -H 'Connection: close' $H/x"), "Connection: close"));
}

static void test_limits(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(shell(f, "head -c 100001 /dev/zero | $C --data-binary @- $H/x"),
			    "too large");
	assert_non_null(strstr(shell(f, "head -c 100000 /dev/zero | $C --data-binary @- $H/x"),
			       "len=100000"));
	/* Refused before the body: still a whole answer, and the connection stays in step. */
	assert_string_equal(shell(f, "head -c 3000000 /dev/zero | $C -T - $H/refuse"), "not here");
	assert_string_equal(
		shell(f, "head -c 3000000 /dev/zero >$S.b; $C --data-binary @$S.b "
			 "-H 'Expect: 100-continue' -w ' %{size_upload}' $H/refuse; rm $S.b"),
		"not here 0");
	/* A header too large is an error, not memory. */
	assert_string_equal(shell(f, "$C -o /dev/null -w '%{http_code}' -H "
				     "\"X: $(head -c 70000 /dev/zero | tr '\\0' x)\" $H/x"),
			    "431");
}

static void test_wait_and_gone(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(shell(f, "$C $H/wait"), "waited");
	assert_int_equal(f->gone, 0);
	int fd = connect_raw(f, "GET /wait-for-ever HTTP/1.1\r\nHost: x\r\n\r\n");

	while (!f->waiting)
		(void)aio_loop_turn(f->loop, 1);
	turns(f, 5);
	/* Closing only its sending side, the client still reads. */
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	turns(f, 5);
	assert_int_equal(f->gone, 0);
	(void)close(fd);
	http_req_answer_text(TAKE_PTR(f->waiting), 200, "nobody hears this");
	turns(f, 5);

	fd = connect_raw(f, "GET /wait-for-ever HTTP/1.1\r\nHost: x\r\n\r\n");
	while (!f->waiting)
		(void)aio_loop_turn(f->loop, 1);
	(void)close(fd);
	while (!f->gone)
		(void)aio_loop_turn(f->loop, 1);
	turns(f, 5);
	assert_int_equal(f->gone, 1);
	http_req_answer_text(TAKE_PTR(f->waiting), 200, "nobody hears this");
}

static uint64_t resident_kib(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	assert_int_equal(fscanf(file, "%*u %lu", &pages), 1);
	(void)fclose(file);
	return pages * 4;
}

static void test_upload_to_pipe(void **state)
{
	struct fixture *f = *state;
	const uint64_t size = 300 * 1000 * 1000;
	uint64_t before;

	assert_string_equal(shell(f, "head -c 1000000 /dev/zero | $C -T - $H/sink"), "sink 0");
	while (f->reader)
		(void)aio_loop_turn(f->loop, 1);
	assert_int_equal(f->received, 1000000);
	f->received = 0;
	f->slow = true;
	before = resident_kib();
	assert_string_equal(shell(f, "head -c 300000000 /dev/zero | $C -T - $H/sink"), "sink 0");
	while (f->reader)
		(void)aio_loop_turn(f->loop, 1);
	assert_int_equal(f->received, size);
	assert_true(resident_kib() < before + 4096);
}

static void test_upload_broken(void **state)
{
	struct fixture *f = *state;
	int fd;

	/* The reader goes away: told once, and the client hears of it. */
	f->deaf = true;
	fd = connect_raw(f, "PUT /sink HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\nabc");
	while (f->reader_fd < 0)
		(void)aio_loop_turn(f->loop, 1);
	f->reader_fd = fd_close(f->reader_fd);
	assert_int_equal(write(fd, "more", 4), 4);
	while (f->sink_calls < 1)
		(void)aio_loop_turn(f->loop, 1);
	assert_int_equal(f->sink_code, -EPIPE);
	(void)close(fd);
	turns(f, 10);
	assert_int_equal(f->sink_calls, 1);

	/* The client goes away while the pipe is full. */
	fd = connect_raw(f, "PUT /sink HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\nabc");
	assert_int_equal(fd_set_nonblock(fd), 0);
	for (int i = 0; i < 2000; i++) {
		static const char zeros[4096];

		(void)!write(fd, zeros, sizeof(zeros));
		(void)aio_loop_turn(f->loop, 0);
	}
	(void)close(fd);
	while (f->sink_calls < 2)
		(void)aio_loop_turn(f->loop, 1);
	assert_int_equal(f->sink_code, -ECONNABORTED);
}

static void test_file_and_pipe_answers(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(shell(f, "$C $H/file"), "ELF");
	f->verdict = HTTP_WHOLE;
	assert_string_equal(shell(f, "$C $H/source | wc -c"), "5000004\n");
	assert_int_equal(f->verdicts, 3);
	/* Not whole: curl must notice (18: partial file; 56: receive error). */
	f->verdict = HTTP_BROKEN;
	assert_non_null(strstr("18\n56\n", shell(f, "$C -o /dev/null $H/source; echo $?")));
}

static void test_upgrade(void **state)
{
	struct fixture *f = *state;
	char text[512] = "";
	int fd = connect_raw(f, "GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
				"Upgrade: test\r\n\r\nearly");

	while (!f->stream)
		(void)aio_loop_turn(f->loop, 1);
	turns(f, 10);
	assert_true(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) > 0);
	assert_non_null(strstr(text, "101 Switching Protocols\r\n"));
	assert_non_null(strstr(text, "Upgrade: test\r\n"));
	assert_non_null(strstr(text, "\r\n\r\nraw!"));
	/* "early" is there once, before what the socket gives. */
	assert_string_equal(buf_str(http_stream_early(f->stream)), "early");
	assert_int_equal(write(fd, "late", 4), 4);
	memset(text, 0, sizeof(text));
	assert_int_equal(read(http_stream_fd(f->stream), text, sizeof(text)), 4);
	assert_string_equal(text, "late");
	/* Nobody shut our side down. */
	assert_int_equal(write(http_stream_fd(f->stream), "x", 1), 1);
	assert_int_equal(read(fd, text, sizeof(text)), 1);
	f->stream = http_stream_free(f->stream);
	assert_int_equal(read(fd, text, sizeof(text)), 0);
	(void)close(fd);
}

static void test_socket_file(void **state)
{
	struct fixture *f = *state;
	struct http_config config = { .path = f->path, .on_request = on_request, .data = f };
	struct http_server *second = NULL;
	struct stat st;
	struct err err = { 0 };

	assert_int_equal(http_server_new(f->loop, &config, &second, &err), -EADDRINUSE);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	config.group = "no-such-group";
	assert_int_equal(http_server_new(f->loop, &config, &second, &err), -ENOENT);
	config.group = NULL;
	/* A stale file, as after a kill, and an umask that forbids nothing. */
	mode_t old_mask = umask(0);
	_cleanup_(freep) char *stale = xasprintf("%s/stale", f->dir);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(stale) < sizeof(addr.sun_path));
	memcpy(addr.sun_path, stale, strlen(stale));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	(void)close(fd);
	config.path = stale;
	assert_int_equal(http_server_new(f->loop, &config, &second, &err), 0);
	(void)umask(old_mask);
	assert_int_equal(stat(stale, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	second = http_server_free(second);
	assert_int_equal(access(stale, F_OK), -1);
	/* What is no socket is not ours to replace. */
	(void)close(open(stale, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(http_server_new(f->loop, &config, &second, &err), -EEXIST);
	assert_int_equal(unlink(stale), 0);
}

static void test_end_with_live_requests(void **state)
{
	struct fixture *f = *state;
	int wait_fd = connect_raw(f, "GET /wait-for-ever HTTP/1.1\r\nHost: x\r\n\r\n");
	int half_fd = connect_raw(f, "GET /wait-for-ever HTTP/1.1\r\nHo");
	int up_fd = connect_raw(f, "GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
				   "Upgrade: test\r\n\r\n");

	while (!f->waiting || !f->stream)
		(void)aio_loop_turn(f->loop, 1);
	turns(f, 5);
	f->server = http_server_free(f->server);
	assert_int_equal(f->gone, 1);
	(void)close(wait_fd);
	(void)close(half_fd);
	(void)close(up_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wait_and_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_upload_to_pipe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_upload_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_and_pipe_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_upgrade, setup, teardown),
		cmocka_unit_test_setup_teardown(test_socket_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_with_live_requests, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
