/* storage/diff.c - see diff.h */
#include "storage/diff.h"

#include <assert.h>
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
#include "base/vec.h"
#include "os/fd.h"
#include "os/path.h"
#include "storage/pool.h"
#include "storage/volume.h"

enum {
	DEPTH_MAX = 500,
	NAMES_MAX = 1000000,
	FDS_PER_LEVEL = 6
};

/* One directory of one state: up to two layers; -EBADF where it has none. */
struct side {
	int upper_fd;
	int lower_fd;
};
#define NO_SIDE ((struct side){ -EBADF, -EBADF })

struct entry {
	bool there;
	bool in_upper;
	struct stat st;
};

struct diff {
	struct pool *pool;
	diff_fn *fn;
	void *data;
	struct err *err;
	int lower_root_fd[2]; /* of the old and the new state, for absolute redirects */
	char path[PATH_MAX];
};

struct names {
	VEC(char *) list;
};

static const char letters[] = {
	[DIFF_ADDED] = 'A',
	[DIFF_CHANGED] = 'C',
	[DIFF_REMOVED] = 'D',
};
static_assert(ARRAY_LEN(letters) == DIFF_KIND_MAX, "one letter per kind");

char diff_letter(enum diff_kind kind)
{
	return letters[kind];
}

static void side_done(struct side *side)
{
	side->upper_fd = fd_close(side->upper_fd);
	side->lower_fd = fd_close(side->lower_fd);
}

static void names_done(struct names *names)
{
	for (size_t i = 0; i < names->list.len; i++)
		free(names->list.items[i]);
	free(names->list.items);
}

static int add_names(struct names *names, int dir_fd)
{
	_cleanup_(fd_closep) int fd = -EBADF;
	_cleanup_(fd_closedirp) DIR *dir = NULL;
	struct dirent *entry;

	if (dir_fd < 0)
		return 0;
	fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return -errno;
	(void)TAKE_FD(fd); /* dir's now */
	while ((errno = 0, entry = readdir(dir))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		if (names->list.len >= NAMES_MAX)
			return -E2BIG;
		*vec_push(&names->list) = xstrdup(entry->d_name);
	}
	return -errno;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Both are one directory, or there is none on either side. */
static bool same_dir(int a_fd, int b_fd)
{
	struct stat a, b;

	if (a_fd < 0 || b_fd < 0)
		return a_fd < 0 && b_fd < 0;
	return fstat(a_fd, &a) == 0 && fstat(b_fd, &b) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

/* Names that may differ, sorted, perhaps twice. */
static int collect(const struct side *old, const struct side *new, struct names *names)
{
	int r = add_names(names, old->upper_fd);

	if (r == 0)
		r = add_names(names, new->upper_fd);
	if (r == 0 && !same_dir(old->lower_fd, new->lower_fd)) {
		r = add_names(names, old->lower_fd);
		if (r == 0)
			r = add_names(names, new->lower_fd);
	}
	if (names->list.len > 1)
		qsort(names->list.items, names->list.len, sizeof(char *), by_name);
	return r;
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

static int look_up(const struct side *side, const char *name, struct entry *ret_entry)
{
	struct entry entry = { 0 };

	if (side->upper_fd >= 0 &&
	    fstatat(side->upper_fd, name, &entry.st, AT_SYMLINK_NOFOLLOW) == 0) {
		entry.in_upper = true;
		entry.there = !is_whiteout(&entry.st);
	} else if (side->upper_fd >= 0 && errno != ENOENT) {
		return -errno;
	} else if (side->lower_fd >= 0) {
		entry.there = fstatat(side->lower_fd, name, &entry.st, AT_SYMLINK_NOFOLLOW) == 0;
		if (!entry.there && errno != ENOENT)
			return -errno;
	}
	*ret_entry = entry;
	return 0;
}

static int open_dir(int dir_fd, const char *name)
{
	return path_open_plain(dir_fd, name, O_RDONLY | O_DIRECTORY, 0);
}

/* What an upper directory lies over: its namesake, where it was moved from, or nothing. */
static int open_lower(const struct diff *diff, size_t which, const struct side *side,
		      const char *name, int upper_fd)
{
	char value[PATH_MAX];
	ssize_t len = fgetxattr(upper_fd, "trusted.overlay.opaque", value, sizeof(value));

	if (len == 1 && value[0] == 'y')
		return -EBADF;
	len = fgetxattr(upper_fd, "trusted.overlay.redirect", value, sizeof(value) - 1);
	if (len > 0) {
		value[len] = '\0';
		if (value[0] == '/')
			return diff->lower_root_fd[which] < 0
				       ? -EBADF
				       : open_dir(diff->lower_root_fd[which],
						  value + strspn(value, "/"));
		name = value;
	}
	return side->lower_fd < 0 ? -EBADF : open_dir(side->lower_fd, name);
}

/* The directory @name of @side. Returns: 0 or -errno. */
static int descend(const struct diff *diff, size_t which, const struct side *side, const char *name,
		   const struct entry *entry, struct side *ret_side)
{
	struct side child = NO_SIDE;

	if (!entry->in_upper) {
		child.lower_fd = open_dir(side->lower_fd, name);
		if (child.lower_fd < 0)
			return child.lower_fd;
	} else {
		child.upper_fd = open_dir(side->upper_fd, name);
		if (child.upper_fd < 0)
			return child.upper_fd;
		/* what is below may be a file, or gone: then it lies over nothing */
		child.lower_fd = open_lower(diff, which, side, name, child.upper_fd);
	}
	*ret_side = child;
	return 0;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool attributes_differ(const struct stat *a, const struct stat *b)
{
	return a->st_mode != b->st_mode || a->st_uid != b->st_uid || a->st_gid != b->st_gid;
}

static bool files_differ(const struct stat *a, const struct stat *b)
{
	return attributes_differ(a, b) || a->st_size != b->st_size || a->st_rdev != b->st_rdev ||
	       !same_time(&a->st_mtim, &b->st_mtim);
}

static int tell(struct diff *diff, enum diff_kind kind)
{
	return diff->fn(diff->data, kind, diff->path, diff->err);
}

static int diff_dirs(struct diff *diff, const struct side *old, const struct side *new, int depth);

/* @name is a directory in the new state; @old_entry: in the old one too, unless NULL. */
static int diff_below(struct diff *diff, const struct side *old, const struct side *new,
		      const char *name, const struct entry *old_entry,
		      const struct entry *new_entry, int depth)
{
	_cleanup_(side_done) struct side old_child = NO_SIDE;
	_cleanup_(side_done) struct side new_child = NO_SIDE;
	int r = descend(diff, 1, new, name, new_entry, &new_child);

	if (r == 0 && old_entry)
		r = descend(diff, 0, old, name, old_entry, &old_child);
	if (r < 0)
		return r;
	return depth < DEPTH_MAX ? diff_dirs(diff, &old_child, &new_child, depth + 1) : -ELOOP;
}

static int diff_entry(struct diff *diff, const struct side *old, const struct side *new,
		      const char *name, int depth)
{
	struct entry a, b;
	int r = look_up(old, name, &a);

	if (r == 0)
		r = look_up(new, name, &b);
	if (r < 0 || (!a.there && !b.there))
		return r;
	bool both_dirs = a.there && b.there && S_ISDIR(a.st.st_mode) && S_ISDIR(b.st.st_mode);

	if (!b.there)
		return tell(diff, DIFF_REMOVED);
	if (!a.there)
		r = tell(diff, DIFF_ADDED);
	else if (both_dirs ? attributes_differ(&a.st, &b.st) : files_differ(&a.st, &b.st))
		r = tell(diff, DIFF_CHANGED);
	if (r < 0 || !S_ISDIR(b.st.st_mode))
		return r;
	return diff_below(diff, old, new, name, both_dirs ? &a : NULL, &b, depth);
}

static int diff_dirs(struct diff *diff, const struct side *old, const struct side *new, int depth)
{
	_cleanup_(names_done) struct names names = { 0 };
	size_t path_len = strlen(diff->path);
	int r = 0;

	/* Two lower directories that are one, and nothing above them: the same. */
	if (old->upper_fd < 0 && new->upper_fd < 0 && same_dir(old->lower_fd, new->lower_fd))
		return 0;
	r = collect(old, new, &names);
	for (size_t i = 0; i < names.list.len && r == 0; i++) {
		const char *name = names.list.items[i];
		int n;

		if (i > 0 && streq(name, names.list.items[i - 1]))
			continue;
		if (pool_cancelled(diff->pool))
			return -ECANCELED;
		n = snprintf(diff->path + path_len, sizeof(diff->path) - path_len, "/%s", name);
		r = (size_t)n >= sizeof(diff->path) - path_len
			    ? -ENAMETOOLONG
			    : diff_entry(diff, old, new, name, depth);
		if (r == 0)
			diff->path[path_len] = '\0';
	}
	return r;
}

static int open_side(struct pool *pool, enum volume_kind kind, const char *name, const char *image,
		     struct side *ret_side, struct err *err)
{
	_cleanup_(side_done) struct side side = NO_SIDE;
	_cleanup_(fd_closep) int fd = -EBADF;
	int r = volume_check_name(kind, name, err);

	if (r < 0)
		return r;
	fd = volume_open(pool, kind, name);
	if (fd == -ENOENT)
		return err_kind(err, ERR_NOT_FOUND, "%s \"%s\" is not in pool \"%s\"",
				volume_kind_word(kind), name, pool->name);
	if (fd < 0)
		return err_set(err, fd, "open %s \"%s\"", volume_kind_word(kind), name);
	side.upper_fd = open_dir(fd, "upper");
	if (side.upper_fd == -ENOENT) {
		side.upper_fd = open_dir(fd, "rootfs");
	} else if (image) {
		side.lower_fd = volume_open_image_root(pool, image, err);
		if (side.lower_fd < 0)
			return side.lower_fd;
	}
	if (side.upper_fd < 0)
		return err_set(err, side.upper_fd, "open the content of %s \"%s\"",
			       volume_kind_word(kind), name);
	*ret_side = side;
	side = NO_SIDE;
	return 0;
}

static void raise_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = MIN(files.rlim_max, FDS_PER_LEVEL * DEPTH_MAX + 64);
	(void)setrlimit(RLIMIT_NOFILE, &files); /* EMFILE tells */
}

int volume_diff(struct pool *pool, const struct diff_request *request, diff_fn *fn, void *data,
		struct err *err)
{
	_cleanup_(side_done) struct side old = NO_SIDE;
	_cleanup_(side_done) struct side new = NO_SIDE;
	_cleanup_(freep) struct diff *diff = xcalloc(1, sizeof(*diff));
	struct err cause = { 0 };
	int r = open_side(pool, VOLUME_SNAPSHOT, request->old, request->old_image, &old, err);

	if (r == 0)
		r = open_side(pool, request->new_kind, request->new, request->new_image, &new, err);
	if (r < 0)
		return r;
	raise_limit();
	*diff = (struct diff){ .pool = pool,
			       .fn = fn,
			       .data = data,
			       .err = &cause,
			       .lower_root_fd = { old.lower_fd, new.lower_fd } };
	r = diff_dirs(diff, &old, &new, 0);
	if (r == -ECANCELED)
		return err_kind(err, ERR_CANCELLED, "cancelled");
	if (r < 0 && cause.code < 0 && err)
		*err = cause;
	else if (r < 0)
		return err_set(err, r, "compare \"%s\"", diff->path);
	return r;
}
