/*
 * aio/signal.c - a signal as a callback (aio, sysctrd)
 */
#include "aio/signal.h"

#include <stdlib.h>

#include "aio/handle.h"
#include "base/mem.h"

struct aio_signal {
	uv_signal_t uv;
	aio_signal_fn fn;
	void *data;
};

static void on_signal(uv_signal_t *handle, int signum)
{
	struct aio_signal *watch = container_of(handle, struct aio_signal, uv);

	watch->fn(watch->data, signum);
}

struct aio_signal *aio_signal_new(struct aio_loop *loop, int signum, aio_signal_fn fn, void *data)
{
	struct aio_signal *watch = xcalloc(1, sizeof(*watch));

	watch->fn = fn;
	watch->data = data;
	if (uv_signal_init(&loop->uv, &watch->uv) < 0 ||
	    uv_signal_start(&watch->uv, on_signal, signum) < 0)
		abort();
	return watch;
}

static void on_closed(uv_handle_t *handle)
{
	free(container_of((uv_signal_t *)handle, struct aio_signal, uv));
}

struct aio_signal *aio_signal_free(struct aio_signal *watch)
{
	if (watch)
		uv_close((uv_handle_t *)&watch->uv, on_closed);
	return NULL;
}
