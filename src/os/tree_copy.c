/* os/tree_copy.c - see tree_copy.h */
#include "os/tree_copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"
#include "os/tree_copy_priv.h"

/* On a directory of an unfinished copy: the inode that it was made from. Nobody inside can set it. */
static const char ORIGIN_XATTR[] = "trusted.sysctr.origin";

/* A file with several names, by inode; its first name's path below the destination. */
struct link_entry {
	struct link_entry *next;
	ino_t ino;
	dev_t dev;
	char *path;
};

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
	return tree_copy_ns(&src->st_ctim) < copy->how.since_wall_ns &&
	       src->st_mode == dst.st_mode && src->st_size == dst.st_size &&
	       src->st_uid == dst.st_uid && src->st_gid == dst.st_gid &&
	       src->st_rdev == dst.st_rdev &&
	       tree_copy_ns(&src->st_mtim) == tree_copy_ns(&dst.st_mtim);
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
	struct link_entry **bucket = &copy->links[st->st_ino % TREE_COPY_LINK_BUCKETS];

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
		tree_copy_drop_xattrs(dst_fd);
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
	const struct trio sub = { src_fd, dst_fd, older_fd };
	int r = tree_copy_flush(copy, dirs);
	if (r < 0)
		return r;
	r = copy_dir(copy, &sub, depth + 1);
	int rest = tree_copy_flush(copy, &sub); /* of one that vanished meanwhile */
	if (r == 0)
		r = rest;
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
	if (S_ISREG(st->st_mode) && st->st_nlink == 1)
		return tree_copy_hand(copy, dirs, name);
	return S_ISREG(st->st_mode) ? tree_copy_file(copy, dirs, name)
				    : tree_copy_special(dirs->src, dirs->dst, name, st);
}

static int copy_entry(struct copy *copy, const struct trio *dirs, const char *name, int depth)
{
	struct stat st;
	int r;

	if (tree_copy_cancelled(copy))
		return -ECANCELED;
	if (fstatat(dirs->src, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_copy_is_race(copy, -errno) ? 0 : -errno;
	if (st.st_dev != copy->dev || S_ISSOCK(st.st_mode))
		return make_room(copy, dirs->dst, name);
	if (S_ISDIR(st.st_mode) && depth >= TREE_COPY_DEPTH_MAX)
		return -ELOOP;
	if (S_ISDIR(st.st_mode))
		r = copy_subdir(copy, dirs, name, depth);
	else
		r = copy_node(copy, dirs, name, &st);
	return tree_copy_is_race(copy, r) ? 0 : r;
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
	int r = tree_copy_flush(copy, dirs);
	if (r == 0 && copy->how.update)
		r = remove_extra(dirs->src, dirs->dst);
	return r < 0 ? r : tree_copy_attributes(dirs->src, dirs->dst);
}

static void free_links(struct copy *copy)
{
	for (size_t i = 0; i < TREE_COPY_LINK_BUCKETS; i++) {
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
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
	    files.rlim_cur < 4 * TREE_COPY_DEPTH_MAX + 64) {
		files.rlim_cur = MIN(files.rlim_max, 4 * TREE_COPY_DEPTH_MAX + 64);
		(void)setrlimit(RLIMIT_NOFILE, &files); /* EMFILE tells */
	}
	int older_fd = how->older_fd > 0 ? how->older_fd : -EBADF;
	int r = copy_dir(copy, &(struct trio){ src_fd, dst_fd, older_fd }, 0);
	r = tree_copy_end(copy, r, src_fd, dst_fd);
	if (r == -ECANCELED) /* who is asked may keep in mind why, here and not in the crew */
		(void)tree_copy_cancelled(copy);
	if (ret_failed)
		(void)snprintf(ret_failed, PATH_MAX, "%s",
			       r == 0	       ? ""
			       : *copy->failed ? copy->failed
					       : copy->path);
	free_links(copy);
	return r;
}
