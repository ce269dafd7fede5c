/*
 * aio/poll.c - readiness of a descriptor (aio, sysctrd)
 */
#include "aio/poll.h"

#include <stdlib.h>

#include "aio/handle.h"
#include "base/mem.h"

struct aio_poll {
	uv_poll_t uv;
	unsigned int want;
	aio_poll_fn fn;
	void *data;
};

static const struct {
	unsigned int ready;
	int uv;
} bits[] = {
	{ AIO_READ, UV_READABLE },
	{ AIO_WRITE, UV_WRITABLE },
	{ AIO_HANGUP, UV_DISCONNECT },
};

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct aio_poll *poll = container_of(handle, struct aio_poll, uv);
	unsigned int ready = 0;

	for (size_t i = 0; i < ARRAY_LEN(bits); i++)
		if (events & bits[i].uv)
			ready |= bits[i].ready;
	/* libuv stops a descriptor in error; its user finds the error by reading or writing. */
	poll->fn(poll->data, status < 0 ? poll->want : ready);
}

static void on_closed(uv_handle_t *handle)
{
	free(container_of((uv_poll_t *)handle, struct aio_poll, uv));
}

struct aio_poll *aio_poll_new(struct aio_loop *loop, int fd, aio_poll_fn fn, void *data)
{
	struct aio_poll *poll = xcalloc(1, sizeof(*poll));

	poll->fn = fn;
	poll->data = data;
	if (uv_poll_init(&loop->uv, &poll->uv, fd) < 0) {
		free(poll);
		return NULL;
	}
	return poll;
}

void aio_poll_set(struct aio_poll *poll, unsigned int want)
{
	int events = 0;

	for (size_t i = 0; i < ARRAY_LEN(bits); i++)
		if (want & bits[i].ready)
			events |= bits[i].uv;
	if (poll->want == want && uv_is_active((uv_handle_t *)&poll->uv) == (want != 0))
		return;
	poll->want = want;
	if (want)
		(void)uv_poll_start(&poll->uv, events, on_poll);
	else
		(void)uv_poll_stop(&poll->uv);
}

void aio_poll_unref(struct aio_poll *poll)
{
	uv_unref((uv_handle_t *)&poll->uv);
}

struct aio_poll *aio_poll_free(struct aio_poll *poll)
{
	if (poll)
		uv_close((uv_handle_t *)&poll->uv, on_closed);
	return NULL;
}
