/* monitor/session_keep.c - see session_keep.h */
#include "monitor/session_keep.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/macro.h"
#include "os/fd.h"

enum {
	MOVE_BYTES = 64 * 1024,
	MOVE_TURNS = 32, /* of one stream before others have their turn: more than a pipe holds */
	DROP_BYTES = 4096,
};

void keep_init(struct keep *keep)
{
	*keep = (struct keep){ .epoll_fd = -EBADF };
	for (size_t i = 0; i < KEEP_STREAMS; i++)
		keep->streams[i].from_fd = keep->streams[i].to_fd = -EBADF;
}

/* sysctrd may have a copy of the pipe, and then closing alone would leave it watched. */
static void close_stream(struct keep *keep, struct keep_stream *stream)
{
	if (stream->watched)
		(void)epoll_ctl(keep->epoll_fd, EPOLL_CTL_DEL, stream->from_fd, NULL);
	stream->watched = false;
	stream->from_fd = fd_close(stream->from_fd);
	stream->to_fd = fd_close(stream->to_fd);
}

void keep_done(struct keep *keep)
{
	for (size_t i = 0; i < KEEP_STREAMS; i++)
		close_stream(keep, &keep->streams[i]);
	keep->op[0] = '\0';
}

static int watch_stream(struct keep *keep, struct keep_stream *stream)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = keep->watch_data };

	if (stream->watched || stream->from_fd < 0)
		return 0;
	if (epoll_ctl(keep->epoll_fd, EPOLL_CTL_ADD, stream->from_fd, &event) < 0)
		return -errno;
	stream->watched = true;
	return 0;
}

static int watch_all(struct keep *keep)
{
	for (size_t i = 0; i < KEEP_STREAMS; i++) {
		int r = watch_stream(keep, &keep->streams[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

int keep_prepare(struct keep *keep, const char *op, bool record, int *fds, size_t n_fds)
{
	size_t per_stream = record ? 2 : 1;

	keep_done(keep);
	if (!op || strlen(op) != UUID_LEN - 1)
		return -EINVAL;
	if (n_fds != KEEP_STREAMS * per_stream && (record || n_fds != 0))
		return -EINVAL;
	for (size_t i = 0; n_fds > 0 && i < KEEP_STREAMS; i++) {
		struct keep_stream *stream = &keep->streams[i];
		int r = fd_set_nonblock(fds[i * per_stream]);

		if (r < 0)
			return r;
		stream->from_fd = TAKE_FD(fds[i * per_stream]);
		if (record)
			stream->to_fd = TAKE_FD(fds[i * per_stream + 1]);
		stream->left = record ? KEEP_RECORD_MAX : 0;
	}
	memcpy(keep->op, op, UUID_LEN);
	keep->record = record;
	return 0;
}

int keep_begin(struct keep *keep, struct keep *prepared, int epoll_fd, void *watch_data)
{
	int r;

	*keep = *prepared;
	keep->epoll_fd = epoll_fd;
	keep->watch_data = watch_data;
	keep_init(prepared);
	r = keep->record ? watch_all(keep) : 0;
	if (r < 0)
		keep_done(keep);
	return r;
}

void keep_alone(struct keep *keep, int master_fd)
{
	static const char end_of_file = 'D' & 0x1f;

	if (master_fd >= 0 && keep->streams[0].from_fd < 0 && fd_set_nonblock(master_fd) == 0) {
		(void)!write(master_fd, &end_of_file, 1); /* a full terminal is not read anyway */
		keep->streams[0].from_fd = fd_copy(master_fd, 0);
	}
	if (watch_all(keep) < 0)
		keep_done(keep); /* SIGPIPE is better than to wait for ever */
}

/* Returns: bytes moved; 0 at the end of the stream; -EAGAIN: nothing is there; -errno. */
static ssize_t move_some(struct keep_stream *stream)
{
	char dropped[DROP_BYTES];
	ssize_t n;

	if (stream->to_fd < 0) {
		n = read(stream->from_fd, dropped, sizeof(dropped));
		return n < 0 ? -errno : n;
	}
	n = splice(stream->from_fd, NULL, stream->to_fd, NULL,
		   MIN((uint64_t)MOVE_BYTES, stream->left), SPLICE_F_NONBLOCK);
	if (n < 0)
		return -errno;
	stream->left -= (uint64_t)n;
	return stream->left > 0 ? n : -EFBIG;
}

static void move_stream(struct keep *keep, struct keep_stream *stream)
{
	for (int i = 0; i < MOVE_TURNS; i++) {
		ssize_t n = move_some(stream);

		if (n == -EAGAIN || n == -EINTR)
			return;
		if (n <= 0) { /* the end, the limit, or a disk that is full */
			close_stream(keep, stream);
			return;
		}
	}
}

void keep_move(struct keep *keep)
{
	for (size_t i = 0; i < KEEP_STREAMS; i++)
		if (keep->streams[i].watched)
			move_stream(keep, &keep->streams[i]);
}

void keep_release(struct keep *keep, size_t index)
{
	if (index < KEEP_STREAMS)
		close_stream(keep, &keep->streams[index]);
}

bool keep_is_set(const struct keep *keep)
{
	return keep->op[0] != '\0';
}

bool keep_is_recording(const struct keep *keep)
{
	return keep->record && (keep->streams[0].from_fd >= 0 || keep->streams[1].from_fd >= 0);
}
