/*
 * codec/ws.h - WebSocket messages <-> bytes, for both sides of a connection (codec, pure)
 *
 *   K1  Control frames are handled here: a ping is answered into the output, a close is answered
 *       once; the user sees both.
 *   K2  A text message is collected up to max_text bytes; binary is passed on piece by piece.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum ws_kind {
	WS_TEXT,
	WS_BINARY, /* one piece of a message, maybe not all of it */
	WS_PING,
	WS_PONG,
	WS_CLOSE, /* bytes: two of status, big endian, then the reason; or none */
	WS_KIND_MAX
};

enum {
	WS_KEY_LEN = 25,    /* base64 of 16 bytes, with NUL */
	WS_ACCEPT_LEN = 29, /* base64 of a SHA-1, with NUL */
	WS_CLOSE_NORMAL = 1000
};

typedef void (*ws_codec_fn)(void *data, enum ws_kind kind, const void *bytes, size_t len);

struct ws_codec;

/* @client: mask what is sent, expect unmasked; a server the other way round. */
struct ws_codec *ws_codec_new(bool client, size_t max_text, ws_codec_fn fn, void *data);
struct ws_codec *ws_codec_free(struct ws_codec *codec); /* returns NULL; not from inside fn */
void ws_codec_freep(struct ws_codec **codec);

/*
 * Bytes from the peer; fn is called for what they complete.
 * Errors: -EPROTO: broken frames or too long a text; a fitting close frame is in the output.
 */
int ws_codec_feed(struct ws_codec *codec, const void *bytes, size_t len);

/* Append one message to the output. Errors: -EPIPE after a close, -EMSGSIZE for long control. */
int ws_codec_send(struct ws_codec *codec, enum ws_kind kind, const void *bytes, size_t len);

/* What is to be written to the peer; the caller consumes it. */
struct buf *ws_codec_output(struct ws_codec *codec);
bool ws_codec_close_sent(const struct ws_codec *codec);
bool ws_codec_close_received(const struct ws_codec *codec);

/* Sec-WebSocket-Accept for @key. Returns: 0, or -EINVAL when @key is not 16 bytes of base64. */
int ws_accept_value(const char *key, char ret_accept[WS_ACCEPT_LEN]);

/* A random Sec-WebSocket-Key. */
void ws_random_key(char ret_key[WS_KEY_LEN]);
