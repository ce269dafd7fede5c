/*
 * os/tree_copy_priv.h - inside of os/tree_copy.h: one copy, and what it does with single files
 *
 *   tree_copy.c       which directory has what
 *   tree_copy_file.c  one file, link or node
 *   tree_copy_crew.c  files are handed to other processes
 */
#pragma once

#include <limits.h>
#include <sys/stat.h>

#include "base/time.h"
#include "os/crew.h"
#include "os/tree_copy.h"

enum {
	TREE_COPY_DEPTH_MAX = 1000,
	TREE_COPY_LINK_BUCKETS = 4096,
	TREE_COPY_BATCH_BYTES = 8192 /* names of files of one directory that are handed over */
};

struct link_entry;

struct copy {
	int dst_root_fd;
	dev_t dev; /* of the source: other mounts are not entered */
	struct link_entry *links[TREE_COPY_LINK_BUCKETS];
	char path[PATH_MAX]; /* of the entry at hand */
	bool no_clone;	     /* FICLONE was refused once */
	bool no_range;	     /* copy_file_range() was: the file systems differ */
	int leases_ms;	     /* how long leases were waited for */
	struct tree_copy_how how;

	size_t n_files; /* that were copied before there was a crew */
	struct crew crew;
	char batch[TREE_COPY_BATCH_BYTES]; /* the directory's path and names, each with its NUL */
	size_t batch_len;
	char failed[PATH_MAX]; /* what the crew could not copy */
};

/* One directory of each tree: @older is -EBADF where there is no older copy of it. */
struct trio {
	int src, dst, older;
};

static inline int64_t tree_copy_ns(const struct timespec *time)
{
	return (int64_t)time->tv_sec * NS_PER_S + time->tv_nsec;
}

bool tree_copy_cancelled(const struct copy *copy);

/* What a writer does to a tree while it is read; a later pass sees how it ended. */
bool tree_copy_is_race(const struct copy *copy, int r);

/* All xattrs that may be dropped: what the source has follows. */
void tree_copy_drop_xattrs(int fd);

/* One regular file that the destination has not. */
int tree_copy_file(struct copy *copy, const struct trio *dirs, const char *name);

/* Symbolic link, fifo or device: no descriptor, so by name in a directory that is only ours. */
int tree_copy_special(int src_dir, int dst_dir, const char *name, const struct stat *st);

/* tree_copy_file(), now or by the crew. @dirs: until tree_copy_flush() the same, and open. */
int tree_copy_hand(struct copy *copy, const struct trio *dirs, const char *name);
int tree_copy_flush(struct copy *copy, const struct trio *dirs);

/* @r: how the walk ended. After this all is done, and there is no crew. */
int tree_copy_end(struct copy *copy, int r, int src_fd, int dst_fd);
