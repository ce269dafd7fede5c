/* monitor/console.c - see console.h */
#include "monitor/console.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/pty.h"

enum {
	READ_BYTES = 4096,
	READS_AT_ONCE = 16, /* a flooding console leaves the loop its turn */
	DEFAULT_HEIGHT = 24
};

static const char read_only[] =
	"\r\n[read-only: somebody else types on this console; attach with force to take it over]\r\n";
static const char taken_over[] =
	"\r\n[somebody else has taken over this console: it is read-only here now]\r\n";

static void drop_watcher(struct watcher *watcher)
{
	struct console *console = watcher->console;

	loop_remove(console->loop, &watcher->source);
	watcher->fd = fd_close(watcher->fd);
	watcher->notice = NULL;
	if (console->writer == watcher) {
		console->writer = NULL;
		console->input_len = 0;
	}
}

/* Which events a watcher waits for now. */
static void rearm_watcher(struct watcher *watcher)
{
	const struct console *console = watcher->console;
	uint32_t events = 0;

	if (watcher != console->writer || console->input_len == 0)
		events |= EPOLLIN;
	if (watcher->position < console->ring.end || watcher->notice)
		events |= EPOLLOUT;
	(void)loop_change(watcher->console->loop, &watcher->source, events);
}

/* The next bytes for @watcher. Returns: how many, 0 for none. */
static size_t next_bytes(struct watcher *watcher, const char **ret_bytes)
{
	if (!watcher->notice)
		return ring_peek(&watcher->console->ring, &watcher->position, ret_bytes);
	*ret_bytes = watcher->notice;
	return strlen(watcher->notice);
}

static void advance(struct watcher *watcher, size_t len)
{
	if (!watcher->notice)
		watcher->position += len;
	else if (watcher->notice[len])
		watcher->notice += len;
	else
		watcher->notice = NULL;
}

/* Send what it has not seen. Returns: whether it is still there. */
static bool flush_watcher(struct watcher *watcher)
{
	const char *bytes;
	size_t len;

	while ((len = next_bytes(watcher, &bytes)) > 0) {
		ssize_t n = send(watcher->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			drop_watcher(watcher);
			return false;
		}
		advance(watcher, (size_t)n);
	}
	rearm_watcher(watcher);
	return true;
}

static void flush_watchers(struct console *console)
{
	for (size_t i = 0; i < CONSOLE_WATCHERS_MAX; i++)
		if (console->watchers[i].fd >= 0)
			(void)flush_watcher(&console->watchers[i]);
}

/* Give the pty what the writer typed; what it does not take now waits. */
static void push_input(struct console *console)
{
	ssize_t n;

	if (console->input_len == 0 || console->master_fd < 0) {
		console->input_len = 0;
		return;
	}
	n = write(console->master_fd, console->input, console->input_len);
	if (n < 0 && errno == EAGAIN)
		n = 0;
	if (n < 0)
		n = (ssize_t)console->input_len; /* nobody reads any more */
	for (size_t i = (size_t)n; i < console->input_len; i++)
		console->input[i - (size_t)n] = console->input[i];
	console->input_len -= (size_t)n;
	(void)loop_change(console->loop, &console->source,
			  console->input_len > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
	if (console->writer)
		rearm_watcher(console->writer);
}

static void take_input(struct watcher *watcher)
{
	struct console *console = watcher->console;
	char ignored[256];
	ssize_t n;

	if (watcher == console->writer)
		n = recv(watcher->fd, console->input, sizeof(console->input), MSG_DONTWAIT);
	else
		n = recv(watcher->fd, ignored, sizeof(ignored), MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		drop_watcher(watcher);
		return;
	}
	if (watcher != console->writer)
		return;
	console->input_len = (size_t)n;
	push_input(console);
}

static void on_watcher(struct source *source, uint32_t events)
{
	struct watcher *watcher = container_of(source, struct watcher, source);

	if ((events & EPOLLOUT) && !flush_watcher(watcher))
		return;
	if (events & EPOLLIN)
		take_input(watcher);
	else if (events & (EPOLLHUP | EPOLLERR))
		drop_watcher(watcher);
}

/* Returns: bytes taken, 0 or -errno when there are none. */
static ssize_t pull_output(struct console *console)
{
	char bytes[READ_BYTES];
	ssize_t n = read(console->master_fd, bytes, sizeof(bytes));

	if (n <= 0)
		return n < 0 ? -errno : 0;
	ring_put(&console->ring, bytes, (size_t)n);
	conlog_write(&console->log, bytes, (size_t)n);
	return n;
}

static void on_master(struct source *source, uint32_t events)
{
	struct console *console = container_of(source, struct console, source);

	if (events & EPOLLOUT)
		push_input(console);
	for (int i = 0; i < READS_AT_ONCE; i++)
		if (pull_output(console) <= 0)
			break;
	flush_watchers(console);
}

int console_init(struct console *console, struct loop *loop)
{
	console->loop = loop;
	console->master_fd = console->slave_fd = -EBADF;
	source_init(&console->source);
	for (size_t i = 0; i < CONSOLE_WATCHERS_MAX; i++) {
		console->watchers[i].console = console;
		console->watchers[i].fd = -EBADF;
		source_init(&console->watchers[i].source);
	}
	return ring_init(&console->ring, CONSOLE_RING_BYTES);
}

void console_done(struct console *console)
{
	console_drop_master(console);
	for (size_t i = 0; i < CONSOLE_WATCHERS_MAX; i++)
		if (console->watchers[i].fd >= 0)
			drop_watcher(&console->watchers[i]);
	ring_done(&console->ring);
	conlog_done(&console->log);
}

int console_set_master(struct console *console, int master_fd)
{
	console_drop_master(console);
	console->master_fd = master_fd;
	console->slave_fd = pty_open_peer(master_fd);
	if (console->slave_fd < 0)
		return console->slave_fd;
	return loop_add(console->loop, &console->source, master_fd, EPOLLIN, on_master);
}

void console_drop_master(struct console *console)
{
	if (console->master_fd < 0)
		return;
	for (int i = 0; i < READS_AT_ONCE; i++)
		if (pull_output(console) <= 0)
			break;
	loop_remove(console->loop, &console->source);
	console->master_fd = fd_close(console->master_fd);
	console->slave_fd = fd_close(console->slave_fd);
	console->input_len = 0;
	flush_watchers(console);
}

static struct watcher *find_free(struct console *console)
{
	for (size_t i = 0; i < CONSOLE_WATCHERS_MAX; i++)
		if (console->watchers[i].fd < 0)
			return &console->watchers[i];
	return NULL;
}

static void tell(struct watcher *watcher, const char *notice)
{
	watcher->notice = notice;
	(void)flush_watcher(watcher);
}

/* The input goes to @watcher, from whoever has it. */
static void give_input(struct console *console, struct watcher *watcher)
{
	struct watcher *before = console->writer;

	console->writer = watcher;
	console->input_len = 0;
	if (before)
		tell(before, taken_over);
}

int console_attach(struct console *console, uint32_t height, bool force, bool *ret_writer)
{
	struct watcher *watcher = find_free(console);
	int pair[2];
	int r;

	if (!watcher)
		return -EMFILE;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = loop_add(console->loop, &watcher->source, pair[0], EPOLLIN, on_watcher);
	if (r < 0) {
		(void)fd_close(pair[0]);
		(void)fd_close(pair[1]);
		return r;
	}
	watcher->fd = pair[0];
	watcher->position =
		ring_tail(&console->ring, height ? height : DEFAULT_HEIGHT, CONSOLE_REPLAY_BYTES);
	if (!console->writer || force)
		give_input(console, watcher);
	*ret_writer = console->writer == watcher;
	if (flush_watcher(watcher) && !*ret_writer)
		tell(watcher, read_only);
	return pair[1];
}

int console_resize(struct console *console, uint32_t width, uint32_t height)
{
	if (console->master_fd < 0)
		return -ENXIO;
	return pty_set_size(console->master_fd, width, height);
}

int console_snapshot(const struct console *console)
{
	_cleanup_(fd_closep) int fd = memfd_create("console-log", MFD_CLOEXEC);
	uint64_t from = ring_oldest(&console->ring);
	const char *bytes;
	size_t len;

	if (fd < 0)
		return -errno;
	while ((len = ring_peek(&console->ring, &from, &bytes)) > 0) {
		int r = fd_write_all(fd, bytes, len);

		if (r < 0)
			return r;
		from += len;
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : TAKE_FD(fd);
}

void console_clear(struct console *console)
{
	ring_clear(&console->ring);
	conlog_clear(&console->log);
}
