/*
 * monitor/notify.h - READY=1 from the container's init
 *
 * The socket lies in the container's /run/host, so root there can remove it and only harm itself.
 * What counts is who sends: the kernel's word that it is init.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "monitor/loop.h"

struct notify {
	struct loop *loop;
	struct source source;
	int fd;
	pid_t init_pid;
	void (*ready)(void *data); /* called once in a life */
	void *data;
};

void notify_init(struct notify *notify, struct loop *loop, void (*ready)(void *), void *data);

/* An unbound datagram socket that will tell who sent. Returns: 0 or -errno. */
int notify_socket(int *ret_fd);

/* Begin to listen on @fd, which is the notify's from now on. */
int notify_start(struct notify *notify, int fd, pid_t init_pid);
void notify_stop(struct notify *notify);

/* Whether the text of a notification has a line READY=1. Pure. */
bool notify_says_ready(const char *text, size_t len);
