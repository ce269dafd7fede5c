/* tests/fuzz/fuzz_yaml.c - YAML of strangers: what is read can be written and read again */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	_cleanup_(json_decrefp) json_t *again = NULL;
	_cleanup_(buf_done) struct buf out = { 0 };
	struct err err = { 0 };

	if (yaml_parse(bytes, len, &json, &err) < 0) {
		if (err.msg[0] == 0)
			abort();
		return 0;
	}
	yaml_emit(json, &out);
	if (out.len > YAML_BYTES_MAX)
		return 0;
	if (yaml_parse(out.data, out.len, &again, &err) < 0 || !json_equal(json, again))
		abort();
	return 0;
}
