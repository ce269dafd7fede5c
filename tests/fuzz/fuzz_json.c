/* tests/fuzz/fuzz_json.c - JSON of clients: what is read can be written and read again */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"
#include "codec/jsonw.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	_cleanup_(json_decrefp) json_t *again = NULL;
	_cleanup_(buf_done) struct buf out = { 0 };
	struct jsonw w = jsonw_new(&out);
	struct err err = { 0 };

	if (json_parse(bytes, len, &json, &err) < 0) {
		if (err.msg[0] == 0)
			abort();
		/* any bytes are a string that can be written */
		jsonw_strn(&w, (const char *)bytes, len);
		again = json_loadb(out.data, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		if (!again)
			abort();
		return 0;
	}
	jsonw_json(&w, json);
	if (json_parse(out.data, out.len, &again, &err) < 0)
		abort();
	return 0;
}
