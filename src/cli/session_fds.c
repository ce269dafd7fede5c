/*
 * cli/session_fds.c - see session.h: the transport that hands descriptors over
 *
 * What is no terminal is given away and this process only forwards signals; a terminal of the
 * caller never leaves: a pipe, or the master of a new pty, is copied to and from it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/session.h"
#include "cli/term.h"
#include "client/fdlink.h"
#include "codec/json.h"

enum {
	COPY_SIZE = 64 * 1024,
	PUMPS = 3,
	POLL_LINK = PUMPS,
	POLL_SIGNALS,
	POLLS
};

struct pump {
	int from, to; /* from < 0: nothing to copy */
	bool own_from, own_to;
};

struct fds_session {
	const struct session_plan *plan;
	struct fdlink *link;
	struct pump pumps[PUMPS];
	int give[PUMPS];      /* what the daemon gets */
	bool own_give[PUMPS]; /* made here */
	int signal_fd;
	int status; /* of the command, -1 until it is known */
	bool over;
};

static void pump_stop(struct pump *p)
{
	if (p->own_from && p->from >= 0)
		(void)close(p->from);
	if (p->own_to && p->to >= 0)
		(void)close(p->to);
	*p = (struct pump){ .from = -EBADF, .to = -EBADF };
}

/* Copy one piece. Returns: false at the end. */
static bool pump_once(struct pump *p)
{
	char bytes[COPY_SIZE];
	ssize_t n = read(p->from, bytes, sizeof(bytes));
	size_t done = 0;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	while (done < (size_t)n) {
		ssize_t w = write(p->to, bytes + done, (size_t)n - done);

		if (w < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = p->to, .events = POLLOUT };

			(void)poll(&wait, 1, -1);
			continue;
		}
		if (w < 0 && errno != EINTR)
			return false;
		done += (size_t)MAX(w, 0);
	}
	return n > 0;
}

/* A pipe in place of the terminal @fd. */
static int replace_terminal(struct fds_session *s, int fd, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, -errno, "make a pipe");
	if (fd == STDIN_FILENO) {
		s->give[fd] = ends[0];
		s->pumps[fd] = (struct pump){ .from = fd, .to = ends[1], .own_to = true };
	} else {
		s->give[fd] = ends[1];
		s->pumps[fd] = (struct pump){ .from = ends[0], .to = fd, .own_from = true };
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

static void send_size(struct fds_session *s)
{
	unsigned short width, height;
	char line[32];

	if (!s->plan->interactive || term_size(STDOUT_FILENO, &width, &height) < 0)
		return;
	(void)snprintf(line, sizeof(line), "resize %u %u", width, height);
	(void)fdlink_send(s->link, line); /* a daemon that is gone is seen when reading */
}

static void on_signals(struct fds_session *s)
{
	struct signalfd_siginfo info;
	char line[32];

	while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH || info.ssi_signo == SIGCONT) {
			send_size(s);
			continue;
		}
		(void)snprintf(line, sizeof(line), "signal %u", info.ssi_signo);
		(void)fdlink_send(s->link, line);
	}
}

/* The new pty: typed to it, shown from it. */
static void use_master(struct fds_session *s, int master)
{
	for (int i = 0; i < PUMPS; i++)
		pump_stop(&s->pumps[i]);
	if (!s->plan->no_stdin)
		s->pumps[STDIN_FILENO] = (struct pump){ .from = STDIN_FILENO, .to = master };
	s->pumps[STDOUT_FILENO] =
		(struct pump){ .from = master, .to = STDOUT_FILENO, .own_from = true };
	send_size(s);
}

static void on_link(struct fds_session *s)
{
	int r = fdlink_process(s->link);
	int master = fdlink_take_fd(s->link);
	char *line;

	if (master >= 0)
		use_master(s, master);
	while ((line = fdlink_line(s->link))) {
		const char *number = str_after(line, "exit ");
		uint32_t status;

		if (number && parse_u32(number, &status) == 0) {
			s->status = (int)(status & 0xff);
			s->over = true;
		}
		free(line);
	}
	s->over |= r != 0;
}

static void prepare_polls(const struct fds_session *s, struct pollfd *polls)
{
	for (int i = 0; i < PUMPS; i++)
		polls[i] = (struct pollfd){ .fd = s->pumps[i].from, .events = POLLIN };
	polls[POLL_LINK] = (struct pollfd){ .fd = fdlink_fd(s->link), .events = POLLIN };
	polls[POLL_SIGNALS] = (struct pollfd){ .fd = s->signal_fd, .events = POLLIN };
}

/* What the command wrote before it ended; a background process may hold the other end open. */
static void drain(struct fds_session *s)
{
	for (int i = STDOUT_FILENO; i < PUMPS; i++) {
		struct pollfd p = { .fd = s->pumps[i].from, .events = POLLIN };

		while (p.fd >= 0 && poll(&p, 1, 0) > 0 && pump_once(&s->pumps[i]))
			;
	}
}

static int copy(struct fds_session *s, struct err *err)
{
	struct pollfd polls[POLLS];

	while (!s->over) {
		prepare_polls(s, polls);
		if (poll(polls, POLLS, -1) < 0 && errno != EINTR)
			return err_set(err, -errno, "wait for the session");
		if (polls[POLL_SIGNALS].revents)
			on_signals(s);
		for (int i = 0; i < PUMPS; i++)
			if (polls[i].fd >= 0 && polls[i].revents && !pump_once(&s->pumps[i]))
				pump_stop(&s->pumps[i]);
		if (polls[POLL_LINK].revents)
			on_link(s);
	}
	drain(s);
	return 0;
}

static void session_done(struct fds_session *s)
{
	for (int i = 0; i < PUMPS; i++) {
		if (s->own_give[i] && s->give[i] >= 0)
			(void)close(s->give[i]);
		s->own_give[i] = false;
		pump_stop(&s->pumps[i]);
	}
	s->link = fdlink_free(s->link);
	if (s->signal_fd >= 0)
		(void)close(s->signal_fd);
}

static int connect_link(struct cli *cli, struct fds_session *s, struct err *err)
{
	const json_t *fds = json_at(s->plan->operation, "metadata.fds");
	_cleanup_(freep) char *path = NULL;
	int r;

	path = client_path("/1.0/operations/%s/websocket?secret=%s", s->plan->id,
			   json_str(fds, "fds", ""));
	r = fdlink_open(cli->client, path, s->give, s->plan->interactive ? 0 : PUMPS, &s->link,
			err);
	if (r < 0)
		return err_wrap(err, "connect the session");
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
	struct fds_session s = { .plan = plan, .signal_fd = -EBADF, .status = -1 };
	struct term_raw raw = { .fd = -EBADF };
	int r;

	for (int i = 0; i < PUMPS; i++)
		s.pumps[i] = (struct pump){ .from = -EBADF, .to = -EBADF };
	r = plan->interactive ? 0 : prepare_pipes(&s, err);
	if (r == 0)
		r = connect_link(cli, &s, err);
	if (r == 0) {
		s.signal_fd = session_signals_open();
		if (plan->raw)
			(void)term_raw_enter(STDIN_FILENO,
					     &raw); /* not a terminal: nothing to do */
		r = copy(&s, err);
		term_raw_leave(&raw);
		*ret_status = s.status;
	}
	session_done(&s);
	return r;
}
