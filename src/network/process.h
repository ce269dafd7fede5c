/*
 * network/process.h - a running dnsmasq of ours: found again, set apart
 *
 * Layer network, in sysctrd. It outlives sysctrd. A pid file alone proves nothing: a process counts
 * as ours only when its command line names our configuration file. The descriptor is opened before
 * that is read, so a pid that was used again is never taken.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/*
 * The dnsmasq that was started with @conf_file, by its @pid_file or else by looking at all processes.
 * @ret_pidfd: owned by the caller; readable when it ends.
 * Returns: its pid, or -ESRCH.
 */
pid_t net_process_find(const char *pid_file, const char *conf_file, int *ret_pidfd);

/* argv for starting it; strv, owned by the caller. */
char **net_process_argv(const char *conf_file);

/* The user it drops to: "dnsmasq", else "nobody", else NULL. */
const char *net_process_user(void);

/* Move it to the cgroup "<tag>/.net-<name>", out of the way of what stops the daemon. Best effort. */
void net_process_set_apart(const char *tag, const char *name, pid_t pid);

/* Remove that group when it is empty. */
void net_process_forget(const char *tag, const char *name);
