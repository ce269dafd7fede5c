/* worker/space.c - see space.h */
#include "worker/space.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "base/fmt.h"

static bool ask(void *data)
{
	struct space *space = data;
	struct statvfs st;

	if (report_cancelled(space->report))
		return true;
	if (fstatvfs(space->pool->dir_fd, &st) < 0)
		return false;
	space->free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
	space->low = space->free_bytes < space->reserve_bytes;
	return space->low;
}

void space_watch(struct space *space, struct pool *pool, const struct job *job,
		 struct report *report)
{
	*space = (struct space){ .report = report,
				 .pool = pool,
				 .reserve_bytes = job->reserve_bytes };
	pool->cancel = ask;
	pool->cancel_data = space;
}

int space_result(const struct space *space, int r, struct err *err)
{
	char have[FMT_BYTES_LEN], keep[FMT_BYTES_LEN];

	if (r != -ECANCELED || !space->low)
		return r;
	(void)err_kind(err, ERR_UNAVAILABLE,
		       "not enough space in \"%s\": %s are free, %s must stay free",
		       space->pool->dir, fmt_bytes(have, space->free_bytes),
		       fmt_bytes(keep, space->reserve_bytes));
	if (err)
		err->code = -ENOSPC;
	return -ENOSPC;
}
