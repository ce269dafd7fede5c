/*
 * client/operation.h - waiting for what the daemon does in the background
 *
 * The first second is one long-polled request; only what takes longer costs an events WebSocket,
 * which then brings progress as it happens.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"

struct client;

struct operation_watch {
	/* The operation runs for over a second and has changed; NULL to ignore. */
	void (*progress)(void *data, const json_t *operation);

	/*
	 * The interrupt descriptor became readable; drains it. Returns: 0 after asking the daemon to
	 * cancel (waiting goes on), -EINTR to give up. NULL: give up at once.
	 */
	int (*interrupted)(void *data, const char *id);
	void *data;
};

enum {
	OPERATION_SUCCESS = 200,
	OPERATION_FAILURE = 400,
	OPERATION_CANCELLED = 401
};

/*
 * Wait until operation @id is final. @watch: NULL for none.
 *
 * Returns: 0 when it succeeded; its own error as ERR_INTERNAL or ERR_CANCELLED. In both cases
 * *@ret_operation (NULL allowed) is the owned final object; it stays NULL when that was never seen.
 */
int operation_wait(struct client *client, const char *id, const struct operation_watch *watch,
		   int interrupt_fd, json_t **ret_operation, struct err *err);

/* Ask for it to be undone; it still has to be waited for. */
int operation_cancel(struct client *client, const char *id, struct err *err);
