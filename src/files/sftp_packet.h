/*
 * files/sftp_packet.h - SFTP version 3 as bytes (draft-ietf-secsh-filexfer-02); pure
 *
 * Layer: files. A packet is { u32 length, u8 type, content }, big endian. Reading never goes past
 * the packet: what is missing reads as zero and sets bad.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"

enum {
	SFTP_VERSION = 3,
	SFTP_PACKET_MAX = 256 * 1024 + 1024, /* with its content */
	SFTP_READ_MAX = 256 * 1024,
	SFTP_PATH_MAX = 4096
};

enum sftp_type {
	SFTP_INIT = 1,
	SFTP_VERSION_REPLY,
	SFTP_OPEN,
	SFTP_CLOSE,
	SFTP_READ,
	SFTP_WRITE,
	SFTP_LSTAT,
	SFTP_FSTAT,
	SFTP_SETSTAT,
	SFTP_FSETSTAT,
	SFTP_OPENDIR,
	SFTP_READDIR,
	SFTP_REMOVE,
	SFTP_MKDIR,
	SFTP_RMDIR,
	SFTP_REALPATH,
	SFTP_STAT,
	SFTP_RENAME,
	SFTP_READLINK,
	SFTP_SYMLINK,
	SFTP_REQUEST_MAX, /* answers begin at 101 */
	SFTP_STATUS = 101,
	SFTP_HANDLE,
	SFTP_DATA,
	SFTP_NAME,
	SFTP_ATTRS,
	SFTP_EXTENDED = 200,
	SFTP_EXTENDED_REPLY,
	SFTP_TYPE_MAX
};

enum sftp_code {
	SFTP_OK,
	SFTP_EOF,
	SFTP_NO_SUCH_FILE,
	SFTP_PERMISSION_DENIED,
	SFTP_FAILURE,
	SFTP_BAD_MESSAGE,
	SFTP_NO_CONNECTION,
	SFTP_CONNECTION_LOST,
	SFTP_UNSUPPORTED,
	SFTP_CODE_MAX
};
enum sftp_code sftp_code_of(int error); /* -errno, 0 */

enum sftp_attr_flag {
	SFTP_ATTR_SIZE = 1 << 0,
	SFTP_ATTR_OWNER = 1 << 1,
	SFTP_ATTR_MODE = 1 << 2,
	SFTP_ATTR_TIMES = 1 << 3,
};

#define SFTP_ATTR_EXTENDED UINT32_C(0x80000000)

struct sftp_attrs {
	uint32_t flags; /* SFTP_ATTR_* */
	uint64_t size;
	uint32_t uid, gid;
	uint32_t mode;
	uint32_t atime, mtime;
};

struct sftp_in {
	const unsigned char *at;
	size_t left;
	bool bad;
};

uint8_t sftp_get_u8(struct sftp_in *in);
uint32_t sftp_get_u32(struct sftp_in *in);
uint64_t sftp_get_u64(struct sftp_in *in);

/* Bytes of the packet; *@ret_len of them. */
const unsigned char *sftp_get_bytes(struct sftp_in *in, size_t *ret_len);

/* A path into @ret_path, NUL-terminated. One with a NUL inside, or too long, is bad. */
void sftp_get_path(struct sftp_in *in, char ret_path[SFTP_PATH_MAX]);
void sftp_get_attrs(struct sftp_in *in, struct sftp_attrs *ret_attrs);

/* Begin a packet in *@out. Returns: what sftp_end() takes. */
size_t sftp_begin(struct buf *out, enum sftp_type type, uint32_t id);
void sftp_end(struct buf *out, size_t begin);
void sftp_put_u32(struct buf *out, uint32_t value);
void sftp_put_u64(struct buf *out, uint64_t value);
void sftp_put_bytes(struct buf *out, const void *bytes, size_t len);
void sftp_put_stat(struct buf *out, const struct stat *st);

/* As "ls -l" has it, with numbers for names and a date that needs no time zone. */
void sftp_put_long_name(struct buf *out, const char *name, const struct stat *st);
