/* fuzz target: WebSocket frames to either side, in pieces; the first byte says which and how long */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "codec/ws.h"

enum {
	TEXT_MAX = 100
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_message(void *data, enum ws_kind kind, const void *bytes, size_t len)
{
	(void)data;
	if ((kind == WS_TEXT && len > TEXT_MAX) || (kind >= WS_PING && len > 125) || !bytes)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(ws_codec_freep) struct ws_codec *codec = NULL;
	size_t step = size > 0 ? data[0] / 2 % 64 + 1 : 1;
	int rc = 0;

	codec = ws_codec_new(size > 0 && data[0] & 1, TEXT_MAX, on_message, NULL);
	for (size_t i = 1; i < size && rc == 0; i += step)
		rc = ws_codec_feed(codec, data + i, MIN(step, size - i));
	(void)ws_codec_send(codec, WS_TEXT, "x", 1);
	/* Whatever came in, what goes out is bounded: answers to pings, one close, one text. */
	if (ws_codec_output(codec)->len > 2 * size + 300)
		abort();
	return 0;
}
