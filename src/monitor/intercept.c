/* monitor/intercept.c - see intercept.h */
#include "monitor/intercept.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/time.h"
#include "monitor/mon.h"
#include "os/fd.h"

struct listener {
	struct list node;
	struct source source;
	struct mon *mon;
	int fd;
};

static const struct {
	int nr;
	void (*answer)(const struct mon *mon, int listener_fd, const struct unotify_call *call);
} rows[] = {
	{ SYS_sysinfo, sysinfo_answer },
#ifdef SYS_mknod
	{ SYS_mknod, mknod_answer },
#endif
	{ SYS_mknodat, mknod_answer },
};

void intercept_init(struct intercepts *intercepts)
{
	*intercepts = (struct intercepts){ .timer_fd = -EBADF };
	list_init(&intercepts->list);
	source_init(&intercepts->timer);
}

uint32_t intercept_wanted(const struct mon *mon)
{
	if (mon->intercepts.count >= INTERCEPT_LISTENERS_MAX)
		return 0;
	return (mon->spec.intercept_sysinfo ? UNOTIFY_SYSINFO : 0) |
	       (mon->spec.intercept_mknod ? UNOTIFY_MKNOD : 0);
}

/* A row's function, alone: nothing of the monitor's but what it reads. */
static _Noreturn void answerer_main(const struct mon *mon, size_t row, int fd,
				    const struct unotify_call *call)
{
	int keep[] = { fd, mon->cgroup.dir_fd, mon->cgroup.payload_fd, mon->life.userns_fd };

	(void)prctl(PR_SET_NAME, "sysctr-answer");
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)fd_close_all_but(STDERR_FILENO + 1, keep, ARRAY_LEN(keep));
	(void)signal(SIGALRM, SIG_DFL);
	(void)alarm(INTERCEPT_SECONDS); /* deadly, so it ends waits for a file system, too */
	rows[row].answer(mon, fd, call);
	_exit(0);
}

/* Returns: NULL when all are at work. */
static struct answerer *find_idle(struct intercepts *all)
{
	for (size_t i = 0; i < INTERCEPT_AT_ONCE; i++)
		if (all->answerers[i].pid == 0)
			return &all->answerers[i];
	return NULL;
}

static void start(struct mon *mon, struct answerer *answerer, size_t row, int fd,
		  const struct unotify_call *call)
{
	pid_t pid = fork();

	if (pid == 0)
		answerer_main(mon, row, fd, call);
	if (pid < 0) {
		unotify_pass(fd, call); /* Y1 */
		return;
	}
	*answerer = (struct answerer){ .pid = pid, .fd = fd, .call = *call };
}

static void answer(struct mon *mon, struct answerer *answerer, int fd)
{
	struct unotify_call call;

	if (unotify_next(fd, &call) < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].nr != call.nr)
			continue;
		start(mon, answerer, i, fd, &call);
		return;
	}
	unotify_pass(fd, &call);
}

static void drop(struct listener *listener)
{
	struct mon *mon = listener->mon;

	for (size_t i = 0; i < INTERCEPT_AT_ONCE; i++)
		if (mon->intercepts.answerers[i].fd == listener->fd)
			mon->intercepts.answerers[i].fd = -EBADF;
	loop_remove(&mon->loop, &listener->source);
	list_remove(&listener->node);
	mon->intercepts.count--;
	(void)fd_close(listener->fd);
	free(listener);
}

static void watch_all(struct mon *mon, uint32_t events)
{
	struct list *node;

	list_for_each(node, &mon->intercepts.list) {
		struct listener *listener = list_entry(node, struct listener, node);

		(void)loop_change(&mon->loop, &listener->source, events);
	}
}

static void on_timer(struct source *source, uint32_t events)
{
	struct mon *mon = container_of(source, struct mon, intercepts.timer);
	uint64_t expirations;

	(void)events;
	(void)!read(source->fd, &expirations, sizeof(expirations)); /* it has rung */
	watch_all(mon, EPOLLIN);
}

/* Y3. Returns: whether one more may be answered now. */
static bool spend(struct mon *mon)
{
	struct intercepts *all = &mon->intercepts;
	struct itimerspec tick = { .it_value.tv_nsec = (long)INTERCEPT_TICK_MS * NS_PER_MS };
	uint64_t now_ns = time_mono_ns();

	if (now_ns >= all->tick_end_ns) {
		all->tick_end_ns = now_ns + (uint64_t)INTERCEPT_TICK_MS * NS_PER_MS;
		all->left = INTERCEPT_PER_TICK;
	}
	if (all->left > 0) {
		all->left--;
		return true;
	}
	if (timerfd_settime(all->timer_fd, 0, &tick, NULL) == 0)
		watch_all(mon, 0);
	return false;
}

bool intercept_reaped(struct mon *mon, pid_t pid)
{
	for (size_t i = 0; i < INTERCEPT_AT_ONCE; i++) {
		struct answerer *answerer = &mon->intercepts.answerers[i];

		if (answerer->pid != pid)
			continue;
		/* answered already: then the kernel does not know the call any more */
		if (answerer->fd >= 0)
			unotify_pass(answerer->fd, &answerer->call);
		answerer->pid = 0;
		/* one may go on, if there is an answer left in this tick; else the timer starts */
		watch_all(mon, EPOLLIN);
		return true;
	}
	return false;
}

static void on_listener(struct source *source, uint32_t events)
{
	struct listener *listener = container_of(source, struct listener, source);
	struct mon *mon = listener->mon;
	struct answerer *answerer = find_idle(&mon->intercepts);

	/* nobody is left: what a call's end leaves behind is nobody's either */
	if (events & (EPOLLHUP | EPOLLERR))
		drop(listener);
	else if (!answerer)
		watch_all(mon, 0);
	else if (spend(mon))
		answer(mon, answerer, listener->fd);
}

static int make_timer(struct mon *mon)
{
	struct intercepts *all = &mon->intercepts;

	if (all->timer_fd >= 0)
		return 0;
	all->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (all->timer_fd < 0)
		return -errno;
	return loop_add(&mon->loop, &all->timer, all->timer_fd, EPOLLIN, on_timer);
}

void intercept_add(struct mon *mon, int listener_fd)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	int r = listener ? make_timer(mon) : -ENOMEM;

	if (r == 0) {
		*listener = (struct listener){ .mon = mon, .fd = listener_fd };
		source_init(&listener->source);
		r = loop_add(&mon->loop, &listener->source, listener_fd, EPOLLIN, on_listener);
	}
	if (r < 0) {
		struct log_keys keys = mon_keys(mon, "intercept");

		log_warn(keys, "system calls of some fail: error %d", -r);
		free(listener);
		(void)fd_close(listener_fd);
		return;
	}
	list_append(&mon->intercepts.list, &listener->node);
	mon->intercepts.count++;
}

void intercept_stop(struct mon *mon)
{
	struct list *node, *tmp;

	list_for_each_safe(node, tmp, &mon->intercepts.list)
		drop(list_entry(node, struct listener, node));
	for (size_t i = 0; i < INTERCEPT_AT_ONCE; i++)
		if (mon->intercepts.answerers[i].pid > 0) /* reaped like any other later */
			(void)kill(mon->intercepts.answerers[i].pid, SIGKILL);
	loop_remove(&mon->loop, &mon->intercepts.timer);
	mon->intercepts.timer_fd = fd_close(mon->intercepts.timer_fd);
}
