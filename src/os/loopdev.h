/*
 * os/loopdev.h - a file as a block device
 *
 * Layer: os. Worker processes, root.
 */
#pragma once

enum {
	LOOPDEV_PATH_LEN = 32
};

/*
 * Attach the file @file_fd to a free loop device, which goes when the last one closes or unmounts it;
 * or find the one that it is attached to, as where a mount namespace keeps what is unmounted here. Two
 * of one file would be two file systems that write to the same blocks.
 *
 * @ret_path: "/dev/loop3". Returns: descriptor that keeps it, or -errno. Plain.
 */
int loopdev_attach(int file_fd, char ret_path[LOOPDEV_PATH_LEN]);

/*
 * The file @file_fd behind the device @path has become longer: so does the device. Plain.
 * Errors: -ENODEV when the device is another file's.
 */
int loopdev_grow(const char *path, int file_fd);
