/* monitor/sysinfo.c - sysinfo(2) as the container's limits have it; see intercept.h */
#include <errno.h>
#include <limits.h>
#include <sys/sysinfo.h>

#include "base/macro.h"
#include "base/time.h"
#include "monitor/intercept.h"
#include "monitor/mon.h"

/* Page cache counts as used here, as in MemFree. */
static void narrow_pair(uint64_t limit, uint64_t used, unsigned long *total, unsigned long *free)
{
	if (limit >= *total)
		return;
	*total = limit;
	*free = MIN(*free, limit - MIN(used, limit));
}

void sysinfo_narrow(struct sysinfo *info, const struct limits *limits,
		    const struct cgroup_usage *usage, uint64_t uptime_s)
{
	unsigned long host_memory = info->totalram;

	if (info->mem_unit != 1) /* never on 64 bits, where a byte is unit enough */
		return;
	narrow_pair(limits->memory_bytes, usage->memory_bytes, &info->totalram, &info->freeram);
	narrow_pair(limits->swap_bytes, usage->swap_bytes, &info->totalswap, &info->freeswap);
	if (info->totalram < host_memory)
		info->sharedram = info->bufferram = 0; /* the host's */
	info->procs = (unsigned short)MIN(usage->processes, (uint64_t)USHRT_MAX);
	info->uptime = (long)uptime_s;
}

static void fill(const struct mon *mon, struct sysinfo *info)
{
	const struct limits *limits = mon->has_next ? &mon->next_spec.limits : &mon->spec.limits;
	uint64_t started_ns = mon->life.started_mono_ns;
	struct cgroup_usage usage = { 0 };

	(void)sysinfo(info); /* it takes any address of ours */
	cgroup_read_usage(&mon->cgroup, &usage);
	sysinfo_narrow(info, limits, &usage,
		       started_ns > 0 ? (time_mono_ns() - started_ns) / NS_PER_S : 0);
}

void sysinfo_answer(const struct mon *mon, int listener_fd, const struct unotify_call *call)
{
	struct sysinfo info = { 0 };
	int r;

	fill(mon, &info);
	r = unotify_write(listener_fd, call, call->args[0], &info, sizeof(info));
	if (r == 0 || r == -EFAULT)
		unotify_answer(listener_fd, call, r);
	else
		unotify_pass(listener_fd, call); /* Y1 */
}
