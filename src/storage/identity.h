/*
 * storage/identity.h - what makes a root file system one particular machine, taken out of a copy
 *
 * Layer: storage. Process: sysctr-worker. The tree is a container's: no link in it is followed, and
 * files are replaced, never written to, since they may be shared with another copy. Plain.
 */
#pragma once

/*
 * Leave /etc/machine-id empty, which is how an init is told to make a new one, and remove D-Bus'
 * own copy. A root without the first gets none.
 *
 * @root_fd: the root, or an overlay's upper layer; @lower_fd: what that lies on; -EBADF: nothing.
 * Errors: -errno, also -ENOTDIR and -ELOOP when /etc is no directory.
 */
int identity_forget(int root_fd, int lower_fd);
