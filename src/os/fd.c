/* os/fd.c - see fd.h */
#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	READ_CHUNK = 4096,
	SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE
};

int fd_close(int fd)
{
	int saved_errno = errno;

	if (fd >= 0)
		(void)close(fd); /* nothing written through it is waiting: callers fsync */
	errno = saved_errno;
	return -EBADF;
}

void fd_closep(int *fd)
{
	*fd = fd_close(*fd);
}

void fd_closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

int fd_copy(int fd, int min)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, min);

	return copy < 0 ? -errno : copy;
}

int fd_set_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

int fd_set_cloexec(int fd, bool cloexec)
{
	return fcntl(fd, F_SETFD, cloexec ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

int fd_cloexec_from(int first)
{
	if (syscall(SYS_close_range, (unsigned int)first, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0)
		return -errno;
	return 0;
}

int fd_close_from(int first)
{
	return syscall(SYS_close_range, (unsigned int)first, UINT_MAX, 0) < 0 ? -errno : 0;
}

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int fd_close_all_but(int first, int *keep, size_t n)
{
	qsort(keep, n, sizeof(*keep), compare_fds);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < first)
			continue;
		if (keep[i] > first &&
		    syscall(SYS_close_range, (unsigned int)first, (unsigned int)keep[i] - 1, 0) < 0)
			return -errno;
		first = keep[i] + 1;
	}
	return fd_close_from(first);
}

int fd_pipe(int ret_fds[2])
{
	return pipe2(ret_fds, O_CLOEXEC) < 0 ? -errno : 0;
}

int fd_read_all(int fd, size_t max_bytes, struct buf *out)
{
	size_t total = 0;

	for (;;) {
		char *room = buf_reserve(out, READ_CHUNK);
		ssize_t n = read(fd, room, READ_CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		total += (size_t)n;
		if (total > max_bytes)
			return -EFBIG;
		out->len += (size_t)n;
		out->data[out->len] = '\0';
	}
}

int fd_write_all(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_memfd_new(const char *name, const void *bytes, size_t len)
{
	_cleanup_(fd_closep) int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, bytes, len);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int fd_memfd_read(int fd, size_t max_bytes, struct buf *out)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	size_t len;

	if (seals < 0 || (seals & SEALS) != SEALS)
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size > max_bytes)
		return -EFBIG;
	len = (size_t)st.st_size;
	buf_reserve(out, len);
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, out->data + out->len, len - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		out->len += (size_t)n;
		done += (size_t)n;
	}
	out->data[out->len] = '\0';
	return 0;
}

int fd_write_file_at(int dir_fd, const char *path, const char *text)
{
	_cleanup_(fd_closep) int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	if (n < 0)
		return -errno;
	return (size_t)n == strlen(text) ? 0 : -EIO;
}

ssize_t fd_read_file_at(int dir_fd, const char *path, char *out, size_t size)
{
	_cleanup_(fd_closep) int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, out, size - 1);
	if (n < 0)
		return -errno;
	if (n > 0 && out[n - 1] == '\n')
		n--;
	out[n] = '\0';
	return n;
}

static int replace_file(int dir_fd, const char *name, const char *text, mode_t mode, bool sync)
{
	char temp[NAME_MAX + 1];
	_cleanup_(fd_closep) int fd = -EBADF;
	int r;

	if ((size_t)snprintf(temp, sizeof(temp), ".%s.new", name) >= sizeof(temp))
		return -ENAMETOOLONG;
	fd = openat(dir_fd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, text, strlen(text));
	if (r == 0 && sync && fsync(fd) < 0)
		r = -errno;
	if (r < 0)
		return r;
	if (renameat(dir_fd, temp, dir_fd, name) < 0 || (sync && fsync(dir_fd) < 0))
		return -errno;
	return 0;
}

int fd_replace_file_at(int dir_fd, const char *name, const char *text, mode_t mode)
{
	return replace_file(dir_fd, name, text, mode, false);
}

int fd_replace_file_durably_at(int dir_fd, const char *name, const char *text, mode_t mode)
{
	return replace_file(dir_fd, name, text, mode, true);
}
