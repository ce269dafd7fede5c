/* image/report.c - see report.h */
#include "image/report.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "os/fd.h"
#include "os/sock.h"

enum {
	INTERVAL_NS = 100 * NS_PER_MS,
	JOB_BYTES_MAX = 4 << 20 /* a template's text is in it */
};

int report_read_job(int fd, struct job *ret_job, struct err *err)
{
	_cleanup_(buf_done) struct buf bytes = { 0 };

	int r = fd_memfd_read(fd, JOB_BYTES_MAX, &bytes);
	if (r < 0)
		return err_set(err, r, "read the job");
	return wire_decode(&job_schema, bytes.data, bytes.len, ret_job, err);
}

int report_init(struct report *report, int fd, bool catch_signals, struct err *err)
{
	*report = (struct report){ .fd = fd, .signal_fd = -EBADF };
	if (!catch_signals)
		return 0;
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_set(err, -errno, "block signals");
	report->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (report->signal_fd < 0)
		return err_set(err, -errno, "listen to signals");
	return 0;
}

void report_done(struct report *report)
{
	report->signal_fd = fd_close(report->signal_fd);
	strmap_done(&report->result);
}

static void send_report(struct report *report, struct job_report *message, bool must)
{
	_cleanup_(buf_done) struct buf bytes = { 0 };

	if (report->finished)
		return;
	if (must)
		message->result = report->result; /* lent */
	wire_encode(&job_report_schema, message, &bytes);
	/* a reader that is gone shows in report_cancelled() */
	while (send(report->fd, bytes.data, bytes.len, MSG_NOSIGNAL | (must ? 0 : MSG_DONTWAIT)) <
		       0 &&
	       must && (errno == EINTR || errno == EAGAIN)) {
		struct pollfd room = { .fd = report->fd, .events = POLLOUT };
		(void)poll(&room, 1, -1);
	}
	message->result = (struct strmap){ 0 };
}

void report_progress(struct report *report, const char *stage, uint64_t now_bytes,
		     uint64_t total_bytes)
{
	uint64_t now_ns = time_mono_ns();

	if (now_ns - report->last_ns < INTERVAL_NS)
		return;
	report->last_ns = now_ns;
	_cleanup_(freep) char *word = xstrdup(stage);
	struct job_report message = { .stage = word,
				      .now_bytes = now_bytes,
				      .total_bytes = total_bytes };
	send_report(report, &message, false);
}

void report_stage(struct report *report, const char *stage)
{
	report->last_ns = 0;
	report_progress(report, stage, 0, 0);
}

void report_result(struct report *report, const char *key, const char *value)
{
	strmap_set(&report->result, key, value);
}

void report_flush(struct report *report)
{
	struct job_report message = { 0 };

	report->stays = false;
	send_report(report, &message, true);
}

bool report_cancelled(struct report *report)
{
	struct pollfd fds[2] = {
		{ .fd = report->fd, .events = 0 }, /* POLLHUP comes unasked */
		{ .fd = report->signal_fd, .events = POLLIN },
	};

	if (!report->cancelled && poll(fds, ARRAY_LEN(fds), 0) > 0)
		report->cancelled = fds[0].revents != 0 || fds[1].revents != 0;
	return report->cancelled;
}

int report_cancel_err(struct err *err)
{
	(void)err_kind(err, ERR_CANCELLED, "cancelled");
	return -ECANCELED;
}

int report_wait(struct report *report, int fd, short events, int timeout_ms)
{
	struct pollfd fds[3] = {
		{ .fd = report->fd, .events = 0 },
		{ .fd = report->signal_fd, .events = POLLIN },
		{ .fd = fd, .events = events },
	};

	for (;;) {
		int r = poll(fds, ARRAY_LEN(fds), timeout_ms);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (fds[0].revents != 0 || fds[1].revents != 0)
			report->cancelled = true;
		if (report->cancelled)
			return -ECANCELED;
		return fds[2].revents != 0;
	}
}

int report_finish(struct report *report, int rc, const struct err *err)
{
	struct job_report message = { .done = true };
	_cleanup_(freep) char *text = NULL;

	if (rc < 0) {
		text = xstrdup(err_text(err, rc));
		message.code = rc;
		message.kind = err ? err->kind : ERR_INTERNAL;
		message.text = text;
		strmap_done(&report->result); /* of what is not there any more */
		report->stays = false;
	}
	message.stays = report->stays;
	send_report(report, &message, true);
	report->finished = true;
	return rc < 0 ? 1 : 0;
}

int report_await_job(struct report *report)
{
	char byte;
	int fd;
	size_t n_fds = 0;
	ssize_t n = report_wait(report, report->fd, POLLIN, -1);

	if (n > 0)
		n = sock_recv(report->fd, &byte, sizeof(byte), &fd, 1, &n_fds);
	if (n <= 0 || n_fds != 1)
		return -ECANCELED;
	strmap_done(&report->result);
	*report = (struct report){ .fd = report->fd, .signal_fd = report->signal_fd };
	return fd;
}
