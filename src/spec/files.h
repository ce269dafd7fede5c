/*
 * spec/files.h - what a file server is asked (files of an instance) and what it answers
 *
 * A file server is sysctr-exec inside the container, or in a sandbox on the root of a stopped one.
 * It has three descriptors: 0 data in, 1 data out, and FILES_STATUS_FD, a SOCK_SEQPACKET, where it
 * sends struct files_reply datagrams. The last one has done set; end of file without it means that
 * the server died. FILES_PUT reads data to its end and then waits for one byte on the status
 * socket: only that says that the data was whole.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/wire.h"

enum {
	FILES_STATUS_FD = 2,
	FILES_REPLY_BYTES_MAX = 64 * 1024,
	FILES_EARLY_MAX = 16 * 1024,	    /* bytes of a stream that came before the server */
	FILES_NAMES_MAX = 16 * 1024 * 1024, /* bytes of names of one directory */
	FILES_LINK_MAX = 4096
};

#define FILES_NO_ID   UINT32_MAX /* uid, gid: whatever it is */
#define FILES_NO_MODE UINT32_MAX

enum files_op {
	FILES_NONE,    /* a session that is no file server */
	FILES_STAT,    /* lstat */
	FILES_GET,     /* lstat first, then data or, NUL-terminated, the names of a directory */
	FILES_PUT,     /* a file from the data; owner and mode only when it is created */
	FILES_MKDIR,   /* one directory; one that is there is success */
	FILES_SYMLINK, /* with target; the same one is success */
	FILES_REMOVE,  /* a file or an empty directory */
	FILES_SFTP,    /* SFTP version 3 on the data streams */
	FILES_PUSH,    /* a tree stream (files/tree.h) into path */
	FILES_PULL,    /* a tree stream of path */
	FILES_OP_MAX
};
const char *files_op_name(enum files_op op);

/* Which symbolic links a copy follows, as cp(1) has it. */
enum files_follow {
	FILES_FOLLOW_NONE, /* -P */
	FILES_FOLLOW_TOP,  /* -H: those named */
	FILES_FOLLOW_ALL,  /* -L */
	FILES_FOLLOW_MAX
};

struct files_request {
	uint32_t op; /* enum files_op */
	char *path;  /* inside; relative ones begin at "/" */
	char *target;
	uint32_t uid, gid, mode;
	bool append;	  /* PUT: to a file that is there */
	bool recursive;	  /* PUSH, PULL: directories too */
	bool archive;	  /* owners, modes, times, extended attributes as they are */
	bool parents;	  /* PUSH: make missing directories of the path */
	bool into;	  /* PUSH: the path is a directory that gets the entries */
	uint32_t follow;  /* PULL: enum files_follow */
	struct buf early; /* SFTP: what the client sent before the stream was handed over */
};
extern const struct wire_schema files_request_schema;

enum files_type {
	FILES_TYPE_FILE,
	FILES_TYPE_DIRECTORY,
	FILES_TYPE_SYMLINK,
	FILES_TYPE_OTHER,
	FILES_TYPE_MAX
};
/* The API's words. Errors of the parser: ERR_INVALID; only the first three are known. */
const char *files_type_name(enum files_type type);
int files_type_parse(const char *word, enum files_type *ret_type, struct err *err);

/* The first of STAT and GET has what was found; an error or the end has done. */
struct files_reply {
	bool done;
	int32_t code;  /* -errno; 0: fine */
	uint32_t kind; /* enum err_kind */
	char *text;
	uint32_t type; /* enum files_type */
	uint32_t uid, gid, mode;
	uint64_t size;
	uint64_t mtime_ns;
	char *target; /* of a link */
};
extern const struct wire_schema files_reply_schema;

/* A server for a stopped instance: descriptor FILES_JOB_FD, a sealed memfd. */
enum {
	FILES_JOB_FD = 3
};

struct files_job {
	struct files_request request;
	uint32_t root_kind; /* enum root_kind */
	char *root_path;
	char *root_lower;
	char *place; /* an existing directory, covered in the server's own mount namespace */
	uint32_t id_base, id_count;
};
extern const struct wire_schema files_job_schema;
