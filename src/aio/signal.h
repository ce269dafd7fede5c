/* aio/signal.h - a signal as a callback (aio, sysctrd) */
#pragma once

#include "aio/loop.h"

struct aio_signal;
typedef void (*aio_signal_fn)(void *data, int signum);

struct aio_signal *aio_signal_new(struct aio_loop *loop, int signum, aio_signal_fn fn, void *data);
struct aio_signal *aio_signal_free(struct aio_signal *watch); /* returns NULL */
