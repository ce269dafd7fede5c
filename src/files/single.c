/*
 * files/single.c - one file at a time: what /1.0/instances/{name}/files asks for
 *
 * Layer: files. Process: sysctr-exec.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "files/place.h"
#include "files/serve.h"
#include "os/fd.h"
#include "os/sock.h"

enum {
	COPY_BYTES = 256 * 1024,
	FILE_MODE = 0644,
	DIR_MODE = 0750 /* what clients of this API expect of a directory without a mode */
};

static enum files_type type_of(mode_t mode)
{
	if (S_ISREG(mode))
		return FILES_TYPE_FILE;
	if (S_ISDIR(mode))
		return FILES_TYPE_DIRECTORY;
	return S_ISLNK(mode) ? FILES_TYPE_SYMLINK : FILES_TYPE_OTHER;
}

static int send_stat(const struct files_server *server, const struct stat *st, char *target)
{
	struct files_reply reply = {
		.type = type_of(st->st_mode),
		.uid = st->st_uid,
		.gid = st->st_gid,
		.mode = st->st_mode & 07777,
		.size = (uint64_t)st->st_size,
		.mtime_ns =
			(uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec,
		.target = target,
	};

	return files_send_reply(server, &reply);
}

static int find(struct files_server *server, struct stat *ret_stat, char target[PATH_MAX],
		struct err *err)
{
	const char *path = server->request->path;
	int r = place_lstat(server->root_fd, path, ret_stat);

	if (r == 0 && S_ISLNK(ret_stat->st_mode))
		r = place_read_link(server->root_fd, path, target);
	return r < 0 ? place_err(err, r, path) : 0;
}

int files_stat(struct files_server *server, struct err *err)
{
	char target[PATH_MAX] = "";
	struct stat st;
	int r = find(server, &st, target, err);

	return r < 0 ? r : send_stat(server, &st, *target ? target : NULL);
}

/* Exactly as many bytes as were promised; a file of size 0 (as in /proc) until its end. */
static int send_data(struct files_server *server, int fd, uint64_t size, struct err *err)
{
	_cleanup_(freep) char *bytes = xmalloc(COPY_BYTES);
	uint64_t left = size ? size : UINT64_MAX;

	while (left > 0) {
		ssize_t n = read(fd, bytes, (size_t)MIN(left, COPY_BYTES));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, -errno, "read \"%.256s\"", server->request->path);
		if (n == 0 && size)
			return err_set(err, -EIO, "\"%.256s\" became shorter",
				       server->request->path);
		if (n == 0)
			return 0;
		r = fd_write_all(server->out_fd, bytes, (size_t)n);
		if (r < 0)
			return err_set(err, r, "send \"%.256s\"", server->request->path);
		left -= (uint64_t)n;
	}
	return 0;
}

static int get_file(struct files_server *server, struct err *err)
{
	const char *path = server->request->path;
	struct stat st;
	_cleanup_(fd_closep) int fd =
		place_open_regular(server->root_fd, path, O_RDONLY | O_NOFOLLOW, 0, &st);
	int r;

	if (fd < 0)
		return place_err(err, fd, path);
	r = send_stat(server, &st, NULL);
	return r < 0 ? r : send_data(server, fd, (uint64_t)st.st_size, err);
}

static int add_names(DIR *dir, struct buf *names)
{
	for (;;) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return -errno;
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		if (names->len > FILES_NAMES_MAX)
			return -EFBIG;
		buf_add(names, entry->d_name, strlen(entry->d_name) + 1);
	}
}

static int get_directory(struct files_server *server, const struct stat *st, struct err *err)
{
	const char *path = server->request->path;
	int fd = place_open(server->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct buf names = { 0 };
	int r;

	if (!dir)
		return place_err(err, fd < 0 ? fd : -errno, path);
	r = add_names(dir, &names);
	(void)closedir(dir);
	if (r < 0)
		(void)err_set(err, r, "list \"%.256s\"", path);
	if (r == 0)
		r = send_stat(server, st, NULL);
	if (r == 0)
		r = fd_write_all(server->out_fd, names.data, names.len);
	buf_done(&names);
	return r;
}

int files_get(struct files_server *server, struct err *err)
{
	char target[PATH_MAX] = "";
	struct stat st;
	int r = find(server, &st, target, err);

	if (r < 0)
		return r;
	if (S_ISREG(st.st_mode))
		return get_file(server, err);
	if (S_ISDIR(st.st_mode))
		return get_directory(server, &st, err);
	if (S_ISLNK(st.st_mode))
		return send_stat(server, &st, target);
	return err_kind(err, ERR_INVALID, "\"%.256s\" %s: it cannot be copied",
			server->request->path, place_kind(st.st_mode));
}

/* ---- writing ---- */

static uid_t wanted(uint32_t id)
{
	return id == FILES_NO_ID ? 0 : id;
}

/* Returns: descriptor; *@ret_created says whether it is new. A link is followed inside. */
static int open_for_put(struct files_server *server, bool *ret_created)
{
	const struct files_request *request = server->request;
	struct stat st;
	int fd = place_open_regular(server->root_fd, request->path, O_WRONLY, 0, &st);

	*ret_created = false;
	if (fd != -ENOENT || request->append)
		return fd;
	/* not O_EXCL: a link to what is not there yet makes that */
	*ret_created = true;
	return place_open_regular(server->root_fd, request->path, O_WRONLY | O_CREAT, 0600, &st);
}

static int prepare_put(const struct files_request *request, int fd, bool created)
{
	uint32_t mode = request->mode == FILES_NO_MODE ? FILE_MODE : request->mode;

	if (request->append)
		return lseek(fd, 0, SEEK_END) < 0 ? -errno : 0;
	if (!created)
		return ftruncate(fd, 0) < 0 ? -errno : 0;
	if (fchown(fd, wanted(request->uid), wanted(request->gid)) < 0 ||
	    fchmod(fd, mode & 07777) < 0)
		return -errno;
	return 0;
}

static int take_data(struct files_server *server, int fd)
{
	_cleanup_(freep) char *bytes = xmalloc(COPY_BYTES);

	for (;;) {
		ssize_t n = read(server->in_fd, bytes, COPY_BYTES);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		r = fd_write_all(fd, bytes, (size_t)n);
		if (r < 0)
			return r;
	}
}

/* Whether all of it came: an upload that broke off ends like one that is complete. */
static int await_whole(const struct files_server *server)
{
	char byte;
	ssize_t n = sock_recv(server->status_fd, &byte, 1, NULL, 0, NULL);

	return n == 1 ? 0 : -ECONNABORTED;
}

/* What was made and is not whole goes again. */
static void drop_created(const struct files_server *server)
{
	char name[NAME_MAX + 1];
	_cleanup_(fd_closep) int parent_fd =
		place_parent(server->root_fd, server->request->path, name);

	if (parent_fd >= 0)
		(void)unlinkat(parent_fd, name, 0);
}

int files_put(struct files_server *server, struct err *err)
{
	const struct files_request *request = server->request;
	bool created;
	_cleanup_(fd_closep) int fd = open_for_put(server, &created);
	int r;

	if (fd < 0)
		return place_err(err, fd, request->path);
	r = prepare_put(request, fd, created);
	if (r == 0)
		r = take_data(server, fd);
	if (r == 0)
		r = await_whole(server);
	if (r < 0 && created)
		drop_created(server);
	return r < 0 ? err_set(err, r, "write \"%.256s\"", request->path) : 0;
}

int files_mkdir(struct files_server *server, struct err *err)
{
	const struct files_request *request = server->request;
	uint32_t mode = request->mode == FILES_NO_MODE ? DIR_MODE : request->mode;
	_cleanup_(fd_closep) int there_fd =
		place_open(server->root_fd, request->path, O_PATH | O_DIRECTORY, 0);
	_cleanup_(fd_closep) int parent_fd = -EBADF, fd = -EBADF;
	char name[NAME_MAX + 1];

	if (there_fd >= 0)
		return 0;
	parent_fd = place_parent(server->root_fd, request->path, name);
	if (parent_fd < 0)
		return place_err(err, parent_fd, request->path);
	if (mkdirat(parent_fd, name, mode & 07777) < 0)
		return place_err(err, -errno, request->path);
	fd = place_open(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return place_err(err, fd, request->path);
	if (fchown(fd, wanted(request->uid), wanted(request->gid)) < 0 ||
	    fchmod(fd, mode & 07777) < 0)
		return err_set(err, -errno, "set owner and mode of \"%.256s\"", request->path);
	return 0;
}

int files_symlink(struct files_server *server, struct err *err)
{
	const struct files_request *request = server->request;
	char name[NAME_MAX + 1], there[PATH_MAX];
	_cleanup_(fd_closep) int parent_fd = place_parent(server->root_fd, request->path, name);

	if (parent_fd < 0)
		return place_err(err, parent_fd, request->path);
	if (str_empty(request->target))
		return err_kind(err, ERR_INVALID, "\"%.256s\": a link without a target",
				request->path);
	if (symlinkat(request->target, parent_fd, name) < 0) {
		int r = -errno;

		if (r == -EEXIST && place_read_link(parent_fd, name, there) == 0 &&
		    streq(there, request->target))
			return 0;
		return place_err(err, r, request->path);
	}
	if (fchownat(parent_fd, name, wanted(request->uid), wanted(request->gid),
		     AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, -errno, "set the owner of \"%.256s\"", request->path);
	return 0;
}

int files_remove(struct files_server *server, struct err *err)
{
	const char *path = server->request->path;
	char name[NAME_MAX + 1];
	_cleanup_(fd_closep) int parent_fd = place_parent(server->root_fd, path, name);

	if (parent_fd < 0)
		return place_err(err, parent_fd, path);
	if (unlinkat(parent_fd, name, 0) == 0)
		return 0;
	if (errno == EISDIR && unlinkat(parent_fd, name, AT_REMOVEDIR) == 0)
		return 0;
	return place_err(err, -errno, path);
}
