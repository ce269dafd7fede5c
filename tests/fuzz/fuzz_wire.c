/* fuzz target: decoding of every message between our programs; what decodes must encode again */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/wire.h"
#include "spec/instance.h"
#include "spec/job.h"
#include "spec/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const struct wire_schema *schema, const void *bytes, size_t len)
{
	void *object = xcalloc(1, schema->size), *again = xcalloc(1, schema->size);
	struct buf first = { 0 }, second = { 0 };

	if (wire_decode(schema, bytes, len, object, NULL) == 0) {
		wire_encode(schema, object, &first);
		if (wire_decode(schema, first.data, first.len, again, NULL) < 0)
			abort();
		wire_encode(schema, again, &second);
		if (first.len != second.len ||
		    (first.len > 0 && memcmp(first.data, second.data, first.len) != 0))
			abort();
	}
	wire_free(schema, object);
	wire_free(schema, again);
	buf_done(&first);
	buf_done(&second);
	free(object);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run(&msg_schema, data, size);
	run(&inst_spec_schema, data, size);
	run(&job_schema, data, size);
	run(&job_report_schema, data, size);
	run(&session_spec_schema, data, size);
	return 0;
}
