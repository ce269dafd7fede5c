/* tests of codec/ws: a client and a server against each other, and hostile frames */
#include "codec/ws.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

struct side {
	struct ws_codec *codec;
	struct buf log; /* "text:hello " ... */
	size_t binary_bytes;
};

static void on_message(void *data, enum ws_kind kind, const void *bytes, size_t len)
{
	static const char *const names[WS_KIND_MAX] = { "text", "binary", "ping", "pong", "close" };
	struct side *side = data;

	if (kind == WS_BINARY) {
		side->binary_bytes += len;
		return;
	}
	buf_printf(&side->log, "%s:", names[kind]);
	if (kind == WS_CLOSE && len >= 2)
		buf_printf(&side->log, "%d",
			   ((const uint8_t *)bytes)[0] << 8 | ((const uint8_t *)bytes)[1]);
	else
		buf_add(&side->log, bytes, len);
	buf_add_char(&side->log, ' ');
}

/* Carry bytes both ways, in pieces of @step, until both sides are silent. */
static int carry(struct side sides[2], size_t step)
{
	int rc = 0;

	while (rc == 0) {
		bool moved = false;

		for (int i = 0; i < 2 && rc == 0; i++) {
			struct buf *out = ws_codec_output(sides[i].codec);
			size_t n = MIN(step, out->len);

			if (n == 0)
				continue;
			rc = ws_codec_feed(sides[1 - i].codec, out->data, n);
			buf_consume(out, n);
			moved = true;
		}
		if (!moved)
			break;
	}
	return rc;
}

static void sides_init(struct side sides[2], size_t max_text)
{
	for (int i = 0; i < 2; i++) {
		sides[i] = (struct side){ 0 };
		sides[i].codec = ws_codec_new(i == 0, max_text, on_message, &sides[i]);
	}
}

static void sides_done(struct side sides[2])
{
	for (int i = 0; i < 2; i++) {
		sides[i].codec = ws_codec_free(sides[i].codec);
		buf_done(&sides[i].log);
	}
}

static void test_messages(void **state)
{
	static const size_t steps[] = { 1, 7, 4096, 1 << 20 };
	_cleanup_(freep) char *big = xcalloc(1, 300000);
	static const unsigned char normal[] = { 1000 >> 8, 1000 & 255 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct side sides[2];

		sides_init(sides, 1000);
		assert_int_equal(ws_codec_send(sides[0].codec, WS_TEXT, "hello", 5), 0);
		assert_int_equal(ws_codec_send(sides[0].codec, WS_TEXT, "", 0), 0);
		assert_int_equal(ws_codec_send(sides[0].codec, WS_BINARY, big, 300000), 0);
		assert_int_equal(ws_codec_send(sides[0].codec, WS_BINARY, "", 0), 0);
		assert_int_equal(ws_codec_send(sides[1].codec, WS_PING, "keepalive", 9), 0);
		assert_int_equal(ws_codec_send(sides[1].codec, WS_BINARY, big, 70000), 0);
		assert_int_equal(carry(sides, steps[i]), 0);
		assert_string_equal(buf_str(&sides[1].log), "text:hello text: pong:keepalive ");
		assert_int_equal(sides[1].binary_bytes, 300000);
		assert_string_equal(buf_str(&sides[0].log), "ping:keepalive ");
		assert_int_equal(sides[0].binary_bytes, 70000);
		/* The closing handshake: each side says it once. */
		assert_int_equal(ws_codec_send(sides[0].codec, WS_CLOSE, normal, 2), 0);
		assert_int_equal(carry(sides, steps[i]), 0);
		assert_non_null(strstr(buf_str(&sides[1].log), "close:1000 "));
		assert_non_null(strstr(buf_str(&sides[0].log), "close:1000 "));
		for (int k = 0; k < 2; k++) {
			assert_true(ws_codec_close_sent(sides[k].codec));
			assert_true(ws_codec_close_received(sides[k].codec));
			assert_int_equal(ws_codec_send(sides[k].codec, WS_TEXT, "x", 1), -EPIPE);
		}
		sides_done(sides);
	}
}

static const struct {
	const char *bytes;
	size_t len;
	int status; /* of the close frame that answers */
} hostile[] = {
	{ "\x81\x02hi", 4, 1002 },				  /* a client that does not mask */
	{ "\xc1\x80\0\0\0\0", 6, 1002 },			  /* reserved bit */
	{ "\x83\x80\0\0\0\0", 6, 1002 },			  /* unknown opcode */
	{ "\x80\x80\0\0\0\0", 6, 1002 },			  /* continues nothing */
	{ "\x09\x80\0\0\0\0", 6, 1002 },			  /* ping in fragments */
	{ "\x89\xfe\x00\x7e\0\0\0\0", 8, 1002 },		  /* ping of 126 bytes */
	{ "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10, 1002 }, /* 2^64 - 1 bytes */
	{ "\x88\x82\0\0\0\0\x03\xed", 8, 1002 }, /* close with a status that is never sent */
	{ "\x81\x81\0\0\0\0\xff", 7, 1007 },	 /* text that is not UTF-8 */
	{ "\x81\xfe\x03\xe9\0\0\0\0", 8, 0 },	 /* 1001 bytes of text: see below */
};

static void test_hostile_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		struct side side = { 0 };
		char zeros[2000] = { 0 };

		side.codec = ws_codec_new(false, 1000, on_message, &side);
		int rc = ws_codec_feed(side.codec, hostile[i].bytes, hostile[i].len);

		if (hostile[i].status == 0) {
			assert_int_equal(rc, 0);
			rc = ws_codec_feed(side.codec, zeros, 1001);
		}
		const struct buf *out = ws_codec_output(side.codec);

		assert_int_equal(rc, -EPROTO);
		assert_true(out->len >= 2);
		assert_int_equal((uint8_t)out->data[0], 0x88);
		side.codec = out->len > 2 ? side.codec : ws_codec_free(side.codec);
		if (!side.codec)
			continue; /* wslay gives no status for frames that cannot be */
		assert_int_equal((uint8_t)out->data[2] << 8 | (uint8_t)out->data[3],
				 hostile[i].status ? hostile[i].status : 1009);
		side.codec = ws_codec_free(side.codec);
		buf_done(&side.log);
	}
}

static void test_handshake(void **state)
{
	char accept[WS_ACCEPT_LEN];
	char key[WS_KEY_LEN];
	char other[WS_KEY_LEN];

	(void)state;
	/* The example of RFC 6455. */
	assert_int_equal(ws_accept_value("dGhlIHNhbXBsZSBub25jZQ==", accept), 0);
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_int_equal(ws_accept_value("", accept), -EINVAL);
	assert_int_equal(ws_accept_value("dGhlIHNhbXBsZSBub25jZQ=", accept), -EINVAL);
	assert_int_equal(ws_accept_value("!!!!!!!!!!!!!!!!!!!!!!==", accept), -EINVAL);
	ws_random_key(key);
	ws_random_key(other);
	assert_string_not_equal(key, other);
	assert_int_equal(ws_accept_value(key, accept), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_hostile_frames),
		cmocka_unit_test(test_handshake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
