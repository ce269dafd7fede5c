/* os/tree_copy.c - see tree_copy.h */
#include "os/tree_copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "os/fd.h"

enum {
	DEPTH_MAX = 1000,
	CHUNK_BYTES = 16 << 20,
	WRITE_OUT_BYTES = 256 << 10,
	BUFFER_BYTES = 64 << 10,
	XATTR_NAMES_MAX = 64 * 1024,
	XATTR_VALUE_MAX = 64 * 1024,
	LINK_BUCKETS = 4096,
	LEASE_POLL_MS = 10,
	LEASES_WAIT_MS =
		90 * 1000 /* for all; the kernel breaks each after 45 s (lease-break-time) */
};

/* On a directory of an unfinished copy: the inode that it was made from. Nobody inside can set it. */
static const char ORIGIN_XATTR[] = "trusted.sysctr.origin";

/* A file with several names, by inode; its first name's path below the destination. */
struct link_entry {
	struct link_entry *next;
	ino_t ino;
	dev_t dev;
	char *path;
};

struct copy {
	int dst_root_fd;
	dev_t dev; /* of the source: other mounts are not entered */
	struct link_entry *links[LINK_BUCKETS];
	char path[PATH_MAX]; /* of the entry at hand */
	bool no_clone;	     /* FICLONE was refused once */
	bool no_range;	     /* copy_file_range() was: the file systems differ */
	int leases_ms;	     /* how long leases were waited for */
	struct tree_copy_how how;
};

/* One directory of each tree: @older is -EBADF where there is no older copy of it. */
struct trio {
	int src, dst, older;
};

static bool cancelled(struct copy *copy)
{
	return copy->how.cancel && copy->how.cancel(copy->how.data);
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
		if (cancelled(copy))
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

/* All that may be dropped: what the source has follows. */
static void drop_xattrs(int fd)
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

static int64_t to_ns(const struct timespec *time)
{
	return (int64_t)time->tv_sec * NS_PER_S + time->tv_nsec;
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
	    older.st_gid != st->st_gid || to_ns(&older.st_mtim) != to_ns(&st->st_mtim) ||
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
		if (cancelled(copy))
			return -ECANCELED;
		copy->leases_ms += LEASE_POLL_MS;
		(void)nanosleep(&pause, NULL);
	}
}

static int copy_file(struct copy *copy, const struct trio *dirs, const char *name)
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

/* Symbolic link, fifo or device: no descriptor, so by name in a directory that is only ours. */
static int copy_special(int src_dir, int dst_dir, const char *name, const struct stat *st)
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

/* What is under that name in the destination goes. */
static int make_room(const struct copy *copy, int dst_dir, const char *name)
{
	return copy->how.update ? tree_remove(dst_dir, name, NULL, NULL) : 0;
}

/*
 * Whether the copy that an earlier pass made is still good. The change time decides, which nobody
 * inside can set; the rest is for clocks that were set back.
 */
static bool is_current(const struct copy *copy, int dst_dir, const char *name,
		       const struct stat *src)
{
	struct stat dst;

	if (!copy->how.update || fstatat(dst_dir, name, &dst, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return to_ns(&src->st_ctim) < copy->how.since_wall_ns && src->st_mode == dst.st_mode &&
	       src->st_size == dst.st_size && src->st_uid == dst.st_uid &&
	       src->st_gid == dst.st_gid && src->st_rdev == dst.st_rdev &&
	       to_ns(&src->st_mtim) == to_ns(&dst.st_mtim);
}

/* Whether @name in the destination is another name of @path there. */
static bool is_link_of(const struct copy *copy, const char *path, int dst_dir, const char *name)
{
	struct stat a, b;

	return fstatat(copy->dst_root_fd, path, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(dst_dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino;
}

/*
 * Link to the first copy of a file with several names.
 * Returns: 1 linked, 0 this is the first name (now remembered), -errno.
 */
static int link_known(struct copy *copy, int dst_dir, const char *name, const struct stat *st)
{
	struct link_entry **bucket = &copy->links[st->st_ino % LINK_BUCKETS];

	for (struct link_entry *entry = *bucket; entry; entry = entry->next) {
		if (entry->ino != st->st_ino || entry->dev != st->st_dev)
			continue;
		if (copy->how.update && is_link_of(copy, entry->path, dst_dir, name))
			return 1;
		int r = make_room(copy, dst_dir, name);
		if (r < 0)
			return r;
		if (linkat(copy->dst_root_fd, entry->path, dst_dir, name, 0) == 0)
			return 1;
		if (errno != ENOENT || !copy->how.live)
			return -errno;
		replace_str(&entry->path, copy->path); /* the first name vanished: this is it */
		return 0;
	}
	struct link_entry *entry = xcalloc(1, sizeof(*entry));
	*entry = (struct link_entry){ *bucket, st->st_ino, st->st_dev, xstrdup(copy->path) };
	*bucket = entry;
	return 0;
}

/*
 * Whether the earlier pass made @dst_fd from another directory, which was renamed since: that leaves
 * the change times of what is in it. Takes the mark away.
 */
static bool is_of_other(int src_fd, int dst_fd)
{
	uint64_t origin;
	struct stat st;
	bool marked = fgetxattr(dst_fd, ORIGIN_XATTR, &origin, sizeof(origin)) == sizeof(origin);

	if (marked)
		(void)fremovexattr(dst_fd, ORIGIN_XATTR);
	return marked && (fstat(src_fd, &st) < 0 || origin != st.st_ino);
}

/* For is_of_other(). Where there are no such attributes the change times have to do. */
static void mark_origin(int src_fd, int dst_fd)
{
	struct stat st;

	if (fstat(src_fd, &st) == 0) {
		uint64_t origin = st.st_ino;
		(void)fsetxattr(dst_fd, ORIGIN_XATTR, &origin, sizeof(origin), 0);
	}
}

static int copy_dir(struct copy *copy, const struct trio *dirs, int depth);

static int copy_subdir(struct copy *copy, const struct trio *dirs, const char *name, int depth)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	_cleanup_(fd_closep) int src_fd = openat(dirs->src, name, flags);
	_cleanup_(fd_closep) int older_fd = -EBADF;
	_cleanup_(fd_closep) int dst_fd = -EBADF;

	if (src_fd < 0)
		return -errno;
	if (dirs->older >= 0)
		older_fd = openat(dirs->older, name, flags);
	if (copy->how.update)
		dst_fd = openat(dirs->dst, name, flags);
	if (dst_fd >= 0 && !is_of_other(src_fd, dst_fd)) {
		drop_xattrs(dst_fd);
	} else {
		int r = make_room(copy, dirs->dst, name);
		if (r < 0)
			return r;
		if (mkdirat(dirs->dst, name, 0700) < 0)
			return -errno;
		(void)fd_close(dst_fd);
		dst_fd = openat(dirs->dst, name, flags);
		if (dst_fd < 0)
			return -errno;
	}
	int r = copy_dir(copy, &(struct trio){ src_fd, dst_fd, older_fd }, depth + 1);
	if (r == 0 && copy->how.marks)
		mark_origin(src_fd, dst_fd);
	return r;
}

static int copy_node(struct copy *copy, const struct trio *dirs, const char *name,
		     const struct stat *st)
{
	int r = st->st_nlink > 1 ? link_known(copy, dirs->dst, name, st) : 0;

	if (r != 0)
		return MIN(r, 0);
	if (is_current(copy, dirs->dst, name, st))
		return 0;
	r = make_room(copy, dirs->dst, name);
	if (r < 0)
		return r;
	return S_ISREG(st->st_mode) ? copy_file(copy, dirs, name)
				    : copy_special(dirs->src, dirs->dst, name, st);
}

/* What a writer does to a tree while it is read; a later pass sees how it ended. */
static bool is_race(const struct copy *copy, int r)
{
	return copy->how.live &&
	       (r == -ENOENT || r == -ESTALE || r == -ENOTDIR || r == -ELOOP || r == -ENXIO);
}

static int copy_entry(struct copy *copy, const struct trio *dirs, const char *name, int depth)
{
	struct stat st;
	int r;

	if (cancelled(copy))
		return -ECANCELED;
	if (fstatat(dirs->src, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return is_race(copy, -errno) ? 0 : -errno;
	if (st.st_dev != copy->dev || S_ISSOCK(st.st_mode))
		return make_room(copy, dirs->dst, name);
	if (S_ISDIR(st.st_mode) && depth >= DEPTH_MAX)
		return -ELOOP;
	if (S_ISDIR(st.st_mode))
		r = copy_subdir(copy, dirs, name, depth);
	else
		r = copy_node(copy, dirs, name, &st);
	return is_race(copy, r) ? 0 : r;
}

/* What the destination has and the source has not, from an earlier pass. */
static int remove_extra(int src_fd, int dst_fd)
{
	_cleanup_(fd_closep) int own_fd =
		openat(dst_fd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_(fd_closedirp) DIR *dir = own_fd < 0 ? NULL : fdopendir(own_fd);
	struct dirent *entry;
	struct stat st;

	if (!dir)
		return -errno;
	(void)TAKE_FD(own_fd); /* dir's now */
	while ((errno = 0, entry = readdir(dir))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, "..") ||
		    fstatat(src_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		int r = errno == ENOENT ? tree_remove(dst_fd, entry->d_name, NULL, NULL) : -errno;
		if (r < 0)
			return r;
	}
	return -errno;
}

/* Content, then attributes: filling a directory changes its times. */
static int copy_dir(struct copy *copy, const struct trio *dirs, int depth)
{
	size_t path_len = strlen(copy->path);
	_cleanup_(fd_closep) int own_fd = fd_copy(dirs->src, 3);
	_cleanup_(fd_closedirp) DIR *dir = own_fd < 0 ? NULL : fdopendir(own_fd);
	struct dirent *entry;

	if (!dir)
		return -errno;
	(void)TAKE_FD(own_fd); /* dir's now; the position is shared with who read it before */
	rewinddir(dir);
	while ((errno = 0, entry = readdir(dir))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		size_t room = sizeof(copy->path) - path_len;
		int n = snprintf(copy->path + path_len, room, "%s%s", path_len > 0 ? "/" : "",
				 entry->d_name);
		if ((size_t)n >= room)
			return -ENAMETOOLONG;
		int r = copy_entry(copy, dirs, entry->d_name, depth);
		if (r < 0)
			return r;
		copy->path[path_len] = '\0';
	}
	if (errno != 0)
		return -errno;
	int r = copy->how.update ? remove_extra(dirs->src, dirs->dst) : 0;
	return r < 0 ? r : tree_copy_attributes(dirs->src, dirs->dst);
}

static void free_links(struct copy *copy)
{
	for (size_t i = 0; i < LINK_BUCKETS; i++) {
		while (copy->links[i]) {
			struct link_entry *entry = copy->links[i];
			copy->links[i] = entry->next;
			free(entry->path);
			free(entry);
		}
	}
}

int tree_copy(int src_fd, int dst_fd, tree_cancel_fn *cancel, void *data, char *ret_failed)
{
	const struct tree_copy_how how = { .cancel = cancel, .data = data };

	return tree_copy_with(src_fd, dst_fd, &how, ret_failed);
}

int tree_copy_with(int src_fd, int dst_fd, const struct tree_copy_how *how, char *ret_failed)
{
	_cleanup_(freep) struct copy *copy = xcalloc(1, sizeof(*copy));
	struct rlimit files;
	struct stat st;

	if (fstat(src_fd, &st) < 0)
		return -errno;
	copy->dst_root_fd = dst_fd;
	copy->dev = st.st_dev;
	copy->how = *how;
	/* four descriptors per level */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < 4 * DEPTH_MAX + 64) {
		files.rlim_cur = MIN(files.rlim_max, 4 * DEPTH_MAX + 64);
		(void)setrlimit(RLIMIT_NOFILE, &files); /* EMFILE tells */
	}
	int older_fd = how->older_fd > 0 ? how->older_fd : -EBADF;
	int r = copy_dir(copy, &(struct trio){ src_fd, dst_fd, older_fd }, 0);
	if (ret_failed)
		(void)snprintf(ret_failed, PATH_MAX, "%s", r < 0 ? copy->path : "");
	free_links(copy);
	return r;
}
