/* os/tree_copy_file.c - see tree_copy_priv.h */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "os/fd.h"
#include "os/tree_copy_priv.h"

enum {
	CHUNK_BYTES = 16 << 20,
	WRITE_OUT_BYTES = 256 << 10,
	BUFFER_BYTES = 64 << 10,
	XATTR_NAMES_MAX = 64 * 1024,
	XATTR_VALUE_MAX = 64 * 1024,
	LEASE_POLL_MS = 10,
	LEASES_WAIT_MS =
		90 * 1000 /* for all; the kernel breaks each after 45 s (lease-break-time) */
};

bool tree_copy_cancelled(const struct copy *copy)
{
	return copy->how.cancel && copy->how.cancel(copy->how.data);
}

bool tree_copy_is_race(const struct copy *copy, int r)
{
	return copy->how.live &&
	       (r == -ENOENT || r == -ESTALE || r == -ENOTDIR || r == -ELOOP || r == -ENXIO);
}

/* Between file systems of different kinds. Returns as copy_file_range(), which moves @pos too. */
static ssize_t copy_through(int src_fd, off_t *pos, int dst_fd, size_t want)
{
	char buffer[BUFFER_BYTES];
	ssize_t n = pread(src_fd, buffer, MIN(want, sizeof(buffer)), *pos), done = 0;

	while (done < n) {
		ssize_t written = pwrite(dst_fd, buffer + done, (size_t)(n - done), *pos + done);

		if (written < 0)
			return -1;
		done += written;
	}
	*pos += done;
	return n;
}

static int copy_range(struct copy *copy, int src_fd, int dst_fd, off_t from, off_t to)
{
	while (from < to) {
		off_t dst_pos = from;
		size_t want = (size_t)MIN(to - from, CHUNK_BYTES);
		ssize_t n = copy->no_range
				    ? copy_through(src_fd, &from, dst_fd, want)
				    : copy_file_range(src_fd, &from, dst_fd, &dst_pos, want, 0);
		if (n < 0 && errno == EXDEV && !copy->no_range) {
			copy->no_range = true;
			continue;
		}
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0; /* shorter than it was */
		if (n >= WRITE_OUT_BYTES)
			(void)sync_file_range(dst_fd, from - n, n, SYNC_FILE_RANGE_WRITE);
		if (tree_copy_cancelled(copy))
			return -ECANCELED;
	}
	return 0;
}

/* Blocks shared if possible, else the data between the holes. */
static int copy_bytes(struct copy *copy, int src_fd, int dst_fd, off_t size)
{
	if (size == 0)
		return 0;
	if (!copy->no_clone) {
		if (ioctl(dst_fd, FICLONE, src_fd) == 0)
			return 0;
		copy->no_clone = true;
	}
	off_t pos = 0;
	while (pos < size) {
		off_t data = lseek(src_fd, pos, SEEK_DATA);
		if (data < 0)
			break; /* ENXIO: only a hole is left */
		off_t hole = lseek(src_fd, data, SEEK_HOLE);
		if (hole < 0)
			hole = size;
		int r = copy_range(copy, src_fd, dst_fd, data, hole);
		if (r < 0)
			return r;
		pos = hole;
	}
	return ftruncate(dst_fd, size) < 0 ? -errno : 0;
}

static int copy_xattr(int src_fd, int dst_fd, const char *name)
{
	char value[XATTR_VALUE_MAX];

	ssize_t len = fgetxattr(src_fd, name, value, sizeof(value));
	if (len < 0)
		return errno == ENODATA ? 0 : -errno;
	if (fsetxattr(dst_fd, name, value, (size_t)len, 0) == 0)
		return 0;
	/* without privilege (tests) security.* and trusted.* cannot be set */
	return errno == EPERM || errno == EOPNOTSUPP ? 0 : -errno;
}

static int copy_xattrs(int src_fd, int dst_fd)
{
	char names[4096];
	_cleanup_(freep) char *big = NULL;
	char *list = names;
	ssize_t len = flistxattr(src_fd, names, sizeof(names));

	if (len < 0 && errno == ERANGE) {
		list = big = xmalloc(XATTR_NAMES_MAX);
		len = flistxattr(src_fd, big, XATTR_NAMES_MAX);
	}
	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (const char *name = list; name < list + len; name += strlen(name) + 1) {
		int r = copy_xattr(src_fd, dst_fd, name);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Those of a link or a node, which has no descriptor: by name in directories that are open. */
static int copy_xattrs_at(int src_dir, int dst_dir, const char *name)
{
	char names[4096], value[XATTR_VALUE_MAX];
	_cleanup_(freep) char *src = xasprintf("/proc/self/fd/%d/%s", src_dir, name);
	_cleanup_(freep) char *dst = xasprintf("/proc/self/fd/%d/%s", dst_dir, name);
	ssize_t len = llistxattr(src, names, sizeof(names));

	if (len <= 0)
		return len == 0 || errno == EOPNOTSUPP ? 0 : -errno;
	for (const char *key = names; key < names + len; key += strlen(key) + 1) {
		ssize_t value_len = lgetxattr(src, key, value, sizeof(value));

		if (value_len >= 0 && lsetxattr(dst, key, value, (size_t)value_len, 0) < 0 &&
		    errno != EPERM && errno != EOPNOTSUPP)
			return -errno;
	}
	return 0;
}

void tree_copy_drop_xattrs(int fd)
{
	char names[4096];
	ssize_t len = flistxattr(fd, names, sizeof(names));

	for (const char *name = names; len > 0 && name < names + len; name += strlen(name) + 1)
		(void)fremovexattr(fd, name); /* security labels may stay */
}

static int copy_times(int dst_fd, const struct stat *st)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };

	return futimens(dst_fd, times) < 0 ? -errno : 0;
}

/* Order: a change of owner clears setuid and security.capability. */
static int copy_attributes_of(int src_fd, int dst_fd, const struct stat *st)
{
	if (fchown(dst_fd, st->st_uid, st->st_gid) < 0)
		return -errno;
	if (fchmod(dst_fd, st->st_mode & 07777) < 0)
		return -errno;
	int r = copy_xattrs(src_fd, dst_fd);
	return r < 0 ? r : copy_times(dst_fd, st);
}

int tree_copy_attributes(int src_fd, int dst_fd)
{
	struct stat st;

	if (fstat(src_fd, &st) < 0)
		return -errno;
	return copy_attributes_of(src_fd, dst_fd, &st);
}

/* Both have the same extended attributes; -errno counts as no. */
static bool same_xattrs(int a_fd, int b_fd)
{
	char a_names[4096], b_names[4096], a[4096], b[4096];
	ssize_t len = flistxattr(a_fd, a_names, sizeof(a_names));

	if (len < 0 || flistxattr(b_fd, b_names, sizeof(b_names)) != len ||
	    memcmp(a_names, b_names, (size_t)len) != 0)
		return len < 0 && errno == EOPNOTSUPP;
	for (const char *name = a_names; name < a_names + len; name += strlen(name) + 1) {
		ssize_t n = fgetxattr(a_fd, name, a, sizeof(a));
		if (n < 0 || fgetxattr(b_fd, name, b, sizeof(b)) != n ||
		    memcmp(a, b, (size_t)n) != 0)
			return false;
	}
	return true;
}

/* Link to the file of that name in the older copy when it is the same. Returns: whether it is. */
static bool link_same(int src_fd, const struct stat *st, const struct trio *dirs, const char *name)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	_cleanup_(fd_closep) int older_fd =
		dirs->older < 0 || st->st_nlink > 1 ? -EBADF : openat(dirs->older, name, flags);
	struct stat older;

	if (older_fd < 0 || fstat(older_fd, &older) < 0 || older.st_mode != st->st_mode ||
	    older.st_size != st->st_size || older.st_uid != st->st_uid ||
	    older.st_gid != st->st_gid ||
	    tree_copy_ns(&older.st_mtim) != tree_copy_ns(&st->st_mtim) ||
	    !same_xattrs(src_fd, older_fd))
		return false;
	return linkat(dirs->older, name, dirs->dst, name, 0) == 0;
}

/* A lease (fcntl(2)) of a program that uses the tree is waited for. Returns: descriptor or -errno. */
static int open_file(struct copy *copy, int dir_fd, const char *name)
{
	const struct timespec pause = { .tv_nsec = LEASE_POLL_MS * NS_PER_MS };

	for (;;) {
		int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 || errno != EWOULDBLOCK || copy->leases_ms >= LEASES_WAIT_MS)
			return fd < 0 ? -errno : fd;
		if (tree_copy_cancelled(copy))
			return -ECANCELED;
		copy->leases_ms += LEASE_POLL_MS;
		(void)nanosleep(&pause, NULL);
	}
}

int tree_copy_file(struct copy *copy, const struct trio *dirs, const char *name)
{
	struct stat st;
	_cleanup_(fd_closep) int src_fd = open_file(copy, dirs->src, name);

	if (src_fd < 0)
		return src_fd;
	if (fstat(src_fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ESTALE; /* changed under us */
	if (link_same(src_fd, &st, dirs, name))
		return 0;
	_cleanup_(fd_closep) int dst_fd =
		openat(dirs->dst, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (dst_fd < 0)
		return -errno;
	int r = copy_bytes(copy, src_fd, dst_fd, st.st_size);
	return r < 0 ? r : copy_attributes_of(src_fd, dst_fd, &st);
}

int tree_copy_special(int src_dir, int dst_dir, const char *name, const struct stat *st)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };
	char target[PATH_MAX];

	if (S_ISLNK(st->st_mode)) {
		ssize_t len = readlinkat(src_dir, name, target, sizeof(target) - 1);
		if (len < 0)
			return errno == EINVAL ? -ESTALE : -errno; /* it is no link any more */
		target[len] = '\0';
		if (symlinkat(target, dst_dir, name) < 0)
			return -errno;
	} else if (mknodat(dst_dir, name, st->st_mode, st->st_rdev) < 0) {
		return -errno;
	}
	if (fchownat(dst_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(st->st_mode) && fchmodat(dst_dir, name, st->st_mode & 07777, 0) < 0)
		return -errno;
	int r = copy_xattrs_at(src_dir, dst_dir, name);
	if (r < 0)
		return r;
	return utimensat(dst_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}
