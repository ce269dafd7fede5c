/*
 * fuzz target: a whole SFTP conversation with the server on an empty root
 *
 * Whatever it asks for: the answers are whole packets, and nothing is made or changed outside.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/macro.h"
#include "files/sftp.h"
#include "files/sftp_packet.h"
#include "fuzz_root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* { u32 length, content }, one after the other, to the last byte. */
static void check_answers(const struct buf *out)
{
	struct sftp_in in = { .at = (const unsigned char *)out->data, .left = out->len };

	while (in.left > 0) {
		size_t len = 0;
		const unsigned char *packet = sftp_get_bytes(&in, &len);

		if (in.bad || len == 0 || len > SFTP_PACKET_MAX)
			abort();
		if (packet[0] != SFTP_VERSION_REPLY && packet[0] < SFTP_STATUS)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(fuzz_root_done) struct fuzz_root root = { 0 };
	_cleanup_(buf_done) struct buf out = { 0 };
	struct err err = { 0 };

	fuzz_root_init(&root, data, size);
	(void)sftp_serve(root.dir_fd, root.in_fd, root.out_fd, NULL, &err);
	fuzz_root_output(&root, &out);
	check_answers(&out);
	return 0;
}
