/* cli/term.h - the caller's terminal: size, raw mode that is always undone (cli, sysctr) */
#pragma once

#include <stdbool.h>
#include <termios.h>

struct term_raw {
	int fd; /* -EBADF: nothing to undo */
	struct termios before;
};

/* Returns: 0 or -errno; sizes are left alone then. */
int term_size(int fd, unsigned short *ret_width, unsigned short *ret_height);

/* Put @fd into raw mode. */
int term_raw_enter(int fd, struct term_raw *ret_raw);
void term_raw_leave(struct term_raw *raw);
