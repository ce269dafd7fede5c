/* fuzz target: paths and query strings */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const char *text)
{
	_cleanup_(freep) char *encoded = url_encode(text), *back = NULL;

	if (url_decode(encoded, strlen(encoded), &back) < 0 || !streq(back, text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = xstrndup((const char *)data, size), *decoded = NULL;
	_cleanup_(strv_freep) char **segments = NULL, **values = NULL;
	struct strmap pairs = { 0 };

	if (url_decode((const char *)data, size, &decoded) == 0)
		round_trip(decoded);
	(void)url_split_path(text, &segments);
	(void)url_parse_query(text, &pairs);
	(void)url_query_values(text, "a", &values);
	strmap_done(&pairs);
	return 0;
}
