/* fuzz target: multipart/form-data in pieces; the first byte says how long they are */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "codec/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_part(void *data, const char *name, const char *filename)
{
	int *parts = data;

	return name && filename && ++*parts <= MULTIPART_PARTS_MAX ? 0 : -1;
}

static int on_data(void *data, const void *bytes, size_t len)
{
	(void)data;
	return bytes && len > 0 ? 0 : -1;
}

static int on_part_end(void *data)
{
	(void)data;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct multipart_handler handler = { on_part, on_data, on_part_end };
	_cleanup_(multipart_freep) struct multipart *parser = NULL;
	_cleanup_(freep) char *type = xstrndup((const char *)data, size);
	size_t step = size > 0 ? data[0] % 64 + 1 : 1;
	int parts = 0, rc = 0;

	free(multipart_boundary(type));
	parser = multipart_new("BB", &handler, &parts);
	for (size_t i = 1; i < size && rc == 0; i += step)
		rc = multipart_feed(parser, data + i, MIN(step, size - i), NULL);
	if (rc == 0)
		(void)multipart_end(parser, NULL);
	return 0;
}
