/* api/remote_images.c - GET /1.0/remote-images: what an image server has (ours) */
#include <stdlib.h>
#include <unistd.h>

#include "api/handlers.h"
#include "api/objects.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/image_remote.h"
#include "core/op.h"

struct listing {
	struct api_req *req;
	struct op *op;
	struct op_waiter waiter;
	int fd;
};

static void write_aliases(struct jsonw *w, char *const *aliases)
{
	jsonw_add_array(w, "aliases");
	for (; aliases && *aliases; aliases++) {
		jsonw_begin_object(w);
		jsonw_add_str(w, "name", *aliases);
		jsonw_add_str(w, "description", "");
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

/* As images of the local store are shown, as far as a server tells. */
static void write_remote_image(struct jsonw *w, const struct remote_image *image)
{
	jsonw_begin_object(w);
	jsonw_add_str(w, "fingerprint", image->fingerprint);
	write_aliases(w, image->aliases);
	jsonw_add_str(w, "architecture", image->architecture);
	jsonw_add_bool(w, "auto_update", false);
	jsonw_add_bool(w, "cached", false);
	write_time(w, "created_at", image->created_wall_ns);
	write_time(w, "uploaded_at", image->created_wall_ns);
	jsonw_add_strmap(w, "properties", &image->properties);
	jsonw_add_bool(w, "public", true);
	jsonw_add_u64(w, "size", image->size_bytes);
	jsonw_add_str(w, "type", "container");
	jsonw_end_object(w);
}

static int write_list(struct api_req *req, int fd)
{
	struct remote_images list = { 0 };
	int r = remote_images_read(fd, &list, &req->err);

	if (r == 0) {
		jsonw_begin_array(&req->json);
		vec_for_each(image, &list.images)
			write_remote_image(&req->json, image);
		jsonw_end_array(&req->json);
	}
	wire_free(&remote_images_schema, &list);
	return r;
}

static void finish(struct listing *listing, bool whole)
{
	reply_result(listing->req,
		     whole ? write_list(listing->req, listing->fd) : listing->req->err.code);
	(void)close(listing->fd);
	op_unref(listing->op);
	free(listing);
}

static void listed(struct op_waiter *waiter, struct op *op)
{
	struct listing *listing = container_of(waiter, struct listing, waiter);

	listing->req->err = op->err;
	finish(listing, op->status == OP_SUCCESS);
}

/* Nobody reads it any more. */
static void gone(void *data)
{
	struct listing *listing = data;

	op_wait_cancel(&listing->waiter);
	(void)op_cancel(listing->op, NULL); /* it may be over by now */
	(void)err_kind(&listing->req->err, ERR_CANCELLED, "cancelled");
	finish(listing, false);
}

void remote_images_list(struct api_req *req)
{
	struct listing *listing;
	struct op *op = NULL;
	int fd = -1;

	if (remote_images_fetch(req->core, api_query(req, "server"), &fd, &op, &req->err) < 0) {
		reply_error(req);
		return;
	}
	op->creator_uid = http_req_peer(req->http)->uid;
	listing = xcalloc(1, sizeof(*listing));
	listing->req = req;
	listing->op = op_ref(op);
	listing->fd = fd;
	listing->waiter.done = listed;
	op_wait(op, &listing->waiter);
	http_req_on_gone(req->http, gone, listing);
}
