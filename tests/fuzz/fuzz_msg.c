/* tests/fuzz/fuzz_msg.c - datagrams of the monitor's socket: what is decoded encodes to the same */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spec/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct buf first = { 0 }, second = { 0 };
	uint32_t type, serial;
	struct err err = { 0 };
	struct msg msg;

	if (msg_decode(bytes, len, &type, &serial, &msg, &err) < 0) {
		if (err.msg[0] == 0)
			abort();
		wire_free(&msg_schema, &msg);
		return 0;
	}
	msg_encode((enum msg_type)type, serial, &msg, &first);
	wire_free(&msg_schema, &msg);
	if (msg_decode(first.data, first.len, &type, &serial, &msg, &err) == 0) {
		msg_encode((enum msg_type)type, serial, &msg, &second);
		if (first.len != second.len || memcmp(first.data, second.data, first.len) != 0)
			abort();
	}
	wire_free(&msg_schema, &msg);
	buf_done(&first);
	buf_done(&second);
	return 0;
}
