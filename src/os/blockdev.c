/* os/blockdev.c - see blockdev.h */
#include "os/blockdev.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"
#include "os/mount.h"

enum {
	MOUNTINFO_BYTES_MAX = 8 * 1024 * 1024,
	NUMBER_LEN = 32 /* "259:1048575\n" */
};

static bool is_block(dev_t dev)
{
	_cleanup_(freep) char *path = xasprintf("/sys/dev/block/%u:%u", major(dev), minor(dev));

	return access(path, F_OK) == 0;
}

/* The source of the mount @id in the text of mountinfo (proc(5)); NULL: none. */
static char *source_of(const char *mountinfo, uint64_t id)
{
	_cleanup_(strv_freep) char **lines = strv_split(mountinfo, "\n");

	for (char **line = lines; line && *line; line++) {
		const char *rest = strstr(*line, " - ");
		_cleanup_(strv_freep) char **words = rest ? strv_split(rest + 3, " ") : NULL;

		if (strtoull(*line, NULL, 10) == id && strv_len(words) >= 2)
			return xstrdup(words[1]);
	}
	return NULL;
}

/* A file system that has a number of its own, like btrfs: by what was mounted. 0: none. */
static dev_t mounted_device(const char *path)
{
	_cleanup_(fd_closep) int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	_cleanup_(buf_done) struct buf text = { 0 };
	_cleanup_(freep) char *source = NULL;
	struct statx stx;
	struct stat st;

	if (fd < 0 || fd_read_all(fd, MOUNTINFO_BYTES_MAX, &text) < 0 ||
	    statx(AT_FDCWD, path, 0, STATX_MNT_ID, &stx) < 0)
		return 0;
	source = source_of(buf_str(&text), stx.stx_mnt_id);
	if (!source || *source != '/' || stat(source, &st) < 0 || !S_ISBLK(st.st_mode))
		return 0;
	return st.st_rdev;
}

/* The disk of a partition; anything else is one. */
static dev_t whole_disk(dev_t dev)
{
	_cleanup_(freep) char *dir = xasprintf("/sys/dev/block/%u:%u", major(dev), minor(dev));
	_cleanup_(freep) char *partition = xasprintf("%s/partition", dir);
	_cleanup_(freep) char *disk = xasprintf("%s/../dev", dir);
	unsigned int number[2];
	char text[NUMBER_LEN];

	if (access(partition, F_OK) < 0 ||
	    fd_read_file_at(AT_FDCWD, disk, text, sizeof(text)) < 0 ||
	    sscanf(text, "%u:%u", &number[0], &number[1]) != 2)
		return dev;
	return makedev(number[0], number[1]);
}

static int on_none(const char *path, struct err *err)
{
	_cleanup_(fd_closep) int fd = open(path, O_PATH | O_CLOEXEC);
	char fs_name[32];

	return err_kind(err, ERR_UNSUPPORTED, "\"%s\" is on no block device (%s)", path,
			mount_fs_name(fd, fs_name));
}

int blockdev_of_path(const char *path, uint32_t *ret_major, uint32_t *ret_minor, struct err *err)
{
	struct stat st;
	dev_t dev;

	if (stat(path, &st) < 0)
		return err_set(err, -errno, "\"%s\"", path);
	dev = is_block(st.st_dev) ? st.st_dev : mounted_device(path);
	if (dev == 0)
		return on_none(path, err);
	dev = whole_disk(dev);
	*ret_major = major(dev);
	*ret_minor = minor(dev);
	return 0;
}
