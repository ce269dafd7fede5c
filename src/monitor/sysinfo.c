/* monitor/sysinfo.c - see sysinfo.h */
#include "monitor/sysinfo.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/time.h"
#include "monitor/mon.h"
#include "os/fd.h"
#include "os/unotify.h"

struct listener {
	struct list node;
	struct source source;
	struct mon *mon;
	int fd;
};

void sysinfo_init(struct sysinfo_listeners *listeners)
{
	*listeners = (struct sysinfo_listeners){ .timer_fd = -EBADF };
	list_init(&listeners->list);
	source_init(&listeners->timer);
}

bool sysinfo_wanted(const struct mon *mon)
{
	return mon->spec.intercept_sysinfo && mon->sysinfo.count < SYSINFO_LISTENERS_MAX;
}

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

static void answer(const struct mon *mon, int fd)
{
	struct unotify_call call;
	struct sysinfo info = { 0 };
	int r;

	if (unotify_next(fd, &call) < 0)
		return;
	if (call.nr != SYS_sysinfo) {
		unotify_pass(fd, &call);
		return;
	}
	fill(mon, &info);
	r = unotify_write(fd, &call, call.args[0], &info, sizeof(info));
	if (r == 0 || r == -EFAULT)
		unotify_answer(fd, &call, r);
	else
		unotify_pass(fd, &call); /* Y1 */
}

static void drop(struct listener *listener)
{
	struct mon *mon = listener->mon;

	loop_remove(&mon->loop, &listener->source);
	list_remove(&listener->node);
	mon->sysinfo.count--;
	(void)fd_close(listener->fd);
	free(listener);
}

static void watch_all(struct mon *mon, uint32_t events)
{
	struct list *node;

	list_for_each(node, &mon->sysinfo.list) {
		struct listener *listener = list_entry(node, struct listener, node);

		(void)loop_change(&mon->loop, &listener->source, events);
	}
}

static void on_timer(struct source *source, uint32_t events)
{
	struct mon *mon = container_of(source, struct mon, sysinfo.timer);
	uint64_t expirations;

	(void)events;
	(void)!read(source->fd, &expirations, sizeof(expirations)); /* it has rung */
	watch_all(mon, EPOLLIN);
}

/* Y2. Returns: whether one more may be answered now. */
static bool spend(struct mon *mon)
{
	struct sysinfo_listeners *all = &mon->sysinfo;
	struct itimerspec tick = { .it_value.tv_nsec = (long)SYSINFO_TICK_MS * NS_PER_MS };
	uint64_t now_ns = time_mono_ns();

	if (now_ns >= all->tick_end_ns) {
		all->tick_end_ns = now_ns + (uint64_t)SYSINFO_TICK_MS * NS_PER_MS;
		all->left = SYSINFO_PER_TICK;
	}
	if (all->left > 0) {
		all->left--;
		return true;
	}
	if (timerfd_settime(all->timer_fd, 0, &tick, NULL) == 0)
		watch_all(mon, 0);
	return false;
}

static void on_listener(struct source *source, uint32_t events)
{
	struct listener *listener = container_of(source, struct listener, source);

	/* nobody is left: what a call's end leaves behind is nobody's either */
	if (events & (EPOLLHUP | EPOLLERR))
		drop(listener);
	else if (spend(listener->mon))
		answer(listener->mon, listener->fd);
}

static int make_timer(struct mon *mon)
{
	struct sysinfo_listeners *all = &mon->sysinfo;

	if (all->timer_fd >= 0)
		return 0;
	all->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (all->timer_fd < 0)
		return -errno;
	return loop_add(&mon->loop, &all->timer, all->timer_fd, EPOLLIN, on_timer);
}

void sysinfo_add(struct mon *mon, int listener_fd)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	int r = listener ? make_timer(mon) : -ENOMEM;

	if (r == 0) {
		*listener = (struct listener){ .mon = mon, .fd = listener_fd };
		source_init(&listener->source);
		r = loop_add(&mon->loop, &listener->source, listener_fd, EPOLLIN, on_listener);
	}
	if (r < 0) {
		struct log_keys keys = mon_keys(mon, "sysinfo");

		log_warn(keys, "sysinfo(2) fails for some: error %d", -r);
		free(listener);
		(void)fd_close(listener_fd);
		return;
	}
	list_append(&mon->sysinfo.list, &listener->node);
	mon->sysinfo.count++;
}

void sysinfo_stop(struct mon *mon)
{
	struct list *node, *tmp;

	list_for_each_safe(node, tmp, &mon->sysinfo.list)
		drop(list_entry(node, struct listener, node));
	loop_remove(&mon->loop, &mon->sysinfo.timer);
	mon->sysinfo.timer_fd = fd_close(mon->sysinfo.timer_fd);
}
