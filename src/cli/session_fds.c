/*
 * cli/session_fds.c - see session.h: the transport that hands descriptors over
 *
 * What is no terminal is given away and this process only forwards signals; a terminal of the
 * caller never leaves: a pipe, the master of a new pty or the console's stream is copied to and
 * from it. The monitor's link tells the end of a command and takes signals, whether or not there
 * is a daemon; a daemon without that says "exit N" instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/session.h"
#include "cli/session_pump.h"
#include "cli/term.h"
#include "client/fdlink.h"
#include "codec/json.h"
#include "spec/link.h"

enum {
	PUMPS = 3,
	POLL_DAEMON = PUMPS * 2, /* each pump has two */
	POLL_LINK,
	POLL_SIGNALS,
	POLLS,
	SIGNAL_STATUS = 128
};

struct fds_session {
	const struct session_plan *plan;
	struct fdlink *daemon; /* NULL: it is gone, and the session goes on */
	int link_fd;	       /* of the monitor; -EBADF: none */
	struct session_pump pumps[PUMPS];
	int give[PUMPS];      /* what the daemon gets */
	bool own_give[PUMPS]; /* made here */
	int signal_fd;
	struct detach detach;
	int status; /* of the command, -1 until it is known */
	bool over;
};

/* A pipe in place of the terminal @fd. */
static int replace_terminal(struct fds_session *s, int fd, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, -errno, "make a pipe");
	if (fd == STDIN_FILENO) {
		s->give[fd] = ends[0];
		s->pumps[fd] = (struct session_pump){ .from = fd, .to = ends[1], .own_to = true };
	} else {
		s->give[fd] = ends[1];
		s->pumps[fd] = (struct session_pump){ .from = ends[0], .to = fd, .own_from = true };
	}
	s->own_give[fd] = true;
	return 0;
}

static int prepare_pipes(struct fds_session *s, struct err *err)
{
	for (int fd = 0; fd < PUMPS; fd++) {
		int r = 0;

		s->give[fd] = fd;
		if (fd == STDIN_FILENO && s->plan->no_stdin) {
			s->give[fd] = open("/dev/null", O_RDONLY | O_CLOEXEC);
			s->own_give[fd] = true;
			r = s->give[fd] < 0 ? err_set(err, -errno, "open /dev/null") : 0;
		} else if (isatty(fd)) {
			r = replace_terminal(s, fd, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- to the other side ---- */

static void send_line(struct fds_session *s, enum link_kind kind, uint32_t a, uint32_t b)
{
	struct link_line line = { .kind = kind, .a = a, .b = b };
	char text[32];

	if (s->link_fd >= 0) {
		(void)send(s->link_fd, &line, sizeof(line), MSG_NOSIGNAL);
		return;
	}
	if (kind == LINK_RESIZE)
		(void)snprintf(text, sizeof(text), "resize %u %u", a, b);
	else
		(void)snprintf(text, sizeof(text), "signal %u", a);
	if (s->daemon)
		(void)fdlink_send(s->daemon, text); /* that it is gone is seen when reading */
}

static void send_size(struct fds_session *s)
{
	unsigned short width, height;

	if (s->plan->interactive && term_size(STDOUT_FILENO, &width, &height) == 0)
		send_line(s, LINK_RESIZE, width, height);
}

static void on_signals(struct fds_session *s)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH || info.ssi_signo == SIGCONT)
			send_size(s);
		else if (s->plan->kind == SESSION_EXEC)
			send_line(s, LINK_SIGNAL, info.ssi_signo, 0);
		else
			s->over = true; /* a console is not the place to send signals to */
	}
}

/* ---- from the other side ---- */

/* The new pty, or the console: typed to it, shown from it. */
static void use_stream(struct fds_session *s, int fd)
{
	for (int i = 0; i < PUMPS; i++)
		session_pump_stop(&s->pumps[i]);
	if (!s->plan->no_stdin)
		s->pumps[STDIN_FILENO] = (struct session_pump){ .from = STDIN_FILENO, .to = fd };
	s->pumps[STDOUT_FILENO] =
		(struct session_pump){ .from = fd, .to = STDOUT_FILENO, .own_from = true };
	session_pump_set_nonblock(fd);
	send_size(s);
}

static void on_line(struct fds_session *s, const char *line)
{
	const char *number = str_after(line, "exit ");
	uint32_t status;
	int fd = -EBADF;

	if (number && parse_u32(number, &status) == 0) {
		s->status = (int)(status & 0xff);
		s->over = true;
		return;
	}
	if (streq(line, "pty") || streq(line, "console") || streq(line, "link"))
		fd = fdlink_take_fd(s->daemon);
	if (fd < 0)
		return;
	if (streq(line, "link") && s->link_fd < 0)
		s->link_fd = fd;
	else
		use_stream(s, fd);
	if (streq(line, "console"))
		s->status = 0;
}

/* Whether what runs here can do without the daemon. */
static bool is_alone(const struct fds_session *s)
{
	return s->link_fd >= 0 || (s->plan->kind == SESSION_CONSOLE && s->status == 0);
}

static void on_daemon(struct fds_session *s)
{
	int r = fdlink_process(s->daemon);
	char *line;

	while ((line = fdlink_line(s->daemon))) {
		on_line(s, line);
		free(line);
	}
	if (r == 0 || s->over)
		return;
	s->daemon = fdlink_free(s->daemon);
	s->over = !is_alone(s);
}

static void on_link(struct fds_session *s)
{
	struct link_line line;
	ssize_t n = recv(s->link_fd, &line, sizeof(line), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == (ssize_t)sizeof(line) && line.kind == LINK_EXIT) {
		int status = (int)line.a;

		s->status =
			WIFEXITED(status) ? WEXITSTATUS(status) : SIGNAL_STATUS + WTERMSIG(status);
		s->over = true;
	} else if (n != (ssize_t)sizeof(line)) { /* the monitor is gone, and the container */
		(void)close(s->link_fd);
		s->link_fd = -EBADF;
		s->over = !s->daemon;
	}
}

/* ---- the loop ---- */

static void prepare_polls(const struct fds_session *s, struct pollfd *polls)
{
	for (int i = 0; i < PUMPS; i++)
		session_pump_prepare(&s->pumps[i], &polls[2 * i]);
	polls[POLL_DAEMON] =
		(struct pollfd){ .fd = s->daemon ? fdlink_fd(s->daemon) : -1, .events = POLLIN };
	polls[POLL_LINK] = (struct pollfd){ .fd = s->link_fd, .events = POLLIN };
	polls[POLL_SIGNALS] = (struct pollfd){ .fd = s->signal_fd, .events = POLLIN };
}

static void run_pump(struct fds_session *s, int i, const struct pollfd *polls)
{
	struct session_pump *pump = &s->pumps[i];
	bool typed = s->plan->kind == SESSION_CONSOLE && i == STDIN_FILENO;
	bool goes_on = session_pump_run(pump, polls, typed ? &s->detach : NULL);

	if (goes_on && !s->detach.wanted)
		return;
	if (typed || s->plan->kind == SESSION_CONSOLE)
		s->over = true;
	session_pump_stop(pump);
}

/* What the command wrote before it ended; a background process may hold the other end open. */
static void drain(struct fds_session *s)
{
	for (int i = STDOUT_FILENO; i < PUMPS; i++)
		session_pump_drain(&s->pumps[i]);
}

static int copy(struct fds_session *s, struct err *err)
{
	struct pollfd polls[POLLS];

	while (!s->over) {
		prepare_polls(s, polls);
		if (poll(polls, POLLS, -1) < 0) {
			if (errno != EINTR)
				return err_set(err, -errno, "wait for the session");
			continue;
		}
		if (polls[POLL_SIGNALS].revents)
			on_signals(s);
		for (int i = 0; i < PUMPS; i++)
			if (polls[2 * i].revents || polls[2 * i + 1].revents)
				run_pump(s, i, &polls[2 * i]);
		if (polls[POLL_LINK].revents)
			on_link(s);
		if (polls[POLL_DAEMON].revents && !s->over)
			on_daemon(s);
	}
	if (s->plan->kind == SESSION_EXEC)
		drain(s);
	return 0;
}

static void session_done(struct fds_session *s)
{
	for (int i = 0; i < PUMPS; i++) {
		if (s->own_give[i] && s->give[i] >= 0)
			(void)close(s->give[i]);
		s->own_give[i] = false;
		session_pump_stop(&s->pumps[i]);
	}
	s->daemon = fdlink_free(s->daemon);
	if (s->link_fd >= 0)
		(void)close(s->link_fd);
	if (s->signal_fd >= 0)
		(void)close(s->signal_fd);
}

static int open_link(struct cli *cli, struct fds_session *s, struct err *err)
{
	const json_t *fds = json_at(s->plan->operation, "metadata.fds");
	_cleanup_(freep) char *path = NULL;
	size_t n_fds = s->plan->interactive ? 0 : PUMPS;
	int r;

	if (s->plan->start)
		return fdlink_post(cli->client, s->plan->start, s->give, n_fds, &s->daemon, err);
	path = client_path("/1.0/operations/%s/websocket?secret=%s", s->plan->id,
			   json_str(fds, "fds", ""));
	r = fdlink_open(cli->client, path, s->give, n_fds, &s->daemon, err);
	return r < 0 ? err_wrap(err, "connect the session") : 0;
}

static int connect_daemon(struct cli *cli, struct fds_session *s, struct err *err)
{
	int r = open_link(cli, s, err);

	if (r != 0)
		return r;
	for (int i = 0; i < PUMPS; i++) { /* the command's ends are its own now */
		if (s->own_give[i])
			(void)close(s->give[i]);
		s->own_give[i] = false;
	}
	return 0;
}

int session_run_fds(struct cli *cli, const struct session_plan *plan, int *ret_status,
		    struct err *err)
{
	struct fds_session s = {
		.plan = plan,
		.link_fd = -EBADF,
		.signal_fd = -EBADF,
		.detach = plan->detach,
		.status = -1,
	};
	struct term_raw raw = { .fd = -EBADF };
	int r;

	for (int i = 0; i < PUMPS; i++)
		s.pumps[i] = (struct session_pump){ .from = -EBADF, .to = -EBADF };
	r = plan->interactive ? 0 : prepare_pipes(&s, err);
	if (r == 0)
		r = connect_daemon(cli, &s, err);
	if (r == 0) {
		s.signal_fd = session_signals_open();
		if (plan->raw)
			(void)term_raw_enter(STDIN_FILENO,
					     &raw); /* not a terminal: nothing to do */
		if (plan->greeting)
			cli_say(cli, "%s%s", plan->greeting, raw.fd >= 0 ? "\r" : "");
		r = copy(&s, err);
		term_raw_leave(&raw);
		*ret_status = s.status;
	}
	session_done(&s);
	return r;
}
