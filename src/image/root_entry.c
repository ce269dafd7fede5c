/* image/root_entry.c - see root_entry.h */
#include "image/root_entry.h"

#include <stddef.h>

#include "base/mem.h"
#include "base/str.h"

enum {
	IDS_MAX = 65536
};

static int refuse(const char *name, const char *why, struct err *err)
{
	_cleanup_(freep) char *shown = str_printable(name, false);

	return err_kind(err, ERR_INVALID, "archive entry \"%.200s\": %s", shown, why);
}

static bool is_id(int64_t id)
{
	return id >= 0 && id < IDS_MAX;
}

static int map_hardlink(enum entry_layout layout, struct archive_entry *entry, const char *name,
			struct err *err)
{
	const char *raw = archive_entry_hardlink(entry);
	char target[PATH_MAX];

	if (!raw)
		return 0;
	int r = entry_normalize(raw, target, err);
	if (r < 0)
		return r;
	const char *below = entry_below_root(layout, target);
	if (!below || *below == '\0')
		return refuse(name, "is a hard link to something outside of the root file system",
			      err);
	archive_entry_set_hardlink(entry, below);
	return 0;
}

int root_entry_check(enum entry_layout layout, struct archive_entry *entry, const char *name,
		     struct err *err)
{
	unsigned int type = archive_entry_filetype(entry);
	bool is_link = archive_entry_hardlink(entry) != NULL;

	if (*name == '\0' && (type != AE_IFDIR || is_link))
		return refuse("rootfs", "is no directory", err);
	if (!is_link && type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK &&
	    type != AE_IFIFO)
		return 1;
	if (!is_id(archive_entry_uid(entry)) || !is_id(archive_entry_gid(entry)))
		return refuse(name, "its owner is not in the range 0 to 65535", err);
	return map_hardlink(layout, entry, name, err);
}
