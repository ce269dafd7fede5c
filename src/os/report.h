/*
 * os/report.h - datagrams whose sender is named by the kernel
 *
 * Layer os; monitor. The receiver learns the pid of a process that it did not start itself and that
 * may be dead by the time the datagram is read.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/*
 * A connected SEQPACKET pair: *ret_receiver_fd does not block and gets names with its datagrams;
 * *ret_sender_fd is the child's.
 */
int report_pair(int *ret_receiver_fd, int *ret_sender_fd);

/*
 * Receive one datagram.
 *
 * @ret_sender: pid as we see it, 0 when unknown. @ret_fd: a descriptor that came with it, the
 * caller's, else -EBADF. Returns: length, 0 at end of file, -EAGAIN, -errno.
 */
ssize_t report_receive(int receiver_fd, void *bytes, size_t size, pid_t *ret_sender, int *ret_fd);
