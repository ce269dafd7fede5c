/* image/entry.c - see entry.h */
#include "image/entry.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"

static int refuse(const char *name, const char *why, struct err *err)
{
	_cleanup_(freep) char *shown = str_printable(name, false);

	return err_kind(err, ERR_INVALID, "archive entry \"%.200s\": %s", shown, why);
}

int entry_normalize(const char *name, char ret_name[PATH_MAX], struct err *err)
{
	size_t len = 0;
	int depth = 0;

	if (*name == '/')
		return refuse(name, "its name is absolute", err);
	for (const char *p = name; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");
		const char *part = p;
		p += n;
		if (n == 1 && part[0] == '.')
			continue;
		if (n == 2 && part[0] == '.' && part[1] == '.')
			return refuse(name, "its name contains \"..\"", err);
		if (n > NAME_MAX || len + n + 2 > PATH_MAX)
			return refuse(name, "its name is too long", err);
		if (++depth > ENTRY_DEPTH_MAX)
			return refuse(name, "it is too deep", err);
		if (len > 0)
			ret_name[len++] = '/';
		memcpy(ret_name + len, part, n);
		len += n;
	}
	ret_name[len] = '\0';
	return 0;
}

/* The rest of @name below the directory @dir: "" for itself, NULL when it is elsewhere. */
static const char *below(const char *name, const char *dir)
{
	const char *rest = str_after(name, dir);

	if (!rest || *rest == '\0')
		return rest;
	return *rest == '/' ? rest + 1 : NULL;
}

enum entry_layout entry_guess_layout(const char *name)
{
	if (*name == '\0')
		return ENTRY_LAYOUT_UNKNOWN;
	if (streq(name, "metadata.yaml") || below(name, "rootfs") || below(name, "templates"))
		return ENTRY_LAYOUT_UNIFIED;
	return ENTRY_LAYOUT_PLAIN;
}

const char *entry_below_root(enum entry_layout layout, const char *name)
{
	if (layout == ENTRY_LAYOUT_UNIFIED)
		return below(name, "rootfs");
	return layout == ENTRY_LAYOUT_PLAIN || *name == '\0' ? name : NULL;
}

bool entry_is_root_marker(const char *name)
{
	static const char *const markers[] = { "etc",	  "bin",      "sbin/init",
					       "usr/bin", "usr/sbin", NULL };

	for (size_t i = 0; markers[i]; i++)
		if (below(name, markers[i]))
			return true;
	return false;
}

bool entry_keeps_xattr(const char *name)
{
	if (str_after(name, "trusted."))
		return false;
	if (str_after(name, "security."))
		return streq(name, "security.capability");
	return true;
}
