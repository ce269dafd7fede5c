/* storage/mock.c - see mock.h */
#include "storage/mock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "storage/pool.h"
#include "storage/quota.h"
#include "storage/volume.h"

static struct mock *mock_of(struct pool *pool)
{
	return pool->driver_data;
}

/* The failure that the test ordered for @slot, once. */
static int ordered_failure(struct mock *mock, const char *slot, struct err *err)
{
	if (!streq(mock->fail_slot, slot))
		return 0;
	mock->fail_slot = NULL;
	return err_set(err, mock->fail_code, "mock: %s", slot);
}

static int mock_pool_probe(struct pool *pool, const struct storage_ids *ids, struct err *err)
{
	(void)ids;
	return ordered_failure(mock_of(pool), "pool_probe", err);
}

static int mock_volume_exists(struct pool *pool, enum volume_kind kind, const char *name,
			      struct err *err)
{
	int r = volume_check_name(kind, name, err);

	return r < 0 ? r : strmap_has(&mock_of(pool)->volumes[kind], name);
}

static int mock_image_begin(struct pool *pool, const char *image, struct stage *ret_stage,
			    struct err *err)
{
	struct mock *mock = mock_of(pool);
	struct stage stage = { .dir_fd = -EBADF, .root_fd = -EBADF };
	char uuid[UUID_LEN];

	int r = ordered_failure(mock, "image_begin", err);
	if (r == 0)
		r = mock_volume_exists(pool, VOLUME_IMAGE, image, err);
	if (r != 0)
		return r;
	(void)snprintf(stage.name, sizeof(stage.name), ".new-%s", uuid_new(uuid));
	stage.image = xstrdup(image);
	strmap_set(&mock->stages, stage.name, image);
	*ret_stage = stage;
	return 0;
}

static int mock_image_abort(struct pool *pool, struct stage *stage, struct err *err)
{
	(void)err;
	(void)strmap_unset(&mock_of(pool)->stages, stage->name);
	free(stage->image);
	stage->image = NULL;
	return 0;
}

static int mock_image_commit(struct pool *pool, struct stage *stage, struct err *err)
{
	struct mock *mock = mock_of(pool);

	int r = ordered_failure(mock, "image_commit", err);
	if (r == 0 && strmap_has(&mock->volumes[VOLUME_IMAGE], stage->image))
		r = 1;
	else if (r == 0)
		strmap_set(&mock->volumes[VOLUME_IMAGE], stage->image, "");
	(void)mock_image_abort(pool, stage, NULL);
	return r;
}

static int mock_pool_quota(struct pool *pool, const char **ret_how, struct err *err)
{
	struct mock *mock = mock_of(pool);
	int r = ordered_failure(mock, "pool_quota", err);

	if (r == 0 && !mock->quotas)
		r = err_kind(err, ERR_UNSUPPORTED, "a mock is not told to have quotas");
	if (r == 0)
		*ret_how = "memory";
	return r;
}

static int mock_volume_limit(struct pool *pool, const struct volume_limit *limit, struct err *err)
{
	struct mock *mock = mock_of(pool);
	enum volume_kind kind = limit->custom ? VOLUME_CUSTOM : VOLUME_INSTANCE;
	const char *name = limit->stage ? limit->stage : limit->volume, *how;
	const struct strmap *there = limit->stage ? &mock->stages : &mock->volumes[kind];
	int r = ordered_failure(mock, "volume_limit", err);

	if (r == 0)
		r = volume_check_name(kind, name, err);
	if (r == 0 && !strmap_has(there, name))
		r = err_kind(err, ERR_NOT_FOUND, "%s \"%s\" not found", volume_kind_word(kind),
			     name);
	if (r < 0 || limit->bytes == 0)
		return r;
	r = mock_pool_quota(pool, &how, err);
	return r == 0 && limit->bytes < mock->used_bytes
		       ? quota_too_small("the volume", limit->bytes, mock->used_bytes, err)
		       : r;
}

static int mock_volume_create(struct pool *pool, const char *volume, const char *image,
			      uint64_t quota_bytes, struct err *err)
{
	struct mock *mock = mock_of(pool);
	const char *how;

	int r = quota_bytes ? mock_pool_quota(pool, &how, err) : 0;
	if (r == 0)
		r = ordered_failure(mock, "volume_create", err);
	if (r == 0)
		r = mock_volume_exists(pool, VOLUME_INSTANCE, volume, err);
	if (r != 0)
		return r;
	if (image)
		r = mock_volume_exists(pool, VOLUME_IMAGE, image, err);
	if (r < 0)
		return r;
	if (image && r == 0)
		return err_kind(err, ERR_NOT_FOUND, "image \"%s\" is not unpacked in pool \"%s\"",
				image, pool->name);
	if (pool_cancelled(pool))
		return err_kind(err, ERR_CANCELLED, "cancelled");
	strmap_set(&mock->volumes[VOLUME_INSTANCE], volume, image ? image : "");
	return 0;
}

/* S3 */
static int renamed_already(struct pool *pool, const char *volume, const char *new_name,
			   struct err *err)
{
	int r = mock_volume_exists(pool, VOLUME_INSTANCE, new_name, err);

	return r != 0 ? r
		      : err_kind(err, ERR_NOT_FOUND, "instance volume \"%s\" not found", volume);
}

static int mock_volume_rename(struct pool *pool, const char *volume, const char *new_name,
			      struct err *err)
{
	struct mock *mock = mock_of(pool);
	struct strmap *volumes = &mock->volumes[VOLUME_INSTANCE];

	int r = ordered_failure(mock, "volume_rename", err);
	if (r == 0)
		r = volume_check_name(VOLUME_INSTANCE, new_name, err);
	if (r == 0)
		r = mock_volume_exists(pool, VOLUME_INSTANCE, volume, err);
	if (r < 0)
		return r;
	if (r == 0)
		return renamed_already(pool, volume, new_name, err);
	if (strmap_has(&mock->used, volume) || strmap_has(volumes, new_name))
		return err_kind(err, ERR_CONFLICT, "instance volume \"%s\" is in use", volume);
	strmap_set_take(volumes, new_name, strmap_take(volumes, volume));
	return 0;
}

static int mock_volume_hide(struct pool *pool, enum volume_kind kind, const char *name,
			    char ret_trash[UUID_LEN], struct err *err)
{
	struct mock *mock = mock_of(pool);

	int r = ordered_failure(mock, "volume_hide", err);
	if (r == 0)
		r = mock_volume_exists(pool, kind, name, err);
	if (r < 0)
		return r;
	if (r == 0)
		return 1;
	if (kind == VOLUME_INSTANCE && strmap_has(&mock->used, name))
		return err_kind(err, ERR_CONFLICT, "instance volume \"%s\" is in use", name);
	(void)strmap_unset(&mock->volumes[kind], name);
	strmap_set(&mock->trash, uuid_new(ret_trash), name);
	return 0;
}

static int mock_volume_free(struct pool *pool, const char *trash, struct err *err)
{
	int r = ordered_failure(mock_of(pool), "volume_free", err);

	if (r == 0)
		(void)strmap_unset(&mock_of(pool)->trash, trash);
	return r;
}

static int mock_trash_empty(struct pool *pool, struct err *err)
{
	int r = ordered_failure(mock_of(pool), "trash_empty", err);

	if (r == 0)
		strmap_done(&mock_of(pool)->trash);
	return r;
}

static int check_there(struct pool *pool, enum volume_kind kind, const char *name, struct err *err)
{
	int r = mock_volume_exists(pool, kind, name, err);

	if (r == 0)
		return err_kind(err, ERR_NOT_FOUND, "\"%s\" is not in pool \"%s\"", name,
				pool->name);
	return MIN(r, 0);
}

static int mock_copy_begin(struct pool *pool, const char *stage, struct copy_stage *ret_stage,
			   struct err *err)
{
	struct mock *mock = mock_of(pool);
	int r = ordered_failure(mock, "copy_begin", err);

	if (r == 0)
		r = volume_check_name(VOLUME_SNAPSHOT, stage, err);
	if (r < 0)
		return r;
	if (strmap_has(&mock->stages, stage))
		return err_set(err, -EEXIST, "make stage \"%s\"", stage);
	strmap_set(&mock->stages, stage, "");
	*ret_stage = (struct copy_stage){ .fd = -EBADF, .root_fd = -EBADF };
	return 0;
}

static int mock_copy_fill(struct pool *pool, const struct copy_request *request, struct err *err)
{
	struct mock *mock = mock_of(pool);
	int r = ordered_failure(mock, "copy_fill", err);

	if (r == 0)
		r = volume_check_name(VOLUME_SNAPSHOT, request->stage, err);
	if (r == 0)
		r = check_there(pool, request->kind, request->volume, err);
	if (r == 0 && request->older)
		r = check_there(pool, VOLUME_INSTANCE, request->older, err);
	if (r < 0)
		return r;
	if (request->pass == COPY_REST && !strmap_has(&mock->stages, request->stage))
		return err_kind(err, ERR_NOT_FOUND, "the first copy of \"%s\" is gone",
				request->volume);
	if (pool_cancelled(pool))
		return err_kind(err, ERR_CANCELLED, "cancelled");
	strmap_set(&mock->stages, request->stage,
		   strmap_get(&mock->volumes[request->kind], request->volume));
	return 0;
}

static int mock_copy_commit(struct pool *pool, const char *stage, enum volume_kind kind,
			    const char *name, char ret_trash[UUID_LEN], struct err *err)
{
	struct mock *mock = mock_of(pool);
	int there, r = ordered_failure(mock, "copy_commit", err);

	if (r < 0)
		return r;
	there = mock_volume_exists(pool, kind, name, err);
	if (there < 0)
		return there;
	ret_trash[0] = '\0';
	if (!strmap_has(&mock->stages, stage))
		return there && kind != VOLUME_INSTANCE
			       ? 1
			       : err_set(err, -ENOENT, "open stage \"%s\"", stage);
	if (there && strmap_has(&mock->used, name))
		return err_kind(err, ERR_CONFLICT, "instance volume \"%s\" is in use", name);
	if (there)
		strmap_set(&mock->trash, uuid_new(ret_trash), name);
	strmap_set(&mock->volumes[kind], name, strmap_get(&mock->stages, stage));
	(void)strmap_unset(&mock->stages, stage);
	return 0;
}

static int mock_copy_abort(struct pool *pool, const char *stage, struct err *err)
{
	(void)err;
	(void)strmap_unset(&mock_of(pool)->stages, stage);
	return 0;
}

static int mock_volume_usage(struct pool *pool, enum volume_kind kind, const char *name,
			     uint64_t *ret_bytes, struct err *err)
{
	int r = check_there(pool, kind, name, err);

	if (r == 0)
		*ret_bytes = 0;
	return r;
}

static const struct storage_driver mock_driver = {
	.name = "mock",
	.caps = STORAGE_CAP_SHARED_IMAGE,
	.pool_probe = mock_pool_probe,
	.image_begin = mock_image_begin,
	.image_commit = mock_image_commit,
	.image_abort = mock_image_abort,
	.volume_create = mock_volume_create,
	.volume_rename = mock_volume_rename,
	.volume_hide = mock_volume_hide,
	.volume_free = mock_volume_free,
	.trash_empty = mock_trash_empty,
	.volume_exists = mock_volume_exists,
	.copy_begin = mock_copy_begin,
	.copy_fill = mock_copy_fill,
	.copy_commit = mock_copy_commit,
	.copy_abort = mock_copy_abort,
	.volume_usage = mock_volume_usage,
	.pool_quota = mock_pool_quota,
	.volume_limit = mock_volume_limit,
};

void mock_pool_init(struct mock *mock, struct pool *ret_pool)
{
	*ret_pool = (struct pool){ .name = xstrdup("mock"),
				   .dir = xstrdup("/"),
				   .dir_fd = -EBADF,
				   .driver = &mock_driver,
				   .driver_data = mock };
}

void mock_done(struct mock *mock)
{
	for (size_t kind = 0; kind < VOLUME_KIND_MAX; kind++)
		strmap_done(&mock->volumes[kind]);
	strmap_done(&mock->used);
	strmap_done(&mock->trash);
	strmap_done(&mock->stages);
}
