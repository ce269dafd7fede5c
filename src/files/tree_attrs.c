/* files/tree_attrs.c - see tree_attrs.h */
#include "files/tree_attrs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

enum {
	XATTR_NAMES_MAX = 64 * 1024,
	XATTR_VALUE_MAX = 64 * 1024,
	XATTRS_MAX = 128 * 1024 /* of one entry */
};

/* Others belong to the host, to security modules, or to overlayfs. */
static bool is_copied(const char *name, bool confined)
{
	if (str_after(name, "user."))
		return true;
	return !confined &&
	       (streq(name, "security.capability") || streq(name, "system.posix_acl_access") ||
		streq(name, "system.posix_acl_default"));
}

static void read_xattr(int fd, const char *name, char *value, struct tree_entry *entry,
		       size_t *total)
{
	ssize_t len = fgetxattr(fd, name, value, XATTR_VALUE_MAX);
	struct tree_xattr *xattr;

	if (len < 0 || *total + (size_t)len > XATTRS_MAX)
		return;
	*total += (size_t)len;
	xattr = vec_push(&entry->xattrs);
	xattr->name = xstrdup(name);
	buf_add(&xattr->value, value, (size_t)len);
}

static void read_xattrs(int fd, struct tree_entry *entry)
{
	_cleanup_(freep) char *names = xmalloc(XATTR_NAMES_MAX);
	_cleanup_(freep) char *value = NULL;
	ssize_t len = flistxattr(fd, names, XATTR_NAMES_MAX);
	size_t total = 0;

	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1) {
		if (!is_copied(names + at, false))
			continue;
		if (!value)
			value = xmalloc(XATTR_VALUE_MAX);
		read_xattr(fd, names + at, value, entry, &total);
	}
}

void tree_attrs_read(const char *name, const struct stat *st, int fd, bool archive,
		     struct tree_entry *ret_entry)
{
	*ret_entry = (struct tree_entry){
		.name = xstrdup(name),
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0,
		.mtime_s = st->st_mtim.tv_sec,
		.atime_s = st->st_atim.tv_sec,
		.mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
		.atime_ns = (uint32_t)st->st_atim.tv_nsec,
	};
	if (archive && fd >= 0)
		read_xattrs(fd, ret_entry);
}

mode_t tree_attrs_mode(const struct tree_receive_plan *plan, const struct tree_entry *entry,
		       bool is_dir)
{
	if (plan->archive)
		return entry->mode & (plan->confined ? 0777 : 07777);
	if (!is_dir && plan->mode != FILES_NO_MODE)
		return plan->mode & 07777;
	if (!plan->fixed_modes)
		return entry->mode & 0777;
	return is_dir || (entry->mode & 0111) ? 0755 : 0644;
}

static int apply_owner(const struct tree_receive_plan *plan, const struct tree_entry *entry, int fd,
		       bool created)
{
	if (plan->archive) {
		/* who is not root keeps what is his, as with cp -a */
		if (fchown(fd, entry->uid, entry->gid) < 0 && !(errno == EPERM && plan->confined))
			return -errno;
		return 0;
	}
	if (!created && plan->uid == FILES_NO_ID && plan->gid == FILES_NO_ID)
		return 0;
	if (plan->uid == FILES_NO_ID && plan->gid == FILES_NO_ID)
		return 0;
	return fchown(fd, plan->uid, plan->gid) < 0 ? -errno : 0;
}

static int apply_xattrs(const struct tree_receive_plan *plan, const struct tree_entry *entry,
			int fd)
{
	vec_for_each(xattr, &entry->xattrs) {
		if (str_empty(xattr->name) || !is_copied(xattr->name, plan->confined))
			continue;
		if (fsetxattr(fd, xattr->name, xattr->value.data, xattr->value.len, 0) < 0 &&
		    errno != EOPNOTSUPP)
			return -errno;
	}
	return 0;
}

static void get_times(const struct tree_entry *entry, struct timespec ret_times[2])
{
	ret_times[0] = (struct timespec){ entry->atime_s, entry->atime_ns % 1000000000u };
	ret_times[1] = (struct timespec){ entry->mtime_s, entry->mtime_ns % 1000000000u };
}

int tree_attrs_apply(const struct tree_receive_plan *plan, const struct tree_entry *entry, int fd,
		     bool created)
{
	struct timespec times[2];
	struct stat st;
	int r = apply_owner(plan, entry, fd, created);

	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	/* behind the owner, whose change drops set-id bits; a new one without either had its umask */
	if ((plan->archive || (plan->mode != FILES_NO_MODE && S_ISREG(st.st_mode)) ||
	     (created && plan->fixed_modes)) &&
	    fchmod(fd, tree_attrs_mode(plan, entry, S_ISDIR(st.st_mode))) < 0)
		return -errno;
	if (!plan->archive)
		return 0;
	r = apply_xattrs(plan, entry, fd);
	get_times(entry, times);
	if (r == 0 && futimens(fd, times) < 0)
		r = -errno;
	return r;
}

int tree_attrs_link(const struct tree_receive_plan *plan, const struct tree_entry *entry,
		    int dir_fd, const char *name)
{
	uint32_t uid = plan->archive ? entry->uid : plan->uid;
	uint32_t gid = plan->archive ? entry->gid : plan->gid;
	struct timespec times[2];

	if (!(uid == FILES_NO_ID && gid == FILES_NO_ID) &&
	    fchownat(dir_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 &&
	    !(errno == EPERM && plan->confined))
		return -errno;
	if (!plan->archive)
		return 0;
	get_times(entry, times);
	return utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}
