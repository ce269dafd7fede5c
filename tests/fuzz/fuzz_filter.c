/* fuzz target: the filter= grammar; the object under test has a value for every field */
#include <stdint.h>

#include "base/mem.h"
#include "spec/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *get(void *object, const char *field)
{
	(void)object;
	return field;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = xstrndup((const char *)data, size);
	_cleanup_(filter_freep) struct filter *filter = NULL;

	if (filter_parse(text, &filter, NULL) == 0)
		(void)filter_match(filter, get, NULL);
	return 0;
}
