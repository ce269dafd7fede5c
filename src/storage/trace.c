/* storage/trace.c - see trace.h */
#include "storage/trace.h"

#include <stdio.h>

#include "base/mem.h"
#include "storage/pool.h"

enum {
	LINE_LEN = 256
};

static struct pool *inner_of(struct pool *pool)
{
	struct trace *trace = pool->driver_data;

	return trace->inner;
}

static const struct storage_driver *driver_of(struct pool *pool)
{
	return inner_of(pool)->driver;
}

/* Tell, and pass @r on. */
static int tell(struct pool *pool, const char *slot, const char *object, int r)
{
	struct trace *trace = pool->driver_data;
	char line[LINE_LEN];

	(void)snprintf(line, sizeof(line), "%s%s%s -> %d", slot, object ? " " : "",
		       object ? object : "", r);
	trace->cb(trace->data, line);
	return r;
}

static int trace_pool_probe(struct pool *pool, const struct storage_ids *ids, struct err *err)
{
	return tell(pool, "pool_probe", NULL,
		    driver_of(pool)->pool_probe(inner_of(pool), ids, err));
}

static int trace_image_begin(struct pool *pool, const char *image, struct stage *ret_stage,
			     struct err *err)
{
	return tell(pool, "image_begin", image,
		    driver_of(pool)->image_begin(inner_of(pool), image, ret_stage, err));
}

static int trace_image_commit(struct pool *pool, struct stage *stage, struct err *err)
{
	_cleanup_(freep) char *image = xstrdup(stage->image);

	return tell(pool, "image_commit", image,
		    driver_of(pool)->image_commit(inner_of(pool), stage, err));
}

static int trace_image_abort(struct pool *pool, struct stage *stage, struct err *err)
{
	_cleanup_(freep) char *image = xstrdup(stage->image);

	return tell(pool, "image_abort", image,
		    driver_of(pool)->image_abort(inner_of(pool), stage, err));
}

static int trace_volume_create(struct pool *pool, const char *volume, const char *image,
			       uint64_t quota_bytes, struct err *err)
{
	return tell(pool, "volume_create", volume,
		    driver_of(pool)->volume_create(inner_of(pool), volume, image, quota_bytes,
						   err));
}

static int trace_volume_rename(struct pool *pool, const char *volume, const char *new_name,
			       struct err *err)
{
	return tell(pool, "volume_rename", volume,
		    driver_of(pool)->volume_rename(inner_of(pool), volume, new_name, err));
}

static int trace_volume_hide(struct pool *pool, enum volume_kind kind, const char *name,
			     char ret_trash[UUID_LEN], struct err *err)
{
	return tell(pool, "volume_hide", name,
		    driver_of(pool)->volume_hide(inner_of(pool), kind, name, ret_trash, err));
}

static int trace_volume_free(struct pool *pool, const char *trash, struct err *err)
{
	return tell(pool, "volume_free", NULL,
		    driver_of(pool)->volume_free(inner_of(pool), trash, err));
}

static int trace_trash_empty(struct pool *pool, struct err *err)
{
	return tell(pool, "trash_empty", NULL, driver_of(pool)->trash_empty(inner_of(pool), err));
}

static int trace_volume_exists(struct pool *pool, enum volume_kind kind, const char *name,
			       struct err *err)
{
	return tell(pool, "volume_exists", name,
		    driver_of(pool)->volume_exists(inner_of(pool), kind, name, err));
}

static int trace_copy_begin(struct pool *pool, const char *stage, struct copy_stage *ret_stage,
			    struct err *err)
{
	return tell(pool, "copy_begin", stage,
		    driver_of(pool)->copy_begin(inner_of(pool), stage, ret_stage, err));
}

static int trace_copy_fill(struct pool *pool, const struct copy_request *request, struct err *err)
{
	return tell(pool, "copy_fill", request->volume,
		    driver_of(pool)->copy_fill(inner_of(pool), request, err));
}

static int trace_copy_commit(struct pool *pool, const char *stage, enum volume_kind kind,
			     const char *name, char ret_trash[UUID_LEN], struct err *err)
{
	return tell(pool, "copy_commit", name,
		    driver_of(pool)->copy_commit(inner_of(pool), stage, kind, name, ret_trash,
						 err));
}

static int trace_copy_abort(struct pool *pool, const char *stage, struct err *err)
{
	return tell(pool, "copy_abort", NULL,
		    driver_of(pool)->copy_abort(inner_of(pool), stage, err));
}

static int trace_volume_usage(struct pool *pool, enum volume_kind kind, const char *name,
			      uint64_t *ret_bytes, struct err *err)
{
	return tell(pool, "volume_usage", name,
		    driver_of(pool)->volume_usage(inner_of(pool), kind, name, ret_bytes, err));
}

static int trace_pool_quota(struct pool *pool, const char **ret_how, struct err *err)
{
	return tell(pool, "pool_quota", NULL,
		    driver_of(pool)->pool_quota(inner_of(pool), ret_how, err));
}

static int trace_volume_limit(struct pool *pool, const struct volume_limit *limit, struct err *err)
{
	return tell(pool, "volume_limit", limit->stage ? limit->stage : limit->volume,
		    driver_of(pool)->volume_limit(inner_of(pool), limit, err));
}

static const struct storage_driver trace_driver = {
	.name = "trace",
	.caps = 0,
	.pool_probe = trace_pool_probe,
	.image_begin = trace_image_begin,
	.image_commit = trace_image_commit,
	.image_abort = trace_image_abort,
	.volume_create = trace_volume_create,
	.volume_rename = trace_volume_rename,
	.volume_hide = trace_volume_hide,
	.volume_free = trace_volume_free,
	.trash_empty = trace_trash_empty,
	.volume_exists = trace_volume_exists,
	.copy_begin = trace_copy_begin,
	.copy_fill = trace_copy_fill,
	.copy_commit = trace_copy_commit,
	.copy_abort = trace_copy_abort,
	.volume_usage = trace_volume_usage,
	.pool_quota = trace_pool_quota,
	.volume_limit = trace_volume_limit,
};

void trace_pool_init(struct trace *trace, struct pool *ret_pool)
{
	*ret_pool = (struct pool){ .name = xstrdup(trace->inner->name),
				   .dir = xstrdup(trace->inner->dir),
				   .dir_fd = -1,
				   .driver = &trace_driver,
				   .driver_data = trace };
}
