/* monitor/setup_process.c - phases: what the host's kernel has to have, limits of the first process */
#include <errno.h>

#include "monitor/mon.h"
#include "monitor/setup.h"
#include "os/modprobe.h"
#include "os/proclimit.h"

int setup_modules(void *data, struct err *err)
{
	const struct mon *mon = data;

	for (char **name = mon->spec.modules; name && *name; name++) {
		int r = modprobe_load(*name, err);

		if (r < 0)
			return err_wrap(err, "linux.kernel_modules");
	}
	return 0;
}

/* From outside: in its own user namespace the child may no longer raise them. */
int setup_process_limits(void *data, struct err *err)
{
	const struct mon *mon = data;
	pid_t pid = mon->life.init_pid;
	int r = proclimit_set_oom(pid, mon->spec.oom_score_adj);

	if (r < 0)
		return err_set(err, r, "limits.memory.oom_priority=%d", mon->spec.oom_score_adj);
	vec_for_each(limit, &mon->spec.rlimits.list) {
		const char *name = rlimit_name(limit->resource);

		r = proclimit_set(pid, limit->resource, limit->soft, limit->hard);
		if (r == -EPERM)
			return err_kind(err, ERR_INVALID,
					"limits.kernel.%s: more than this host can give", name);
		if (r < 0)
			return err_set(err, r, "limits.kernel.%s", name);
	}
	return 0;
}
