/*
 * files/sftp.h - an SFTP version 3 server on a directory
 *
 * Layer: files. Process: sysctr-exec. Blocks on the stream, never on a file of the guest.
 *
 *   S1  Nothing outside of @root_fd is reached, whatever paths say (files/place.h).
 *   S2  A packet that is no SFTP is answered as bad; one that cannot be delimited ends the stream.
 *   S3  Memory is bounded: one packet in, its answers out, SFTP_HANDLES_MAX handles.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum {
	SFTP_HANDLES_MAX = 256
};

/*
 * Serve until the client closes. @early: bytes before those of @in_fd; NULL for none.
 * Returns: 0 at the end of the stream, or -errno.
 */
int sftp_serve(int root_fd, int in_fd, int out_fd, const struct buf *early, struct err *err);
