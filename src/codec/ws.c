/*
 * codec/ws.c - WebSocket messages by wslay, fed from and emptied into memory (codec, pure)
 */
#include "codec/ws.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/mem.h"

enum {
	CONTROL_BYTES_MAX = 125
};

struct ws_codec {
	wslay_event_context_ptr ctx;
	size_t max_text;
	ws_codec_fn fn;
	void *data;
	const uint8_t *input; /* of the feed that is going on */
	size_t input_len;
	struct buf text;
	struct buf binary;  /* wslay hands out 4 KiB at a time: passed on once per feed */
	struct buf control; /* wslay passes control frames piece by piece, too */
	uint8_t opcode;	    /* of the frame that is coming in */
	uint8_t message_opcode;
	bool fin;
	bool too_long;
	struct buf output;
};

static ssize_t recv_input(wslay_event_context_ptr ctx, uint8_t *bytes, size_t len, int flags,
			  void *data)
{
	struct ws_codec *codec = data;
	size_t n = MIN(len, codec->input_len);

	(void)flags;
	if (n == 0) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(bytes, codec->input, n);
	codec->input += n;
	codec->input_len -= n;
	return (ssize_t)n;
}

static ssize_t send_output(wslay_event_context_ptr ctx, const uint8_t *bytes, size_t len, int flags,
			   void *data)
{
	struct ws_codec *codec = data;

	(void)ctx;
	(void)flags;
	buf_add(&codec->output, bytes, len);
	return (ssize_t)len;
}

static int make_mask(wslay_event_context_ptr ctx, uint8_t *bytes, size_t len, void *data)
{
	(void)ctx;
	(void)data;
	return gnutls_rnd(GNUTLS_RND_NONCE, bytes, len) < 0 ? -1 : 0;
}

static void flush_binary(struct ws_codec *codec)
{
	if (codec->binary.len > 0)
		codec->fn(codec->data, WS_BINARY, codec->binary.data, codec->binary.len);
	codec->binary.len = 0;
}

static void on_frame_start(wslay_event_context_ptr ctx,
			   const struct wslay_event_on_frame_recv_start_arg *arg, void *data)
{
	struct ws_codec *codec = data;

	(void)ctx;
	codec->opcode = arg->opcode;
	codec->fin = arg->fin;
	if (arg->opcode == WSLAY_TEXT_FRAME || arg->opcode == WSLAY_BINARY_FRAME)
		codec->message_opcode = arg->opcode;
}

static void on_frame_chunk(wslay_event_context_ptr ctx,
			   const struct wslay_event_on_frame_recv_chunk_arg *arg, void *data)
{
	struct ws_codec *codec = data;

	(void)ctx;
	if (wslay_is_ctrl_frame(codec->opcode)) {
		buf_add(&codec->control, arg->data, arg->data_length);
		return;
	}
	if (codec->message_opcode == WSLAY_BINARY_FRAME) {
		buf_add(&codec->binary, arg->data, arg->data_length);
		return;
	}
	if (arg->data_length > codec->max_text - codec->text.len)
		codec->too_long = true;
	else
		buf_add(&codec->text, arg->data, arg->data_length);
}

static void end_control(struct ws_codec *codec)
{
	enum ws_kind kind = codec->opcode == WSLAY_PING	  ? WS_PING
			    : codec->opcode == WSLAY_PONG ? WS_PONG
							  : WS_CLOSE;

	codec->fn(codec->data, kind, buf_str(&codec->control), codec->control.len);
	buf_done(&codec->control);
}

static void on_frame_end(wslay_event_context_ptr ctx, void *data)
{
	struct ws_codec *codec = data;

	(void)ctx;
	if (wslay_is_ctrl_frame(codec->opcode)) {
		flush_binary(codec);
		end_control(codec);
	} else if (codec->message_opcode == WSLAY_TEXT_FRAME && codec->fin && !codec->too_long) {
		flush_binary(codec);
		codec->fn(codec->data, WS_TEXT, buf_str(&codec->text), codec->text.len);
		buf_done(&codec->text);
	}
}

struct ws_codec *ws_codec_new(bool client, size_t max_text, ws_codec_fn fn, void *data)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = recv_input,
		.send_callback = send_output,
		.genmask_callback = make_mask,
		.on_frame_recv_start_callback = on_frame_start,
		.on_frame_recv_chunk_callback = on_frame_chunk,
		.on_frame_recv_end_callback = on_frame_end,
	};
	struct ws_codec *codec = xcalloc(1, sizeof(*codec));
	int rc = client ? wslay_event_context_client_init(&codec->ctx, &callbacks, codec)
			: wslay_event_context_server_init(&codec->ctx, &callbacks, codec);

	if (rc < 0)
		abort();
	/* Messages of any length pass; what is kept is limited above. */
	wslay_event_config_set_no_buffering(codec->ctx, 1);
	wslay_event_config_set_max_recv_msg_length(codec->ctx, UINT64_MAX);
	codec->max_text = max_text;
	codec->fn = fn;
	codec->data = data;
	return codec;
}

struct ws_codec *ws_codec_free(struct ws_codec *codec)
{
	if (!codec)
		return NULL;
	wslay_event_context_free(codec->ctx);
	buf_done(&codec->text);
	buf_done(&codec->binary);
	buf_done(&codec->control);
	buf_done(&codec->output);
	free(codec);
	return NULL;
}

void ws_codec_freep(struct ws_codec **codec)
{
	*codec = ws_codec_free(*codec);
}

int ws_codec_feed(struct ws_codec *codec, const void *bytes, size_t len)
{
	int rc;

	codec->input = bytes;
	codec->input_len = len;
	rc = wslay_event_recv(codec->ctx);
	flush_binary(codec);
	if (codec->too_long)
		(void)wslay_event_queue_close(codec->ctx, WSLAY_CODE_MESSAGE_TOO_BIG, NULL, 0);
	/* Answers to pings and closes, and the close that wslay queued for a broken frame. */
	(void)wslay_event_send(codec->ctx);
	if (rc < 0 || codec->too_long)
		return -EPROTO;
	/* wslay stops reading after a close and after an error, which it reports by a close. */
	if (codec->input_len > 0 && !wslay_event_get_close_received(codec->ctx))
		return -EPROTO;
	return !wslay_event_get_read_enabled(codec->ctx) &&
			       !wslay_event_get_close_received(codec->ctx)
		       ? -EPROTO
		       : 0;
}

int ws_codec_send(struct ws_codec *codec, enum ws_kind kind, const void *bytes, size_t len)
{
	static const uint8_t opcodes[WS_KIND_MAX] = {
		[WS_TEXT] = WSLAY_TEXT_FRAME,
		[WS_BINARY] = WSLAY_BINARY_FRAME,
		[WS_PING] = WSLAY_PING,
		[WS_PONG] = WSLAY_PONG,
		[WS_CLOSE] = WSLAY_CONNECTION_CLOSE,
	};
	struct wslay_event_msg message = { opcodes[kind], bytes, len };
	const uint8_t *reason = bytes;
	int rc;

	if (wslay_event_get_close_sent(codec->ctx))
		return -EPIPE;
	if (kind >= WS_PING && len > CONTROL_BYTES_MAX)
		return -EMSGSIZE;
	if (kind == WS_CLOSE)
		rc = wslay_event_queue_close(codec->ctx,
					     len < 2 ? 0 : (uint16_t)(reason[0] << 8 | reason[1]),
					     len < 2 ? NULL : reason + 2, len < 2 ? 0 : len - 2);
	else
		rc = wslay_event_queue_msg(codec->ctx, &message);
	if (rc < 0)
		return rc == WSLAY_ERR_NO_MORE_MSG ? -EPIPE : -EINVAL;
	(void)wslay_event_send(codec->ctx);
	return 0;
}

struct buf *ws_codec_output(struct ws_codec *codec)
{
	return &codec->output;
}

bool ws_codec_close_sent(const struct ws_codec *codec)
{
	return wslay_event_get_close_sent(codec->ctx);
}

bool ws_codec_close_received(const struct ws_codec *codec)
{
	return wslay_event_get_close_received(codec->ctx);
}

int ws_accept_value(const char *key, char ret_accept[WS_ACCEPT_LEN])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char text[WS_KEY_LEN - 1 + sizeof(guid)];
	gnutls_datum_t in = { (unsigned char *)(uintptr_t)key, WS_KEY_LEN - 1 };
	gnutls_datum_t raw = { 0 };
	gnutls_datum_t out = { 0 };
	unsigned char digest[20];
	bool valid;

	if (strlen(key) != WS_KEY_LEN - 1 || gnutls_base64_decode2(&in, &raw) < 0)
		return -EINVAL;
	valid = raw.size == 16;
	gnutls_free(raw.data);
	if (!valid)
		return -EINVAL;
	memcpy(text, key, WS_KEY_LEN - 1);
	memcpy(text + WS_KEY_LEN - 1, guid, sizeof(guid));
	raw = (gnutls_datum_t){ digest, sizeof(digest) };
	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, text, sizeof(text) - 1, digest) < 0 ||
	    gnutls_base64_encode2(&raw, &out) < 0)
		return -EINVAL;
	memcpy(ret_accept, out.data, WS_ACCEPT_LEN - 1);
	ret_accept[WS_ACCEPT_LEN - 1] = '\0';
	gnutls_free(out.data);
	return 0;
}

void ws_random_key(char ret_key[WS_KEY_LEN])
{
	unsigned char bytes[16];
	gnutls_datum_t raw = { bytes, sizeof(bytes) };
	gnutls_datum_t out = { 0 };

	if (gnutls_rnd(GNUTLS_RND_NONCE, bytes, sizeof(bytes)) < 0 ||
	    gnutls_base64_encode2(&raw, &out) < 0)
		abort();
	memcpy(ret_key, out.data, WS_KEY_LEN - 1);
	ret_key[WS_KEY_LEN - 1] = '\0';
	gnutls_free(out.data);
}
