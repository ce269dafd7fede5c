/*
 * exec/passwd.h - users and groups of the container, read without NSS
 *
 * Layer exec; pure. The texts are the container's: every line may be a lie, none may do harm. A line
 * that is not well-formed does not exist; the first one of a name counts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PASSWD_GROUPS_MAX = 1024, /* supplementary groups of one user */
};

struct passwd_entry {
	char *name;
	uint32_t uid;
	uint32_t gid;
	char *home;
	char *shell;
};
void passwd_entry_done(struct passwd_entry *entry);

/* A user as somebody wrote it: a name, or numbers. */
struct user_ref {
	const char *name; /* NULL: uid counts */
	uint32_t uid;
	bool has_gid; /* "1000:1000" */
	uint32_t gid;
};

/*
 * "root", "1000", "1000:1000". Strict, so that nothing becomes uid 0 by mistake: no sign, no blank,
 * no leading zero, no base, not 4294967295. @text is borrowed. Returns: 0 or -EINVAL.
 */
int user_ref_parse(const char *text, struct user_ref *ret_ref);

/*
 * "wheel" (*@ret_name is @text, borrowed) or "10" (*@ret_name is NULL), as strict as above.
 * Returns: 0 or -EINVAL.
 */
int group_ref_parse(const char *text, const char **ret_name, uint32_t *ret_gid);

/* Look for @name, or for @uid when it is NULL. Returns: 0 or -ENOENT. */
int passwd_find(const char *text, size_t len, const char *name, uint32_t uid,
		struct passwd_entry *ret_entry);

/* The gid of the group @name. Returns: 0 or -ENOENT. */
int passwd_find_group(const char *text, size_t len, const char *name, uint32_t *ret_gid);

/*
 * The groups that list @name as a member, without @primary.
 * Returns: how many; -E2BIG over PASSWD_GROUPS_MAX.
 */
int passwd_find_groups(const char *text, size_t len, const char *name, uint32_t primary,
		       uint32_t ret_gids[PASSWD_GROUPS_MAX]);
