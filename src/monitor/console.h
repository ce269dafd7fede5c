/*
 * monitor/console.h - /dev/console: the monitor's end of the pty, its memory and its watchers
 *
 * Layer: monitor. Never blocks (but for the log file). Allocates only in console_init().
 *
 *   C1  A watcher that does not read loses bytes; the container never waits for one.
 *   C2  At most one watcher's input counts. Who has not, or loses it, is told on the stream.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "monitor/conlog.h"
#include "monitor/loop.h"
#include "monitor/ring.h"

enum {
	CONSOLE_RING_BYTES = 128 * 1024,
	CONSOLE_WATCHERS_MAX = 8,
	CONSOLE_INPUT_BYTES = 1024,
	CONSOLE_REPLAY_BYTES = 8 * 1024
};

struct console;

struct watcher {
	struct source source;
	struct console *console;
	int fd; /* our end of a stream pair; -EBADF: free */
	uint64_t position;
	const char *notice; /* what is left of a word of ours to it; goes before the ring's bytes */
};

struct console {
	struct loop *loop;
	struct source source;
	int master_fd; /* -EBADF between two lives */
	int slave_fd;  /* kept open: a master without any slave reads EIO */
	struct ring ring;
	struct conlog log;
	struct watcher watchers[CONSOLE_WATCHERS_MAX];
	struct watcher *writer;		 /* C2; NULL: nobody */
	char input[CONSOLE_INPUT_BYTES]; /* taken from the writer, not yet by the pty */
	size_t input_len;
};

int console_init(struct console *console, struct loop *loop);
void console_done(struct console *console);

/* Take over the master of a new life. @master_fd is the console's from now on, also on failure. */
int console_set_master(struct console *console, int master_fd);

/* Read what is left and let go of the pty: the container's mounts can be freed. */
void console_drop_master(struct console *console);

/*
 * A new watcher, shown the last screenful of @height lines first (0: 24).
 *
 * @force: take the input from who has it. *@ret_writer: whether its input counts.
 * Returns: the client's descriptor, the caller's to close, or -errno; -EMFILE: too many watchers.
 */
int console_attach(struct console *console, uint32_t height, bool force, bool *ret_writer);

int console_resize(struct console *console, uint32_t width, uint32_t height);

/* Memory file with the ring's content. Returns: descriptor or -errno. */
int console_snapshot(const struct console *console);
void console_clear(struct console *console);
