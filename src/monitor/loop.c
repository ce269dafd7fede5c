/* monitor/loop.c - see loop.h */
#include "monitor/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>

#include "base/macro.h"
#include "os/fd.h"

enum {
	EVENTS_AT_ONCE = 16
};

int loop_init(struct loop *loop)
{
	list_init(&loop->sources);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd < 0 ? -errno : 0;
}

void loop_done(struct loop *loop)
{
	loop->epoll_fd = fd_close(loop->epoll_fd);
}

void source_init(struct source *source)
{
	list_init(&source->node);
	source->fd = -EBADF;
	source->run = NULL;
}

int loop_add(struct loop *loop, struct source *source, int fd, uint32_t events, source_fn *run)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	source->fd = fd;
	source->run = run;
	list_append(&loop->sources, &source->node);
	return 0;
}

int loop_change(struct loop *loop, struct source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (source->fd < 0)
		return -EBADF;
	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) < 0 ? -errno : 0;
}

void loop_remove(struct loop *loop, struct source *source)
{
	if (source->fd < 0)
		return;
	(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL); /* closed: gone anyway */
	list_remove(&source->node);
	source->fd = -EBADF;
}

/* Events were collected before their source went: ask the list, not the pointer (O1). */
static bool is_present(const struct loop *loop, const struct source *wanted)
{
	struct list *node;

	list_for_each(node, &loop->sources)
		if (list_entry(node, struct source, node) == wanted)
			return true;
	return false;
}

int loop_run_once(struct loop *loop)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int n = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, -1);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		struct source *source = events[i].data.ptr;

		if (is_present(loop, source))
			source->run(source, events[i].events);
	}
	return 0;
}
