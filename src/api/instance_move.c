/* api/instance_move.c - POST on an instance: another name, another pool, another root */
#include "api/handlers.h"
#include "base/str.h"
#include "codec/json.h"
#include "core/inst.h"
#include "core/inst_move.h"

static bool moves(const struct api_req *req, const struct inst *inst)
{
	const char *pool = json_str(req->body, "pool", "");

	return !str_empty(pool) && !streq(pool, inst->record->pool);
}

/* What clients send along when they mean more than a name. */
static int check_move(const struct api_req *req, struct err *err)
{
	const char *pool = json_str(req->body, "pool", "");
	const char *project = json_str(req->body, "project", "");
	const char *target = json_str(req->body, "target", "");

	if (json_is_object(json_get(req->body, "target")) || !str_empty(target))
		return err_kind(err, ERR_UNSUPPORTED,
				"moving to another server is not offered: export and import it");
	if (!str_empty(project) && !streq(project, "default"))
		return err_kind(err, ERR_NOT_FOUND, "Project not found: \"%s\"", project);
	if (json_bool(req->body, "migration", false) && str_empty(pool) && str_empty(project))
		return err_kind(err, ERR_UNSUPPORTED, "migration is not offered");
	return 0;
}

void instance_post(struct api_req *req)
{
	const char *pool = json_str(req->body, "pool", ""), *name = json_str(req->body, "name", "");
	struct op *op = NULL;
	struct inst *inst;
	int r = json_check(req->body, "s:name b:migration s:pool s:project", &req->err);

	if (r == 0)
		r = inst_find(req->core, req->args[0], &inst, &req->err);
	if (r == 0)
		r = check_move(req, &req->err);
	if (r == 0 && moves(req, inst))
		r = inst_move_to_pool(inst, pool, str_empty(name) ? req->args[0] : name, &op,
				      &req->err);
	else if (r == 0)
		r = inst_rename(inst, name, &op, &req->err);
	reply_op_result(req, r, op);
}

static int rebuild(struct api_req *req, struct op **ret_op)
{
	const json_t *source = json_get_object(req->body, "source");
	const char *type = json_str(source, "type", "");
	const char *image = json_str(source, "fingerprint", json_str(source, "alias", NULL));
	struct inst *inst;
	int r = inst_find(req->core, req->args[0], &inst, &req->err);

	if (r < 0)
		return r;
	if (!streq(type, "image") && !streq(type, "none"))
		return err_kind(&req->err, ERR_UNSUPPORTED,
				"source type \"%s\" is not offered; image and none are", type);
	if (!str_empty(json_str(source, "server", "")))
		return err_kind(&req->err, ERR_UNSUPPORTED,
				"images of other servers are not offered: import the image first");
	if (streq(type, "image") && str_empty(image))
		return err_kind(&req->err, ERR_INVALID, "source: fingerprint or alias is missing");
	return inst_rebuild(inst, streq(type, "image") ? image : NULL, ret_op, &req->err);
}

void rebuild_post(struct api_req *req)
{
	struct op *op = NULL;
	int r = rebuild(req, &op);

	reply_op_result(req, r, op);
}
