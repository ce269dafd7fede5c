/*
 * os/uevent.h - the kernel tells of devices that come and go
 *
 * Layer os; sysctrd. Never blocks.
 *
 *   UE1  Only what the kernel itself sent counts: everybody may send to a netlink socket.
 */
#pragma once

/* A socket that becomes readable on events. Returns: descriptor or -errno. */
int uevent_open(void);

/*
 * Read what waits, at most some of it. Returns: 1 when a device with a node came, went or changed, or
 * events were lost; 0 when not; -errno.
 */
int uevent_read(int fd);
