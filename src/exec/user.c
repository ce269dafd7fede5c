/* exec/user.c - see user.h */
#include "exec/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macro.h"
#include "os/fd.h"
#include "os/path.h"

enum {
	FILE_MAX_BYTES = 4 * 1024 * 1024
};

/*
 * A file of the container, which may be anything: a link is followed inside, a FIFO or a device is
 * not waited for, a huge one is refused before it is read.
 */
static int read_file(const char *path, struct buf *out)
{
	_cleanup_(fd_closep) int fd =
		path_openat2(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
			     RESOLVE_NO_MAGICLINKS);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > FILE_MAX_BYTES)
		return -EFBIG;
	return fd_read_all(fd, FILE_MAX_BYTES, out);
}

static int find_entry(const struct user_ref *ref, struct user *user)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	int r = read_file("/etc/passwd", &text);

	if (r == 0)
		r = passwd_find(buf_str(&text), text.len, ref->name, ref->uid, &user->entry);
	user->has_entry = r == 0;
	return r;
}

static int find_groups(struct user *user, struct err *err)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	uint32_t gids[PASSWD_GROUPS_MAX];
	int r = read_file("/etc/group", &text);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(err, r, "read /etc/group of the container");
	r = passwd_find_groups(buf_str(&text), text.len, user->entry.name, user->gid, gids);
	if (r < 0)
		return err_set(err, r, "groups of user \"%s\"", user->entry.name);
	for (int i = 0; i < r; i++)
		user->groups[i] = gids[i];
	user->n_groups = (size_t)r;
	return 0;
}

/* What was written as text: its entry counts, with all groups, unless "uid:gid" says it all. */
static int resolve_text(const char *text, struct user *user, struct err *err)
{
	struct user_ref ref;
	int r = user_ref_parse(text, &ref);

	if (r < 0)
		return err_kind(err, ERR_INVALID,
				"\"%.64s\" is not a user: give a name, UID or UID:GID", text);
	r = find_entry(&ref, user);
	if (ref.has_gid) {
		user->uid = ref.uid;
		user->gid = ref.gid;
		return 0;
	}
	if (r == -ENOENT && ref.name)
		return err_kind(err, ERR_NOT_FOUND, "the container has no user \"%s\"", text);
	if (r == -ENOENT)
		return err_kind(err, ERR_NOT_FOUND,
				"uid %" PRIu32
				" has no entry in the container's passwd: give UID:GID",
				ref.uid);
	if (r < 0)
		return err_set(err, r, "read /etc/passwd of the container");
	user->uid = user->entry.uid;
	user->gid = user->entry.gid;
	return find_groups(user, err);
}

static int find_group(const char *name, gid_t *ret_gid, struct err *err)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	uint32_t gid;
	int r = read_file("/etc/group", &text);

	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "read /etc/group of the container");
	if (r < 0 || passwd_find_group(buf_str(&text), text.len, name, &gid) < 0)
		return err_kind(err, ERR_NOT_FOUND, "the container has no group \"%s\"", name);
	*ret_gid = gid;
	return 0;
}

static int resolve_group(const char *text, struct user *user, struct err *err)
{
	const char *name;
	uint32_t gid;

	if (group_ref_parse(text, &name, &gid) < 0)
		return err_kind(err, ERR_INVALID, "\"%.64s\" is not a group: give a name or GID",
				text);
	if (name)
		return find_group(name, &user->gid, err);
	user->gid = gid;
	return 0;
}

static int resolve_user(const struct session_spec *spec, struct user *ret_user, struct err *err)
{
	struct user_ref ref = { .uid = spec->uid };

	if (spec->user)
		return resolve_text(spec->user, ret_user, err);
	if (spec->uid == UINT32_MAX || spec->gid == UINT32_MAX)
		return err_kind(err, ERR_INVALID, "uid and gid must be below 4294967295");
	/* for its home and shell only: a container without passwd runs commands too */
	(void)find_entry(&ref, ret_user);
	return 0;
}

int user_resolve(const struct session_spec *spec, struct user *ret_user, struct err *err)
{
	int r;

	*ret_user = (struct user){ .uid = spec->uid, .gid = spec->gid };
	r = resolve_user(spec, ret_user, err);
	return r == 0 && spec->group ? resolve_group(spec->group, ret_user, err) : r;
}

int user_become(const struct user *user, struct err *err)
{
	if (setgroups(user->n_groups, user->groups) < 0)
		return err_set(err, -errno, "set supplementary groups");
	if (setresgid(user->gid, user->gid, user->gid) < 0)
		return err_set(err, -errno, "become gid %u", user->gid);
	if (setresuid(user->uid, user->uid, user->uid) < 0)
		return err_set(err, -errno, "become uid %u", user->uid);
	return 0;
}
