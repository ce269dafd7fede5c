/* cli/session.c - see session.h: the WebSocket transport */
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/term.h"
#include "client/ws.h"
#include "codec/json.h"

enum {
	STREAM_IN,
	STREAM_OUT,
	STREAM_ERR,
	STREAM_CONTROL,
	STREAMS,
	POLL_STDIN = STREAMS,
	POLL_SIGNALS,
	POLLS,
	READ_SIZE = 64 * 1024,
	QUEUE_MAX_FRAME = 64 * 1024
};

struct session;

struct stream {
	struct session *session;
	struct ws *ws; /* NULL: not used or ended */
	int out_fd;    /* where its data goes, -EBADF: nowhere */
	bool ended;    /* the peer's end of stream was seen */
};

struct session {
	const struct session_plan *plan;
	struct stream streams[STREAMS];
	bool stdin_open;
	struct detach detach;
	bool detached;
	int write_error; /* -errno of our standard output */
	int signal_fd;
};

static const char *const stream_names[STREAMS] = { "0", "1", "2", "control" };

int session_signals_open(void)
{
	static const int forwarded[] = { SIGWINCH, SIGTERM, SIGHUP,  SIGINT,
					 SIGQUIT,  SIGUSR1, SIGUSR2, SIGCONT };
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(forwarded); i++)
		(void)sigaddset(&set, forwarded[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			(void)poll(&p, 1, -1);
			continue;
		}
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static void on_data(void *data, bool text, bool last, const void *bytes, size_t len)
{
	struct stream *stream = data;

	if (text) {
		stream->ended |= last; /* an (empty) text message is the end of the stream */
		return;
	}
	if (len > 0 && stream->out_fd >= 0 && stream->session->write_error == 0)
		stream->session->write_error = write_all(stream->out_fd, bytes, len);
}

static int open_stream(struct cli *cli, struct session *s, int i, struct err *err)
{
	const json_t *fds = json_at(s->plan->operation, "metadata.fds");
	const char *secret = json_str(fds, stream_names[i], NULL);
	_cleanup_(freep) char *path = NULL;

	s->streams[i].session = s;
	s->streams[i].out_fd = -EBADF;
	if (!secret)
		return 0;
	path = client_path("/1.0/operations/%s/websocket?secret=%s", s->plan->id, secret);
	return ws_open(cli->client, path, on_data, &s->streams[i], &s->streams[i].ws, err);
}

/* Control first, as other clients do. */
static int open_streams(struct cli *cli, struct session *s, struct err *err)
{
	static const int order[] = { STREAM_CONTROL, STREAM_IN, STREAM_OUT, STREAM_ERR };

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		int r = open_stream(cli, s, order[i], err);

		if (r < 0)
			return err_wrap(err, "connect the session");
	}
	s->streams[STREAM_OUT].out_fd = STDOUT_FILENO;
	s->streams[STREAM_ERR].out_fd = STDERR_FILENO;
	if (s->plan->interactive)
		s->streams[STREAM_IN].out_fd = STDOUT_FILENO;
	return 0;
}

static void send_control(struct session *s, json_t *message)
{
	char *text = json_dumps(message, JSON_COMPACT);

	if (text && s->streams[STREAM_CONTROL].ws)
		ws_queue(s->streams[STREAM_CONTROL].ws, true, text, strlen(text));
	free(text);
	json_decref(message);
}

static void send_size(struct session *s)
{
	unsigned short width, height;
	char w[8], h[8];

	if (!s->plan->interactive || term_size(STDOUT_FILENO, &width, &height) < 0)
		return;
	(void)snprintf(w, sizeof(w), "%u", width);
	(void)snprintf(h, sizeof(h), "%u", height);
	send_control(s, json_pack("{sss{ssss}si}", "command", "window-resize", "args", "width", w,
				  "height", h, "signal", 0));
}

static void on_signals(struct session *s)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH || info.ssi_signo == SIGCONT)
			send_size(s);
		else if (s->plan->kind == SESSION_EXEC)
			send_control(s, json_pack("{sssnsi}", "command", "signal", "args", "signal",
						  (int)info.ssi_signo));
		else
			s->detached = true; /* a console is not the place to send signals to */
	}
}

static void on_stdin(struct session *s)
{
	char bytes[READ_SIZE];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
	struct ws *ws = s->streams[STREAM_IN].ws;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		s->stdin_open = false;
		ws_queue(ws, true, "", 0);
		return;
	}
	if (s->plan->kind == SESSION_CONSOLE) {
		n = (ssize_t)detach_filter(&s->detach, bytes, (size_t)n);
		s->detached |= s->detach.wanted;
	}
	if (n > 0)
		ws_queue(ws, false, bytes, (size_t)n);
}

static void drop_stream(struct stream *stream)
{
	stream->ws = ws_free(stream->ws);
	stream->ended = true;
}

static void process(struct session *s, int i)
{
	if (s->streams[i].ws && ws_process(s->streams[i].ws) != 0)
		drop_stream(&s->streams[i]);
}

/* Output is over: of the pty, or of both pipes. */
static bool output_ended(const struct session *s)
{
	if (s->plan->interactive)
		return s->streams[STREAM_IN].ended;
	return s->streams[STREAM_OUT].ended && s->streams[STREAM_ERR].ended;
}

static void prepare_polls(struct session *s, struct pollfd *polls)
{
	struct ws *in = s->streams[STREAM_IN].ws;

	for (int i = 0; i < STREAMS; i++) {
		struct ws *ws = s->streams[i].ws;

		polls[i].fd = ws ? ws_fd(ws) : -1;
		polls[i].events = ws ? ws_events(ws) : 0;
	}
	/* what is typed waits while the last piece has not left */
	polls[POLL_STDIN].fd = s->stdin_open && in && ws_idle(in) ? STDIN_FILENO : -1;
	polls[POLL_STDIN].events = POLLIN;
	polls[POLL_SIGNALS].fd = s->signal_fd;
	polls[POLL_SIGNALS].events = POLLIN;
}

static int copy(struct session *s, struct err *err)
{
	struct pollfd polls[POLLS];

	for (int i = 0; i < STREAMS; i++)
		process(s, i);
	while (!output_ended(s) && !s->detached && s->write_error == 0) {
		prepare_polls(s, polls);
		if (poll(polls, POLLS, -1) < 0 && errno != EINTR)
			return err_set(err, -errno, "wait for the session");
		for (int i = 0; i < STREAMS; i++)
			if (polls[i].fd >= 0 && polls[i].revents)
				process(s, i);
		if (polls[POLL_STDIN].fd >= 0 && polls[POLL_STDIN].revents &&
		    s->streams[STREAM_IN].ws)
			on_stdin(s);
		if (polls[POLL_SIGNALS].revents)
			on_signals(s);
	}
	return 0;
}

static void close_session(struct session *s)
{
	struct ws *control = s->streams[STREAM_CONTROL].ws;

	if (control && (s->detached || s->plan->kind == SESSION_CONSOLE))
		ws_queue_close(control, "Detaching from console");
	for (int i = 0; i < STREAMS; i++)
		drop_stream(&s->streams[i]);
	if (s->signal_fd >= 0)
		(void)close(s->signal_fd);
}

int session_run_ws(struct cli *cli, const struct session_plan *plan, struct err *err)
{
	struct session s = {
		.plan = plan, .detach = plan->detach, .stdin_open = true, .signal_fd = -EBADF
	};
	struct term_raw raw = { .fd = -EBADF };
	int r = open_streams(cli, &s, err);

	if (r == 0) {
		s.signal_fd = session_signals_open();
		if (plan->raw)
			(void)term_raw_enter(STDIN_FILENO,
					     &raw); /* not a terminal: nothing to do */
		if (plan->greeting)
			cli_say(cli, "%s%s", plan->greeting, raw.fd >= 0 ? "\r" : "");
		send_size(&s);
		if (plan->no_stdin && s.streams[STREAM_IN].ws) {
			s.stdin_open = false;
			ws_queue(s.streams[STREAM_IN].ws, true, "", 0);
		}
		r = copy(&s, err);
		term_raw_leave(&raw);
	}
	close_session(&s);
	if (r == 0 && s.write_error < 0 && s.write_error != -EPIPE)
		r = err_set(err, s.write_error, "write to standard output");
	return r < 0 ? r : s.detached;
}
