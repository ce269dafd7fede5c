/* os/pty.c - see pty.h */
#include "os/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/path.h"

enum {
	PTMX_MAJOR = 5,
	PTMX_MINOR = 2
};

static int check_ptmx(int fd)
{
	struct stat st;
	struct statfs fs;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(PTMX_MAJOR, PTMX_MINOR))
		return -ENOTTY;
	return fs.f_type == DEVPTS_SUPER_MAGIC ? 0 : -ENOTTY;
}

int pty_open_master(int dir_fd, const char *path)
{
	_cleanup_(fd_closep) int fd = -EBADF;
	int unlock = 0;
	int r;

	fd = path_open_plain(dir_fd, path, O_RDWR | O_NOCTTY | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	r = check_ptmx(fd);
	if (r < 0)
		return r;
	if (ioctl(fd, TIOCSPTLCK, &unlock) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int pty_open_peer(int master_fd)
{
	int fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int pty_get_number(int master_fd, uint32_t *ret_number)
{
	unsigned int number;

	if (ioctl(master_fd, TIOCGPTN, &number) < 0)
		return -errno;
	*ret_number = number;
	return 0;
}

int pty_set_size(int fd, uint32_t width, uint32_t height)
{
	struct winsize size = {
		.ws_col = (unsigned short)width,
		.ws_row = (unsigned short)height,
	};

	return ioctl(fd, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

int pty_take(int slave_fd)
{
	return ioctl(slave_fd, TIOCSCTTY, 0) < 0 ? -errno : 0;
}

int pty_set_raw(int fd)
{
	struct termios attr;

	if (tcgetattr(fd, &attr) < 0)
		return -errno;
	cfmakeraw(&attr);
	return tcsetattr(fd, TCSANOW, &attr) < 0 ? -errno : 0;
}
