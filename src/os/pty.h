/*
 * os/pty.h - pseudo terminals of a given devpts instance
 *
 * Layer: os. Monitor, exec helper. Never blocks. Nothing here becomes a controlling terminal.
 */
#pragma once

#include <stdint.h>

/*
 * A new, unlocked master of the devpts whose ptmx is at @path (below @dir_fd). What is opened is
 * checked to be a pty master of a devpts. Returns: descriptor or -errno.
 */
int pty_open_master(int dir_fd, const char *path);

/* The slave of @master_fd by TIOCGPTPEER: no path is involved. Returns: descriptor or -errno. */
int pty_open_peer(int master_fd);

/* Number of the slave: the N of /dev/pts/N. */
int pty_get_number(int master_fd, uint32_t *ret_number);

int pty_set_size(int fd, uint32_t width, uint32_t height);

/* Make @slave_fd the controlling terminal of this process, which has to lead its session. */
int pty_take(int slave_fd);

/* Turn off echo and every translation, for tests and drivers on the far side of a console. */
int pty_set_raw(int fd);
