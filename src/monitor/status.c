/* monitor/status.c - see status.h */
#include "monitor/status.h"

#include "base/fmt.h"
#include "os/fd.h"

void status_format(const struct status *status, struct buf *out)
{
	char started[FMT_TIME_LEN];

	buf_printf(out, "name=%s\nstate=%s\npid=%d\nmonitor=%d\ngeneration=%llu\n", status->name,
		   mon_state_name(status->state), status->pid, status->monitor_pid,
		   (unsigned long long)status->generation);
	if (status->started_wall_ns)
		buf_printf(out, "started=%s\n",
			   fmt_time(started, (int64_t)status->started_wall_ns));
}

int status_write(int dir_fd, const struct status *status)
{
	struct buf text = { 0 };
	int r;

	status_format(status, &text);
	r = fd_replace_file_at(dir_fd, "status", buf_str(&text), 0600);
	buf_done(&text);
	return r;
}
