/* cli/term.c - see term.h */
#include "cli/term.h"

#include <errno.h>
#include <sys/ioctl.h>

int term_size(int fd, unsigned short *ret_width, unsigned short *ret_height)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		return -errno;
	if (size.ws_col == 0 || size.ws_row == 0)
		return -ENOTTY; /* a terminal that does not know */
	*ret_width = size.ws_col;
	*ret_height = size.ws_row;
	return 0;
}

int term_raw_enter(int fd, struct term_raw *ret_raw)
{
	struct termios raw;

	ret_raw->fd = -EBADF;
	if (tcgetattr(fd, &ret_raw->before) < 0)
		return -errno;
	raw = ret_raw->before;
	cfmakeraw(&raw);
	if (tcsetattr(fd, TCSADRAIN, &raw) < 0)
		return -errno;
	ret_raw->fd = fd;
	return 0;
}

void term_raw_leave(struct term_raw *raw)
{
	if (raw->fd < 0)
		return;
	(void)tcsetattr(raw->fd, TCSADRAIN, &raw->before); /* gone terminals need no undoing */
	raw->fd = -EBADF;
}
