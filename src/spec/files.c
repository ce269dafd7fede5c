/* spec/files.c - see files.h */
#include "spec/files.h"

#include <assert.h>

#include "base/macro.h"
#include "base/str.h"

static const char *const op_names[] = {
	[FILES_NONE] = "none",	   [FILES_STAT] = "stat",   [FILES_GET] = "get",
	[FILES_PUT] = "put",	   [FILES_MKDIR] = "mkdir", [FILES_SYMLINK] = "symlink",
	[FILES_REMOVE] = "remove", [FILES_SFTP] = "sftp",   [FILES_PUSH] = "push",
	[FILES_PULL] = "pull",
};
static_assert(ARRAY_LEN(op_names) == FILES_OP_MAX, "one name per request");

static const char *const type_names[] = {
	[FILES_TYPE_FILE] = "file",
	[FILES_TYPE_DIRECTORY] = "directory",
	[FILES_TYPE_SYMLINK] = "symlink",
	[FILES_TYPE_OTHER] = "other",
};
static_assert(ARRAY_LEN(type_names) == FILES_TYPE_MAX, "one name per type");

const char *files_op_name(enum files_op op)
{
	return op < FILES_OP_MAX ? op_names[op] : "unknown";
}

const char *files_type_name(enum files_type type)
{
	return type < FILES_TYPE_MAX ? type_names[type] : "other";
}

int files_type_parse(const char *word, enum files_type *ret_type, struct err *err)
{
	for (size_t i = 0; i < FILES_TYPE_OTHER; i++) {
		if (streq(type_names[i], word)) {
			*ret_type = (enum files_type)i;
			return 0;
		}
	}
	return err_kind(err, ERR_INVALID,
			"unknown file type \"%s\"; file, directory and symlink are known", word);
}

static const struct wire_field files_request_fields[] = {
	{ 1, WIRE_U32, offsetof(struct files_request, op), NULL },
	{ 2, WIRE_STR, offsetof(struct files_request, path), NULL },
	{ 3, WIRE_STR, offsetof(struct files_request, target), NULL },
	{ 4, WIRE_U32, offsetof(struct files_request, uid), NULL },
	{ 5, WIRE_U32, offsetof(struct files_request, gid), NULL },
	{ 6, WIRE_U32, offsetof(struct files_request, mode), NULL },
	{ 7, WIRE_BOOL, offsetof(struct files_request, append), NULL },
	{ 8, WIRE_BOOL, offsetof(struct files_request, recursive), NULL },
	{ 9, WIRE_BOOL, offsetof(struct files_request, archive), NULL },
	{ 10, WIRE_BOOL, offsetof(struct files_request, parents), NULL },
	{ 11, WIRE_BOOL, offsetof(struct files_request, into), NULL },
	{ 12, WIRE_U32, offsetof(struct files_request, follow), NULL },
	{ 13, WIRE_BYTES, offsetof(struct files_request, early), NULL },
};
WIRE_SCHEMA(files_request, files_request_fields);

static const struct wire_field files_reply_fields[] = {
	{ 1, WIRE_BOOL, offsetof(struct files_reply, done), NULL },
	{ 2, WIRE_I32, offsetof(struct files_reply, code), NULL },
	{ 3, WIRE_U32, offsetof(struct files_reply, kind), NULL },
	{ 4, WIRE_STR, offsetof(struct files_reply, text), NULL },
	{ 5, WIRE_U32, offsetof(struct files_reply, type), NULL },
	{ 6, WIRE_U32, offsetof(struct files_reply, uid), NULL },
	{ 7, WIRE_U32, offsetof(struct files_reply, gid), NULL },
	{ 8, WIRE_U32, offsetof(struct files_reply, mode), NULL },
	{ 9, WIRE_U64, offsetof(struct files_reply, size), NULL },
	{ 10, WIRE_U64, offsetof(struct files_reply, mtime_ns), NULL },
	{ 11, WIRE_STR, offsetof(struct files_reply, target), NULL },
};
WIRE_SCHEMA(files_reply, files_reply_fields);

static const struct wire_field files_job_fields[] = {
	{ 1, WIRE_STRUCT, offsetof(struct files_job, request), &files_request_schema },
	{ 2, WIRE_U32, offsetof(struct files_job, root_kind), NULL },
	{ 3, WIRE_STR, offsetof(struct files_job, root_path), NULL },
	{ 4, WIRE_STR, offsetof(struct files_job, root_lower), NULL },
	{ 5, WIRE_STR, offsetof(struct files_job, place), NULL },
	{ 6, WIRE_U32, offsetof(struct files_job, id_base), NULL },
	{ 7, WIRE_U32, offsetof(struct files_job, id_count), NULL },
};
WIRE_SCHEMA(files_job, files_job_fields);
