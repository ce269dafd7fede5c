/*
 * files/sftp_paths.c - requests of SFTP that name paths
 *
 * Layer: files. Process: sysctr-exec.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "files/place.h"
#include "files/sftp_priv.h"
#include "os/fd.h"

enum {
	OPEN_READ = 1 << 0, /* pflags of SSH_FXP_OPEN */
	OPEN_WRITE = 1 << 1,
	OPEN_APPEND = 1 << 2,
	OPEN_CREATE = 1 << 3,
	OPEN_TRUNCATE = 1 << 4,
	OPEN_EXCLUSIVE = 1 << 5
};

#define NEW_FILE_MODE 0644
#define NEW_DIR_MODE  0755

int sftp_apply(int fd, int data_fd, const struct sftp_attrs *attrs)
{
	if (attrs->flags & SFTP_ATTR_SIZE) {
		if (data_fd < 0)
			return -EINVAL;
		if (ftruncate(data_fd, (off_t)attrs->size) < 0)
			return -errno;
	}
	if ((attrs->flags & SFTP_ATTR_OWNER) &&
	    fchownat(fd, "", attrs->uid, attrs->gid, AT_EMPTY_PATH) < 0)
		return -errno;
	if (attrs->flags & SFTP_ATTR_MODE) {
		if (data_fd < 0)
			return -EOPNOTSUPP;
		if (fchmod(data_fd, attrs->mode) < 0)
			return -errno;
	}
	if (attrs->flags & SFTP_ATTR_TIMES) {
		struct timespec times[2] = { { .tv_sec = attrs->atime },
					     { .tv_sec = attrs->mtime } };

		if (utimensat(fd, "", times, AT_EMPTY_PATH) < 0)
			return -errno;
	}
	return 0;
}

/* An open descriptor of a file or directory; -EBADF of what is neither (a device, a FIFO). */
static int open_data(struct sftp *sftp, const char *path, bool write)
{
	_cleanup_(fd_closep) int fd =
		place_open(sftp->root_fd, path, write ? O_WRONLY : O_RDONLY, 0);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -EBADF;
	return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? TAKE_FD(fd) : -EBADF;
}

static int set_stat(struct sftp *sftp, const char *path, const struct sftp_attrs *attrs)
{
	_cleanup_(fd_closep) int fd = place_open(sftp->root_fd, path, O_PATH, 0);
	_cleanup_(fd_closep) int data_fd = -EBADF;

	if (fd < 0)
		return fd;
	if (attrs->flags & (SFTP_ATTR_SIZE | SFTP_ATTR_MODE))
		data_fd = open_data(sftp, path, attrs->flags & SFTP_ATTR_SIZE);
	return sftp_apply(fd, data_fd, attrs);
}

void sftp_on_setstat(struct sftp *sftp, struct sftp_in *in)
{
	struct sftp_attrs attrs;
	char path[SFTP_PATH_MAX];

	sftp_get_path(in, path);
	sftp_get_attrs(in, &attrs);
	sftp_status(sftp, in->bad ? -EBADMSG : set_stat(sftp, path, &attrs));
}

static int open_flags(uint32_t pflags)
{
	int flags = pflags & OPEN_WRITE ? (pflags & OPEN_READ ? O_RDWR : O_WRONLY) : O_RDONLY;

	if (pflags & OPEN_APPEND)
		flags |= O_APPEND;
	if ((pflags & OPEN_CREATE) && (pflags & OPEN_WRITE))
		flags |= O_CREAT | (pflags & OPEN_EXCLUSIVE ? O_EXCL : 0);
	return flags;
}

/* Returns: descriptor of a regular file, or of a directory when it is only read. */
static int open_file(struct sftp *sftp, const char *path, uint32_t pflags, mode_t mode)
{
	int flags = open_flags(pflags);
	/* openat2() refuses a mode of what is not made */
	_cleanup_(fd_closep) int fd =
		place_open(sftp->root_fd, path, flags, flags & O_CREAT ? mode : 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return -EINVAL;
	/* only now: a device is not to be truncated */
	if ((pflags & OPEN_TRUNCATE) && (pflags & OPEN_WRITE) && ftruncate(fd, 0) < 0)
		return -errno;
	return TAKE_FD(fd);
}

void sftp_on_open(struct sftp *sftp, struct sftp_in *in)
{
	struct sftp_attrs attrs;
	char path[SFTP_PATH_MAX];
	uint32_t pflags;
	int fd;

	sftp_get_path(in, path);
	pflags = sftp_get_u32(in);
	sftp_get_attrs(in, &attrs);
	fd = in->bad ? -EBADMSG
		     : open_file(sftp, path, pflags,
				 attrs.flags & SFTP_ATTR_MODE ? attrs.mode : NEW_FILE_MODE);
	if (fd < 0)
		sftp_status(sftp, fd);
	else
		sftp_new_handle(sftp, fd, NULL, pflags & OPEN_APPEND);
}

void sftp_on_opendir(struct sftp *sftp, struct sftp_in *in)
{
	char path[SFTP_PATH_MAX];
	DIR *dir = NULL;
	int fd;

	sftp_get_path(in, path);
	fd = in->bad ? -EBADMSG : place_open(sftp->root_fd, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd >= 0)
		dir = fdopendir(fd);
	if (dir) {
		sftp_new_handle(sftp, fd, dir, false);
		return;
	}
	sftp_status(sftp, fd < 0 ? fd : -errno);
	(void)fd_close(fd);
}

void sftp_on_lstat(struct sftp *sftp, struct sftp_in *in)
{
	char path[SFTP_PATH_MAX];
	struct stat st;
	int r;

	sftp_get_path(in, path);
	r = in->bad ? -EBADMSG : place_lstat(sftp->root_fd, path, &st);
	if (r < 0)
		sftp_status(sftp, r);
	else
		sftp_attrs_reply(sftp, &st);
}

void sftp_on_stat(struct sftp *sftp, struct sftp_in *in)
{
	char path[SFTP_PATH_MAX];
	_cleanup_(fd_closep) int fd = -EBADF;
	struct stat st;

	sftp_get_path(in, path);
	fd = in->bad ? -EBADMSG : place_open(sftp->root_fd, path, O_PATH, 0);
	if (fd < 0)
		sftp_status(sftp, fd);
	else if (fstat(fd, &st) < 0)
		sftp_status(sftp, -errno);
	else
		sftp_attrs_reply(sftp, &st);
}

static void remove_path(struct sftp *sftp, struct sftp_in *in, int flags)
{
	char path[SFTP_PATH_MAX], name[NAME_MAX + 1];
	_cleanup_(fd_closep) int parent_fd = -EBADF;

	sftp_get_path(in, path);
	parent_fd = in->bad ? -EBADMSG : place_parent(sftp->root_fd, path, name);
	if (parent_fd < 0)
		sftp_status(sftp, parent_fd);
	else
		sftp_status(sftp, unlinkat(parent_fd, name, flags) < 0 ? -errno : 0);
}

void sftp_on_remove(struct sftp *sftp, struct sftp_in *in)
{
	remove_path(sftp, in, 0);
}

void sftp_on_rmdir(struct sftp *sftp, struct sftp_in *in)
{
	remove_path(sftp, in, AT_REMOVEDIR);
}

void sftp_on_mkdir(struct sftp *sftp, struct sftp_in *in)
{
	char path[SFTP_PATH_MAX], name[NAME_MAX + 1];
	_cleanup_(fd_closep) int parent_fd = -EBADF;
	struct sftp_attrs attrs;
	mode_t mode;

	sftp_get_path(in, path);
	sftp_get_attrs(in, &attrs);
	mode = attrs.flags & SFTP_ATTR_MODE ? attrs.mode : NEW_DIR_MODE;
	parent_fd = in->bad ? -EBADMSG : place_parent(sftp->root_fd, path, name);
	if (parent_fd < 0)
		sftp_status(sftp, parent_fd);
	else
		sftp_status(sftp, mkdirat(parent_fd, name, mode) < 0 ? -errno : 0);
}

/* The path without ".", ".." and doubled slashes, as if no component were a link. */
static void clean_path(const char *path, struct buf *out)
{
	for (const char *p = path + strspn(path, "/"); *p;) {
		size_t part = strcspn(p, "/");
		bool up = part == 2 && p[0] == '.' && p[1] == '.';

		if (up) {
			while (out->len > 0 && out->data[--out->len] != '/')
				;
		} else if (!(part == 1 && p[0] == '.')) {
			buf_add_char(out, '/');
			buf_add(out, p, part);
		}
		p += part + strspn(p + part, "/");
	}
	if (out->len == 0)
		buf_add_char(out, '/');
}

static void name_reply(struct sftp *sftp, const char *name, size_t len)
{
	size_t begin = sftp_begin(&sftp->out, SFTP_NAME, sftp->id);

	sftp_put_u32(&sftp->out, 1);
	sftp_put_bytes(&sftp->out, name, len);
	sftp_put_bytes(&sftp->out, name, len);
	sftp_put_u32(&sftp->out, 0); /* no attributes */
	sftp_end(&sftp->out, begin);
}

void sftp_on_realpath(struct sftp *sftp, struct sftp_in *in)
{
	char path[SFTP_PATH_MAX];
	struct buf clean = { 0 };

	sftp_get_path(in, path);
	if (in->bad) {
		sftp_status(sftp, -EBADMSG);
		return;
	}
	clean_path(path, &clean);
	name_reply(sftp, clean.data, clean.len);
	buf_done(&clean);
}

void sftp_on_readlink(struct sftp *sftp, struct sftp_in *in)
{
	char path[SFTP_PATH_MAX], target[PATH_MAX];
	int r;

	sftp_get_path(in, path);
	r = in->bad ? -EBADMSG : place_read_link(sftp->root_fd, path, target);
	if (r < 0)
		sftp_status(sftp, r);
	else
		name_reply(sftp, target, strlen(target));
}

/* As OpenSSH has it, and with it everybody: the target first. */
void sftp_on_symlink(struct sftp *sftp, struct sftp_in *in)
{
	char target[SFTP_PATH_MAX], path[SFTP_PATH_MAX], name[NAME_MAX + 1];
	_cleanup_(fd_closep) int parent_fd = -EBADF;

	sftp_get_path(in, target);
	sftp_get_path(in, path);
	parent_fd = in->bad ? -EBADMSG : place_parent(sftp->root_fd, path, name);
	if (parent_fd < 0)
		sftp_status(sftp, parent_fd);
	else
		sftp_status(sftp, symlinkat(target, parent_fd, name) < 0 ? -errno : 0);
}

/* Two paths that end in names. */
struct pair {
	char path[SFTP_PATH_MAX];
	char names[2][NAME_MAX + 1];
	int parents[2];
};

static int get_pair(struct sftp *sftp, struct sftp_in *in, struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		sftp_get_path(in, pair->path);
		pair->parents[i] =
			in->bad ? -EBADMSG
				: place_parent(sftp->root_fd, pair->path, pair->names[i]);
	}
	return pair->parents[0] < 0 ? pair->parents[0] : MIN(pair->parents[1], 0);
}

static void pair_done(struct pair *pair)
{
	for (int i = 0; i < 2; i++)
		pair->parents[i] = fd_close(pair->parents[i]);
}

static void rename_pair(struct sftp *sftp, struct sftp_in *in, unsigned int flags)
{
	struct pair pair;
	int r = get_pair(sftp, in, &pair);

	if (r == 0 &&
	    renameat2(pair.parents[0], pair.names[0], pair.parents[1], pair.names[1], flags) < 0)
		r = -errno;
	pair_done(&pair);
	sftp_status(sftp, r);
}

void sftp_on_rename(struct sftp *sftp, struct sftp_in *in)
{
	rename_pair(sftp, in, RENAME_NOREPLACE);
}

void sftp_on_posix_rename(struct sftp *sftp, struct sftp_in *in)
{
	rename_pair(sftp, in, 0);
}

void sftp_on_hardlink(struct sftp *sftp, struct sftp_in *in)
{
	struct pair pair;
	int r = get_pair(sftp, in, &pair);

	if (r == 0 && linkat(pair.parents[0], pair.names[0], pair.parents[1], pair.names[1], 0) < 0)
		r = -errno;
	pair_done(&pair);
	sftp_status(sftp, r);
}

void sftp_on_statvfs(struct sftp *sftp, struct sftp_in *in)
{
	char path[SFTP_PATH_MAX];
	_cleanup_(fd_closep) int fd = -EBADF;
	struct statvfs st;
	size_t begin;

	sftp_get_path(in, path);
	fd = in->bad ? -EBADMSG : place_open(sftp->root_fd, path, O_PATH, 0);
	if (fd < 0 || fstatvfs(fd, &st) < 0) {
		sftp_status(sftp, fd < 0 ? fd : -errno);
		return;
	}
	const uint64_t values[] = { st.f_bsize,	 st.f_frsize, st.f_blocks, st.f_bfree,
				    st.f_bavail, st.f_files,  st.f_ffree,  st.f_favail,
				    st.f_fsid,	 0,	      st.f_namemax };

	begin = sftp_begin(&sftp->out, SFTP_EXTENDED_REPLY, sftp->id);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		sftp_put_u64(&sftp->out, values[i]);
	sftp_end(&sftp->out, begin);
}
