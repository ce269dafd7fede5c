/*
 * os/tree_copy_crew.c - see tree_copy_priv.h
 *
 * Where blocks are not shared, copying is the kernel's work, file by file: several processes are asked
 * for it. What stays with the one that walks is all whose order matters: directories, files with several
 * names, and the attributes of directories, which come last because files in them change their times.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "os/fd.h"
#include "os/tree_copy_priv.h"

enum {
	ALONE_FILES = 256, /* that one process copies before it is worth while */
	PATIENCE_MS = 100  /* between two questions whether it is cancelled */
};

/* In a process of the crew: the files of a batch. */
static int copy_batch(void *data, const char *bytes, size_t len, const int *fds, size_t n_fds,
		      char *ret_what)
{
	struct copy *copy = data;
	const char *dir = bytes, *end = bytes + len;
	const struct trio dirs = { fds[0], fds[1], n_fds > 2 ? fds[2] : -EBADF };

	for (const char *name = dir + strlen(dir) + 1; name < end; name += strlen(name) + 1) {
		int r = tree_copy_cancelled(copy) ? -ECANCELED : tree_copy_file(copy, &dirs, name);

		if (r < 0 && !tree_copy_is_race(copy, r)) {
			(void)snprintf(ret_what, PATH_MAX, "%s%s%s", dir, *dir ? "/" : "", name);
			return r;
		}
	}
	return 0;
}

/* Whether there is a crew, which comes once it is known that there is work for it. */
static bool has_crew(struct copy *copy)
{
	if (copy->crew.n > 0)
		return true;
	/* an update is mostly looking, and nobody starts anything while a container is frozen */
	if (copy->how.update || !copy->no_clone || ++copy->n_files != ALONE_FILES ||
	    crew_size() < 2)
		return false;
	return crew_start(&copy->crew, crew_size(), copy_batch, copy) == 0;
}

int tree_copy_flush(struct copy *copy, const struct trio *dirs)
{
	const int fds[CREW_FDS_MAX] = { dirs->src, dirs->dst, dirs->older };
	int r = copy->batch_len > 0 ? -EAGAIN : 0;

	while (r == -EAGAIN) {
		r = crew_hand(&copy->crew, copy->batch, copy->batch_len, fds,
			      dirs->older < 0 ? 2 : 3, PATIENCE_MS, copy->failed);
		if (r == -EAGAIN && tree_copy_cancelled(copy))
			r = -ECANCELED;
	}
	copy->batch_len = 0;
	return r;
}

static void add(struct copy *copy, const char *text, size_t len)
{
	memcpy(copy->batch + copy->batch_len, text, len);
	copy->batch[copy->batch_len + len] = '\0';
	copy->batch_len += len + 1;
}

int tree_copy_hand(struct copy *copy, const struct trio *dirs, const char *name)
{
	size_t name_len = strlen(name), path_len = strlen(copy->path);
	int r = 0;

	if (!has_crew(copy))
		return tree_copy_file(copy, dirs, name);
	if (copy->batch_len + name_len + 1 > sizeof(copy->batch))
		r = tree_copy_flush(copy, dirs);
	if (r == 0 && copy->batch_len == 0)
		add(copy, copy->path, path_len > name_len ? path_len - name_len - 1 : 0);
	if (r == 0)
		add(copy, name, name_len);
	return r;
}

/* The attributes of all directories, those within first. */
static int finish_dirs(struct copy *copy, int src_fd, int dst_fd)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	_cleanup_(fd_closep) int own_fd = openat(dst_fd, ".", flags);
	_cleanup_(fd_closedirp) DIR *dir = own_fd < 0 ? NULL : fdopendir(own_fd);
	struct dirent *entry;

	if (!dir)
		return -errno;
	(void)TAKE_FD(own_fd); /* dir's now */
	while ((errno = 0, entry = readdir(dir))) {
		bool other = entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN;
		if (other || streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		_cleanup_(fd_closep) int sub_dst_fd = openat(dst_fd, entry->d_name, flags);
		if (sub_dst_fd < 0 && errno == ENOTDIR)
			continue;
		int r = sub_dst_fd < 0 ? -errno : 0;
		_cleanup_(fd_closep) int sub_src_fd = openat(src_fd, entry->d_name, flags);
		if (r == 0)
			r = sub_src_fd < 0 ? -errno : finish_dirs(copy, sub_src_fd, sub_dst_fd);
		if (r < 0 && !tree_copy_is_race(copy, r))
			return r;
	}
	return errno != 0 ? -errno : tree_copy_attributes(src_fd, dst_fd);
}

int tree_copy_end(struct copy *copy, int r, int src_fd, int dst_fd)
{
	if (copy->crew.n == 0)
		return r;
	if (r < 0) {
		crew_abort(&copy->crew);
		return r;
	}
	do
		r = tree_copy_cancelled(copy) ? -ECANCELED
					      : crew_finish(&copy->crew, PATIENCE_MS, copy->failed);
	while (r == -EAGAIN);
	crew_abort(&copy->crew);
	return r < 0 ? r : finish_dirs(copy, src_fd, dst_fd);
}
