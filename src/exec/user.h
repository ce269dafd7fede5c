/*
 * exec/user.h - who the command runs as, looked up inside the container
 *
 * Layer exec. May block on a file system that the container made; the monitor has a timeout.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "exec/passwd.h"
#include "spec/msg.h"

struct user {
	uid_t uid;
	gid_t gid;
	size_t n_groups;
	gid_t groups[PASSWD_GROUPS_MAX];
	bool has_entry;
	struct passwd_entry entry;
};

/*
 * Resolve spec->user, else spec->uid and gid; then spec->group. Call in the container, as its root.
 * Errors: ERR_INVALID, ERR_NOT_FOUND (no such user or group, or a number alone without an entry).
 */
int user_resolve(const struct session_spec *spec, struct user *ret_user, struct err *err);

/* Become exactly that; as other than root all capabilities are gone afterwards. */
int user_become(const struct user *user, struct err *err);
