/* cli/session_pump.c - see session_pump.h */
#include "cli/session_pump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/detach.h"

enum {
	PIECE_BYTES = 64 * 1024
};

void session_pump_stop(struct session_pump *pump)
{
	if (pump->own_from && pump->from >= 0)
		(void)close(pump->from);
	if (pump->own_to && pump->to >= 0)
		(void)close(pump->to);
	free(pump->bytes);
	*pump = (struct session_pump){ .from = -EBADF, .to = -EBADF };
}

/* Only for what nobody else uses: the flag belongs to all who share the description. */
void session_pump_set_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK); /* else a full one would only block */
}

void session_pump_prepare(const struct session_pump *pump, struct pollfd polls[2])
{
	bool full = pump->len > 0;

	polls[0] = (struct pollfd){ .fd = full ? -1 : pump->from, .events = POLLIN };
	polls[1] = (struct pollfd){ .fd = full ? pump->to : -1, .events = POLLOUT };
}

/* Returns: false when the target is gone. */
static bool write_piece(struct session_pump *pump)
{
	while (pump->done < pump->len) {
		ssize_t n = write(pump->to, pump->bytes + pump->done, pump->len - pump->done);

		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
		pump->done += (size_t)MAX(n, 0);
	}
	pump->done = pump->len = 0;
	return true;
}

static bool read_piece(struct session_pump *pump, struct detach *detach)
{
	ssize_t n;

	if (!pump->bytes)
		pump->bytes = xmalloc(PIECE_BYTES);
	n = read(pump->from, pump->bytes, PIECE_BYTES);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	pump->len = detach ? detach_filter(detach, pump->bytes, (size_t)n) : (size_t)n;
	return n > 0;
}

bool session_pump_run(struct session_pump *pump, const struct pollfd polls[2],
		      struct detach *detach)
{
	if (polls[1].revents)
		return write_piece(pump);
	if (polls[0].revents)
		return read_piece(pump, detach) && write_piece(pump);
	return true;
}

void session_pump_drain(struct session_pump *pump)
{
	while (pump->from >= 0) {
		struct pollfd polls[2];
		bool full = pump->len > 0;

		session_pump_prepare(pump, polls);
		/* the reader may take its time, the command has had its own */
		if (poll(polls, 2, full ? -1 : 0) <= 0 || !session_pump_run(pump, polls, NULL))
			return;
	}
}
