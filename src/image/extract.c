/* image/extract.c - see extract.h */
#include "image/extract.h"

#include <archive.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/root_entry.h"

enum {
	SPACE_EVERY_BYTES = 8 << 20,
	SPACE_EVERY_ENTRIES = 512,
	XATTR_BYTES_MAX = 64 * 1024,
	EXTRACT_FLAGS = ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
			ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_ACL |
			ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
			ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS
};

static int no_space(uint64_t free_bytes, uint64_t reserve_bytes, uint64_t out_bytes,
		    struct err *err)
{
	char free_text[FMT_BYTES_LEN], reserve_text[FMT_BYTES_LEN], out_text[FMT_BYTES_LEN];

	(void)err_kind(
		err, ERR_UNAVAILABLE,
		"not enough space: %s are free, %s must stay free, and %s are unpacked so far",
		fmt_bytes(free_text, free_bytes), fmt_bytes(reserve_text, reserve_bytes),
		fmt_bytes(out_text, out_bytes));
	if (err)
		err->code = -ENOSPC;
	return -ENOSPC;
}

int extract_check_space(struct extract *x, bool now, struct err *err)
{
	struct tarball_usage usage = tarball_usage(x->tarball);
	struct statvfs fs;

	if (!now && usage.out_bytes - x->space_bytes < SPACE_EVERY_BYTES &&
	    usage.n_entries - x->space_entries < SPACE_EVERY_ENTRIES)
		return 0;
	x->space_bytes = usage.out_bytes;
	x->space_entries = usage.n_entries;
	if (statvfs(".", &fs) < 0)
		return err_set(err, -errno, "ask for the free space");
	uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (free_bytes < x->reserve_bytes)
		return no_space(free_bytes, x->reserve_bytes, usage.out_bytes, err);
	return 0;
}

static int disk_full(struct extract *x, struct err *err)
{
	struct statvfs fs = { 0 };

	(void)statvfs(".", &fs);
	if (fs.f_files > 0 && fs.f_favail == 0)
		return err_set(err, -ENOSPC, "no inodes are free for more files");
	return no_space((uint64_t)fs.f_bavail * fs.f_frsize, x->reserve_bytes,
			tarball_usage(x->tarball).out_bytes, err);
}

/* Why writing failed, which libarchive says in its own words. */
static int fail_write(struct extract *x, const char *name, struct err *err)
{
	int code = archive_errno(x->disk);
	const char *text = archive_error_string(x->disk);

	if (code == EDQUOT)
		return err_set(err, -EDQUOT, "the size of the root disk is reached");
	if (code == ENOSPC)
		return disk_full(x, err);
	_cleanup_(freep) char *shown = str_printable(text ? text : "", false);
	_cleanup_(freep) char *shown_name = str_printable(name, false);
	return err_kind(err, ERR_INVALID, "archive entry \"%.150s\": %.200s", shown_name, shown);
}

static void filter_xattrs(struct archive_entry *entry)
{
	struct archive_entry *copy;
	const char *name;
	const void *value;
	size_t len;

	if (archive_entry_xattr_count(entry) == 0)
		return;
	copy = archive_entry_clone(entry);
	archive_entry_xattr_clear(entry);
	(void)archive_entry_xattr_reset(copy);
	while (archive_entry_xattr_next(copy, &name, &value, &len) == ARCHIVE_OK)
		if (entry_keeps_xattr(name) && len <= XATTR_BYTES_MAX)
			archive_entry_xattr_add_entry(entry, name, value, len);
	archive_entry_free(copy);
}

static int write_data(struct extract *x, const char *name, struct err *err)
{
	const void *bytes;
	size_t len;
	int64_t offset;
	int r;

	while ((r = tarball_read(x->tarball, &bytes, &len, &offset, err)) > 0) {
		if (archive_write_data_block(x->disk, bytes, len, offset) < ARCHIVE_OK)
			return fail_write(x, name, err);
		struct tarball_usage usage = tarball_usage(x->tarball);
		report_progress(x->report, "unpack", usage.read_bytes, usage.total_bytes);
		r = extract_check_space(x, false, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int write_entry(struct extract *x, struct archive_entry *entry, const char *name,
		       struct err *err)
{
	filter_xattrs(entry);
	archive_entry_set_fflags(entry, 0, 0);
	int r = archive_write_header(x->disk, entry);
	if (r < ARCHIVE_WARN)
		return fail_write(x, name, err);
	if (archive_entry_size(entry) > 0) {
		r = write_data(x, name, err);
		if (r < 0)
			return r;
	}
	/* a warning here: owner, mode or attributes could not be set */
	if (archive_write_finish_entry(x->disk) != ARCHIVE_OK)
		return fail_write(x, name, err);
	return 0;
}

static int take_root(struct extract *x, enum entry_layout layout, struct archive_entry *entry,
		     struct err *err)
{
	int r = root_entry_check(layout, entry, "", err);

	if (r < 0)
		return r;
	x->root = (struct extract_root){
		.seen = true,
		.mode = archive_entry_perm(entry),
		.uid = (uid_t)archive_entry_uid(entry),
		.gid = (gid_t)archive_entry_gid(entry),
		.mtime = { archive_entry_mtime(entry), archive_entry_mtime_nsec(entry) },
	};
	return 0;
}

int extract_begin(struct extract *x, struct err *err)
{
	x->disk = archive_write_disk_new();
	if (!x->disk)
		return err_set(err, -ENOMEM, "unpack");
	(void)archive_write_disk_set_options(x->disk, EXTRACT_FLAGS);
	return 0;
}

int extract_entry(struct extract *x, enum entry_layout layout, struct archive_entry *entry,
		  const char *name, struct err *err)
{
	if (*name == '\0')
		return take_root(x, layout, entry, err);
	int r = root_entry_check(layout, entry, name, err);
	if (r != 0)
		return MIN(r, 0); /* 1: left out */
	x->n_entries++;
	_cleanup_(freep) char *path = xstrdup(name);
	archive_entry_set_pathname(entry, path);
	return write_entry(x, entry, path, err);
}

static int apply_root(const struct extract_root *root, struct err *err)
{
	struct timespec times[2] = { root->mtime, root->mtime };

	if (!root->seen)
		return 0;
	if (chown(".", root->uid, root->gid) < 0 || chmod(".", root->mode & 07777) < 0 ||
	    utimensat(AT_FDCWD, ".", times, 0) < 0)
		return err_set(err, -errno, "set the root directory's attributes");
	return 0;
}

int extract_finish(struct extract *x, struct err *err)
{
	/* modes and times of directories are set here */
	if (archive_write_close(x->disk) != ARCHIVE_OK)
		return fail_write(x, "(directories)", err);
	return apply_root(&x->root, err);
}

void extract_done(struct extract *x)
{
	(void)archive_write_free(x->disk);
	x->disk = NULL;
}
