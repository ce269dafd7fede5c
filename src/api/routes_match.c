/* api/routes_match.c - the matcher of routes.h; pure */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/url.h"

/* Whether the @segments fit; what they capture is pushed to *@args. */
static bool pattern_fits(char **pattern, char **segments, char ***args)
{
	for (; *pattern && *segments; pattern++, segments++) {
		if (**pattern == '{' && !**segments)
			return false; /* "/1.0/instances/" is not an instance without a name */
		if (str_ends_with(*pattern, "...}")) {
			strv_push_take(args, strv_join((const char *const *)segments, "/"));
			return true;
		}
		if (**pattern == '{')
			strv_push(args, *segments);
		else if (!streq(*pattern, *segments))
			return false;
	}
	return !*pattern && !*segments;
}

/* "/1.0/containers" is the older name of "/1.0/instances", everywhere. */
static void unalias(char **segments)
{
	if (strv_len(segments) >= 2 && streq(segments[0], "1.0") &&
	    streq(segments[1], "containers"))
		replace_str(&segments[1], "instances");
}

int route_find(const char *method, const char *path, const struct route **ret_route,
	       char ***ret_args, char **ret_allow)
{
	_cleanup_(strv_freep) char **segments = NULL;
	const char *decided = NULL; /* the first pattern that fits, whatever its methods */
	struct buf allow = { 0 };
	int r = url_split_path(path, &segments);

	if (r < 0)
		return -EINVAL;
	unalias(segments);
	for (size_t i = 0; i < n_routes; i++) {
		_cleanup_(strv_freep) char **pattern = strv_split(routes[i].pattern, "/");
		_cleanup_(strv_freep) char **args = NULL;

		if (!pattern_fits(pattern ? pattern : (char *[]){ NULL },
				  segments ? segments : (char *[]){ NULL }, &args))
			continue;
		if (decided && !streq(routes[i].pattern, decided))
			continue;
		decided = routes[i].pattern;
		if (streq(routes[i].method, method)) {
			*ret_route = &routes[i];
			*ret_args = TAKE_PTR(args);
			buf_done(&allow);
			return 0;
		}
		buf_printf(&allow, "%s%s", allow.len > 0 ? ", " : "", routes[i].method);
	}
	if (allow.len == 0)
		return -ENOENT;
	*ret_allow = buf_take_str(&allow);
	return -EPERM;
}
