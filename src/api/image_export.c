/* api/image_export.c - GET /1.0/images/{fingerprint}/export: the stored file, or both */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/handlers.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/core.h"
#include "core/image.h"

/* How a file begins, and what its name ends in. */
static const struct {
	const char *magic;
	size_t len;
	const char *suffix;
} formats[] = {
	{ "\x1f\x8b", 2, ".tar.gz" },
	{ "BZ", 2, ".tar.bz2" },
	{ "\xfd"
	  "7zXZ",
	  5, ".tar.xz" },
	{ "\x5d\x00\x00", 3, ".tar.lzma" },
	{ "\x28\xb5\x2f\xfd", 4, ".tar.zst" },
	{ "hsqs", 4, ".squashfs" },
};

static const char *suffix_of(int fd)
{
	char head[8] = "";
	ssize_t n = pread(fd, head, sizeof(head), 0);

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (n >= (ssize_t)formats[i].len &&
		    memcmp(head, formats[i].magic, formats[i].len) == 0)
			return formats[i].suffix;
	return ".tar";
}

static int open_file(struct api_req *req, const struct image_record *image, bool rootfs,
		     struct http_part *ret_part)
{
	_cleanup_(freep) char *path = image_file(req->core, image->fingerprint, rootfs);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(&req->err, path ? -errno : -ENOENT, "image %.12s: open %s",
			       image->fingerprint, path ? path : "its file");
	*ret_part = (struct http_part){ .fd = fd, .len = (uint64_t)st.st_size };
	return 0;
}

static void add_head(struct http_part *part, const char *boundary, const char *name,
		     const char *filename)
{
	part->fd = -EBADF;
	buf_printf(&part->bytes,
		   "--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\n"
		   "Content-Type: application/octet-stream\r\n\r\n",
		   boundary, name, filename);
}

/* Metadata first, then the root file system, as multipart/form-data. */
static void reply_split(struct api_req *req, const struct image_record *image,
			struct http_part *metadata, struct http_part *rootfs)
{
	char boundary[UUID_LEN];
	_cleanup_(freep) char *type =
		xasprintf("multipart/form-data; boundary=%s", uuid_new(boundary));
	_cleanup_(freep) char *meta_name =
		xasprintf("meta-%s%s", image->fingerprint, suffix_of(metadata->fd));
	_cleanup_(freep) char *rootfs_name =
		xasprintf("%s%s", image->fingerprint, suffix_of(rootfs->fd));
	struct http_part parts[5] = { [1] = *metadata, [3] = *rootfs };

	add_head(&parts[0], boundary, "metadata", meta_name);
	parts[2].fd = parts[4].fd = -EBADF;
	buf_add_str(&parts[2].bytes, "\r\n");
	add_head(&parts[2], boundary, "rootfs", rootfs_name);
	buf_printf(&parts[4].bytes, "\r\n--%s--\r\n", boundary);
	reply_parts(req, type, parts, ARRAY_LEN(parts));
}

void image_export(struct api_req *req)
{
	struct http_part metadata = { .fd = -EBADF }, rootfs = { .fd = -EBADF };
	_cleanup_(freep) char *name = NULL;
	struct image_record *image;
	int r = image_find(req->core, req->args[0], &image, &req->err);

	if (r == 0)
		r = open_file(req, image, false, &metadata);
	if (r == 0 && image->format == IMAGE_SPLIT)
		r = open_file(req, image, true, &rootfs);
	if (r < 0) {
		if (metadata.fd >= 0)
			(void)close(metadata.fd);
		reply_error(req);
	} else if (image->format == IMAGE_SPLIT) {
		reply_split(req, image, &metadata, &rootfs);
	} else {
		name = xasprintf("%s%s", image->fingerprint, suffix_of(metadata.fd));
		reply_file(req, metadata.fd, name);
	}
}
