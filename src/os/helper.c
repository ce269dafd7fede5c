/* os/helper.c - see helper.h */
#include "os/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/path.h"

char *helper_path(const char *program)
{
	char self[PATH_MAX];
	ssize_t n = path_read_link(AT_FDCWD, "/proc/self/exe", self, sizeof(self));
	char *slash = n > 0 ? strrchr(self, '/') : NULL;
	_cleanup_(freep) char *beside = NULL;

	if (!slash)
		return xasprintf("%s/%s", SYSCTR_LIBEXECDIR, program);
	*slash = '\0';
	beside = xasprintf("%s/%s", self, program);
	if (access(beside, X_OK) == 0)
		return TAKE_PTR(beside);
	return xasprintf("%s/%s", SYSCTR_LIBEXECDIR, program);
}
