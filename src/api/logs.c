/*
 * api/logs.c - /1.0/instances/{name}/logs: what the monitor and recorded commands wrote
 *
 * All lie in one directory of the host that no container sees. "lxc.log" is what other clients call
 * the log of the start; recorded output has a second URL below exec-output/, which Incus uses.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/handlers.h"
#include "api/objects.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"

#define RECORDED "exec_"

static void list(struct api_req *req, const char *below, const char *prefix)
{
	_cleanup_(freep) char *path = NULL;
	struct inst *inst;
	DIR *dir;

	if (inst_find(req->core, req->args[0], &inst, &req->err) < 0) {
		reply_error(req);
		return;
	}
	path = inst_log_dir(inst);
	dir = opendir(path); /* not there before its first start */
	jsonw_begin_array(&req->json);
	for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
		_cleanup_(freep) char *collection =
			xasprintf("%s/%s/%s", req->collection, inst->record->name, below);

		if (entry->d_name[0] != '.' && str_after(entry->d_name, prefix))
			write_url(&req->json, collection, entry->d_name);
	}
	jsonw_end_array(&req->json);
	if (dir)
		(void)closedir(dir);
	reply_sync(req);
}

void logs_list(struct api_req *req)
{
	list(req, "logs", "");
}

void exec_output_list(struct api_req *req)
{
	list(req, "logs/exec-output", RECORDED);
}

/* Returns: its path; NULL for a name that no log has. */
static char *path_of(const struct inst *inst, const char *file)
{
	_cleanup_(freep) char *dir = inst_log_dir(inst);

	if (*file == '.' || strchr(file, '/'))
		return NULL;
	return xasprintf("%s/%s", dir, streq(file, "lxc.log") ? "monitor.log" : file);
}

static int not_found(struct api_req *req)
{
	return err_kind(&req->err, ERR_NOT_FOUND, "Log file not found: \"%s\"", req->args[1]);
}

void log_get(struct api_req *req)
{
	_cleanup_(freep) char *path = NULL;
	struct inst *inst;
	int fd = -EBADF;
	int r = inst_find(req->core, req->args[0], &inst, &req->err);

	if (r == 0) {
		path = path_of(inst, req->args[1]);
		fd = path ? open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -ENOENT;
		r = fd < 0 ? not_found(req) : 0;
	}
	if (r < 0)
		reply_error(req);
	else
		reply_file(req, fd, req->args[1]);
}

/* The logs of the start and of the console are being written: only records can go. */
void log_delete(struct api_req *req)
{
	_cleanup_(freep) char *path = NULL;
	struct inst *inst;
	int r = inst_find(req->core, req->args[0], &inst, &req->err);

	if (r == 0 && !str_after(req->args[1], RECORDED))
		r = err_kind(&req->err, ERR_INVALID,
			     "only recorded output can be deleted, not \"%s\"", req->args[1]);
	if (r == 0) {
		path = path_of(inst, req->args[1]);
		r = !path || unlink(path) < 0 ? not_found(req) : 0;
	}
	reply_result(req, r);
}
