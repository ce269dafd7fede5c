/* os/proclimit.c - see proclimit.h */
#include "os/proclimit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>

#include "os/fd.h"

int proclimit_set(pid_t pid, uint32_t resource, uint64_t soft, uint64_t hard)
{
	struct rlimit limit = {
		.rlim_cur = soft == UINT64_MAX ? RLIM_INFINITY : (rlim_t)soft,
		.rlim_max = hard == UINT64_MAX ? RLIM_INFINITY : (rlim_t)hard,
	};

	return prlimit(pid, (__rlimit_resource_t)resource, &limit, NULL) < 0 ? -errno : 0;
}

int proclimit_set_oom(pid_t pid, int adjust)
{
	char path[64] = "/proc/self/oom_score_adj", text[16];

	if (pid > 0)
		(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	(void)snprintf(text, sizeof(text), "%d", adjust);
	return fd_write_file_at(AT_FDCWD, path, text);
}
