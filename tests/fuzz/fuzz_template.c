/* tests/fuzz/fuzz_template.c - templates of users */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spec/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct template_settings settings = { "http://m", "x86_64" };
	_cleanup_(template_freep) struct template *t = NULL;
	_cleanup_(template_plan_done) struct template_plan plan = { 0 };
	struct err err = { 0 };

	if (template_parse((const char *)bytes, len, &t, &err) < 0) {
		if (err.msg[0] == 0)
			abort();
		return 0;
	}
	if (template_resolve(t, "t", &settings, &plan, &err) < 0 && err.msg[0] == 0)
		abort();
	return 0;
}
