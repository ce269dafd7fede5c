/* image/tarball.c - see tarball.h */
#include "image/tarball.h"

#include <archive.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"

enum {
	BLOCK_BYTES = 256 * 1024,
	PIPE_BYTES = 1 << 20,
	MAGIC_BYTES = 8
};

struct tarball {
	struct archive *reader;
	int fd;	     /* borrowed: the file */
	int data_fd; /* where tar comes from: the file, or the decompressor's pipe */
	int err_fd;  /* the decompressor's err; -EBADF without one */
	pid_t pid;   /* of the decompressor; 0: none */
	uint64_t max_bytes;
	struct tarball_usage usage;
	bool at_end;	/* of data_fd */
	struct err err; /* why a read callback failed */
	char block[BLOCK_BYTES];
};

struct kind_row {
	const char *magic;
	size_t len;
	int (*support)(struct archive *); /* NULL: nothing to undo, or not ours to read */
	const char *refusal;
};

static const struct kind_row kinds[] = {
	[TARBALL_PLAIN] = { "", 0, NULL, NULL },
	[TARBALL_GZIP] = { "\x1f\x8b", 2, archive_read_support_filter_gzip, NULL },
	[TARBALL_XZ] = { "\xfd"
			 "7zXZ",
			 5, archive_read_support_filter_xz, NULL },
	[TARBALL_LZMA] = { "\x5d\x00\x00", 3, archive_read_support_filter_lzma, NULL },
	[TARBALL_ZSTD] = { "\x28\xb5\x2f\xfd", 4, archive_read_support_filter_zstd, NULL },
	[TARBALL_BZIP2] = { "BZh", 3, archive_read_support_filter_bzip2, NULL },
	[TARBALL_SQUASHFS] = { "hsqs", 4, NULL,
			       "squashfs images are not supported yet; a tarball of the same root "
			       "file system is" },
	[TARBALL_QCOW2] = { "QFI\xfb", 4, NULL, "this is a disk of a virtual machine" },
};
static_assert(ARRAY_LEN(kinds) == TARBALL_KIND_MAX, "one row per kind");

enum tarball_kind tarball_detect(const void *bytes, size_t len)
{
	for (enum tarball_kind kind = TARBALL_PLAIN + 1; kind < TARBALL_KIND_MAX; kind++)
		if (len >= kinds[kind].len &&
		    memcmp(bytes, kinds[kind].magic, kinds[kind].len) == 0)
			return kind;
	return TARBALL_PLAIN;
}

/* The text of libarchive, which may contain a stranger's bytes. */
static int set_archive_err(struct err *err, struct archive *reader, const char *what)
{
	const char *text = archive_error_string(reader);
	_cleanup_(freep) char *shown = str_printable(text ? text : "no reason given", false);

	return err_kind(err, ERR_INVALID, "%s: %.200s", what, shown);
}

/* In the decompressor: everything from @fd to @out_fd. */
static int decompress(const struct kind_row *kind, int fd, int out_fd, struct err *err)
{
	struct archive *reader = archive_read_new();
	struct archive_entry *entry;
	const void *bytes;
	size_t len;
	la_int64_t offset;

	(void)kind->support(reader); /* a warning means an external program: there is none */
	(void)archive_read_support_format_raw(reader);
	if (archive_read_open_fd(reader, fd, BLOCK_BYTES) != ARCHIVE_OK ||
	    archive_read_next_header(reader, &entry) != ARCHIVE_OK)
		return set_archive_err(err, reader, "the compressed data is damaged");
	for (;;) {
		int r = archive_read_data_block(reader, &bytes, &len, &offset);
		if (r == ARCHIVE_EOF)
			return 0;
		if (r != ARCHIVE_OK)
			return set_archive_err(err, reader,
					       "the compressed data is damaged or truncated");
		if (fd_write_all(out_fd, bytes, len) < 0)
			return 0; /* the reader has enough, or knows better why not */
	}
}

static int start_decompressor(struct tarball *tarball, const struct kind_row *kind, struct err *err)
{
	int data[2], errs[2];

	int r = fd_pipe(data);
	if (r < 0)
		return err_set(err, r, "make a pipe");
	_cleanup_(fd_closep) int data_out = data[1];
	tarball->data_fd = data[0];
	(void)fcntl(data_out, F_SETPIPE_SZ, PIPE_BYTES);
	r = fd_pipe(errs);
	if (r < 0)
		return err_set(err, r, "make a pipe");
	_cleanup_(fd_closep) int err_out = errs[1];
	tarball->err_fd = errs[0];
	tarball->pid = fork();
	if (tarball->pid < 0)
		return err_set(err, -errno, "start the decompressor");
	if (tarball->pid > 0)
		return 0;
	struct err theirs = { 0 };
	(void)signal(SIGPIPE, SIG_IGN);
	(void)close(data[0]);
	(void)decompress(kind, tarball->fd, data_out, &theirs);
	_exit(fd_write_all(err_out, &theirs, sizeof(theirs)) < 0);
}

/* What the decompressor says at its end: 0 when all went well or there is none. */
static int join_decompressor(struct tarball *tarball, struct err *err)
{
	struct err theirs = { 0 };
	int status;

	if (tarball->pid <= 0)
		return 0;
	ssize_t len = read(tarball->err_fd, &theirs, sizeof(theirs));
	while (waitpid(tarball->pid, &status, 0) < 0 && errno == EINTR)
		;
	tarball->pid = 0;
	if (len != sizeof(theirs))
		return err_kind(err, ERR_INVALID,
				"the decompressor died: too little memory for this file?");
	if (theirs.code < 0 && err)
		*err = theirs;
	return theirs.code;
}

/* B1. */
static int check_usage(struct tarball *tarball)
{
	struct tarball_usage *usage = &tarball->usage;
	off_t pos = lseek(tarball->fd, 0, SEEK_CUR); /* moved by the decompressor too */

	usage->read_bytes = pos > 0 ? (uint64_t)pos : 0;
	if (tarball->max_bytes > 0 && usage->out_bytes > tarball->max_bytes)
		return err_kind(&tarball->err, ERR_INVALID,
				"the archive unpacks to more than %llu bytes",
				(unsigned long long)tarball->max_bytes);
	if (usage->out_bytes > TARBALL_FREE_BYTES &&
	    (usage->out_bytes - TARBALL_FREE_BYTES) / TARBALL_RATIO_MAX > usage->read_bytes)
		return err_kind(&tarball->err, ERR_INVALID,
				"the archive expands more than %d times: refused as a bomb",
				TARBALL_RATIO_MAX);
	return 0;
}

static la_ssize_t read_cb(struct archive *reader, void *data, const void **ret_bytes)
{
	struct tarball *tarball = data;
	size_t have = 0;

	/* whole blocks: a pipe gives small pieces */
	while (have < BLOCK_BYTES) {
		ssize_t n = read(tarball->data_fd, tarball->block + have, BLOCK_BYTES - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			archive_set_error(reader, errno, "read: %s", strerror(errno));
			return -1;
		}
		tarball->at_end = n == 0;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	tarball->usage.out_bytes += have;
	if (check_usage(tarball) < 0) {
		archive_set_error(reader, EFBIG, "%s", tarball->err.msg);
		return -1;
	}
	*ret_bytes = tarball->block;
	return (la_ssize_t)have;
}

/* The best reason there is for a failed read. */
static int fail(struct tarball *tarball, struct err *err)
{
	if (tarball->err.code < 0) {
		if (err)
			*err = tarball->err;
		return tarball->err.code;
	}
	if (tarball->at_end) {
		int r = join_decompressor(tarball, err);
		if (r < 0)
			return r;
		if (tarball->usage.n_entries > 0)
			return set_archive_err(err, tarball->reader, "the archive is truncated");
	}
	if (tarball->usage.n_entries == 0)
		return err_kind(err, ERR_INVALID,
				"not a tar archive, nor one compressed with gzip, xz, zstd, bzip2 "
				"or lzma");
	return set_archive_err(err, tarball->reader, "the archive is damaged");
}

static int check_kind(const struct kind_row *kind, struct err *err)
{
	return kind->refusal ? err_kind(err, ERR_UNSUPPORTED, "%s", kind->refusal) : 0;
}

static int start(struct tarball *tarball, struct err *err)
{
	char magic[MAGIC_BYTES];
	struct stat st;
	ssize_t len = pread(tarball->fd, magic, sizeof(magic), 0);

	if (len < 0 || fstat(tarball->fd, &st) < 0)
		return err_set(err, -errno, "read the archive");
	if (len == 0)
		return err_kind(err, ERR_INVALID, "the file is empty");
	tarball->usage.total_bytes = (uint64_t)st.st_size;
	const struct kind_row *kind = &kinds[tarball_detect(magic, (size_t)len)];
	int r = check_kind(kind, err);
	if (r == 0 && kind->support)
		r = start_decompressor(tarball, kind, err);
	if (r < 0)
		return r;
	tarball->reader = archive_read_new();
	(void)archive_read_support_format_tar(tarball->reader);
	if (archive_read_open(tarball->reader, tarball, NULL, read_cb, NULL) != ARCHIVE_OK)
		return fail(tarball, err);
	return 0;
}

int tarball_open(int fd, uint64_t max_bytes, struct tarball **ret_tarball, struct err *err)
{
	_cleanup_(tarball_freep) struct tarball *tarball = xcalloc(1, sizeof(*tarball));

	tarball->fd = tarball->data_fd = fd;
	tarball->err_fd = -EBADF;
	tarball->max_bytes = max_bytes;
	int r = start(tarball, err);
	if (r < 0)
		return r;
	*ret_tarball = TAKE_PTR(tarball);
	return 0;
}

struct tarball *tarball_free(struct tarball *tarball)
{
	if (!tarball)
		return NULL;
	(void)archive_read_free(tarball->reader);
	if (tarball->data_fd != tarball->fd)
		(void)fd_close(tarball->data_fd);
	(void)fd_close(tarball->err_fd);
	if (tarball->pid > 0) {
		(void)kill(tarball->pid, SIGKILL);
		(void)waitpid(tarball->pid, NULL, 0);
	}
	free(tarball);
	return NULL;
}

void tarball_freep(struct tarball **tarball)
{
	*tarball = tarball_free(*tarball);
}

/* B2: the rest behind tar's end, so that the compression's checksum is seen. */
static int finish(struct tarball *tarball, struct err *err)
{
	const void *bytes;

	if (tarball->usage.n_entries == 0)
		return err_kind(err, ERR_INVALID, "the archive is empty");
	while (!tarball->at_end)
		if (read_cb(tarball->reader, tarball, &bytes) < 0)
			return fail(tarball, err);
	return join_decompressor(tarball, err);
}

int tarball_next(struct tarball *tarball, struct archive_entry **ret_entry, struct err *err)
{
	int r = archive_read_next_header(tarball->reader, ret_entry);

	if (r == ARCHIVE_EOF)
		return finish(tarball, err);
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN) /* a warning: a name that is not UTF-8 */
		return fail(tarball, err);
	if (++tarball->usage.n_entries > TARBALL_ENTRIES_MAX)
		return err_kind(err, ERR_INVALID, "the archive has more than %d entries",
				TARBALL_ENTRIES_MAX);
	return 1;
}

int tarball_read(struct tarball *tarball, const void **ret_bytes, size_t *ret_len,
		 int64_t *ret_offset, struct err *err)
{
	la_int64_t offset;

	int r = archive_read_data_block(tarball->reader, ret_bytes, ret_len, &offset);
	if (r == ARCHIVE_EOF)
		return 0;
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return fail(tarball, err);
	*ret_offset = offset;
	return 1;
}

int tarball_read_all(struct tarball *tarball, size_t max_bytes, struct buf *out, struct err *err)
{
	const void *bytes;
	size_t len;
	int64_t offset;
	int r;

	while ((r = tarball_read(tarball, &bytes, &len, &offset, err)) > 0) {
		if (out->len + len > max_bytes)
			return err_kind(err, ERR_INVALID, "longer than %zu bytes", max_bytes);
		buf_add(out, bytes, len);
	}
	return r;
}

struct tarball_usage tarball_usage(const struct tarball *tarball)
{
	return tarball->usage;
}
