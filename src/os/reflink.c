/* os/reflink.c - see reflink.h */
#include "os/reflink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "base/mem.h"
#include "os/fd.h"

enum {
	BLOCK_BYTES = 65536 /* of any file system at least one */
};

int reflink_probe(int dir_fd)
{
	static const char block[BLOCK_BYTES];
	_cleanup_(fd_closep) int from = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	_cleanup_(fd_closep) int to = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int r;

	if (from < 0 || to < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	r = fd_write_all(from, block, sizeof(block));
	if (r < 0)
		return r;
	if (ioctl(to, FICLONE, from) == 0)
		return 1;
	return errno == EOPNOTSUPP || errno == ENOTTY || errno == EINVAL ? 0 : -errno;
}
