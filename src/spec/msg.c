/* spec/msg.c - see msg.h */
#include "spec/msg.h"

#include <assert.h>
#include <errno.h>

static const char *const type_names[] = {
	[MSG_NONE] = "none",
	[MSG_STOP] = "stop",
	[MSG_KILL] = "kill",
	[MSG_FREEZE] = "freeze",
	[MSG_THAW] = "thaw",
	[MSG_NEXT_SPEC] = "next-spec",
	[MSG_SESSION_START] = "session-start",
	[MSG_SESSION_SIGNAL] = "session-signal",
	[MSG_SESSION_RESIZE] = "session-resize",
	[MSG_SESSION_END] = "session-end",
	[MSG_CONSOLE_ATTACH] = "console-attach",
	[MSG_CONSOLE_RESIZE] = "console-resize",
	[MSG_CONSOLE_LOG] = "console-log",
	[MSG_CONSOLE_CLEAR] = "console-clear",
	[MSG_STATS] = "stats",
	[MSG_OK] = "ok",
	[MSG_ERROR] = "error",
	[MSG_STATE] = "state",
	[MSG_ADDRESSES] = "addresses",
	[MSG_READY] = "ready",
	[MSG_SESSION_EXIT] = "session-exit",
	[MSG_WARNING] = "warning",
	[MSG_APPLY_SPEC] = "apply-spec",
	[MSG_SESSION_KEEP] = "session-keep",
	[MSG_SESSION_RELEASE] = "session-release",
	[MSG_SESSION_KEPT] = "session-kept",
};
static_assert(ARRAY_LEN(type_names) == MSG_TYPE_MAX, "one name per message");

static const char *const state_names[] = {
	[MON_STARTING] = "starting", [MON_RUNNING] = "running",	    [MON_FROZEN] = "frozen",
	[MON_STOPPING] = "stopping", [MON_REBOOTING] = "rebooting", [MON_STOPPED] = "stopped",
	[MON_RELEASED] = "released",
};
static_assert(ARRAY_LEN(state_names) == MON_STATE_MAX, "one name per state");

const char *msg_type_name(enum msg_type type)
{
	return type < MSG_TYPE_MAX && type_names[type] ? type_names[type] : "unknown";
}

const char *mon_state_name(enum mon_state state)
{
	return state < MON_STATE_MAX ? state_names[state] : "unknown";
}

static const struct wire_field msg_addr_fields[] = {
	{ 1, WIRE_U32, offsetof(struct msg_addr, family), NULL },
	{ 2, WIRE_U32, offsetof(struct msg_addr, prefix_len), NULL },
	{ 3, WIRE_STR, offsetof(struct msg_addr, address), NULL },
	{ 4, WIRE_U32, offsetof(struct msg_addr, scope), NULL },
};
WIRE_SCHEMA(msg_addr, msg_addr_fields);

static const struct wire_field msg_nic_fields[] = {
	{ 1, WIRE_STR, offsetof(struct msg_nic, name), NULL },
	{ 2, WIRE_STR, offsetof(struct msg_nic, hwaddr), NULL },
	{ 3, WIRE_STR, offsetof(struct msg_nic, host_name), NULL },
	{ 4, WIRE_U32, offsetof(struct msg_nic, mtu), NULL },
	{ 5, WIRE_BOOL, offsetof(struct msg_nic, up), NULL },
	{ 6, WIRE_VEC, offsetof(struct msg_nic, addrs), &msg_addr_schema },
	{ 7, WIRE_U64, offsetof(struct msg_nic, rx_bytes), NULL },
	{ 8, WIRE_U64, offsetof(struct msg_nic, tx_bytes), NULL },
	{ 9, WIRE_U64, offsetof(struct msg_nic, rx_packets), NULL },
	{ 10, WIRE_U64, offsetof(struct msg_nic, tx_packets), NULL },
	{ 11, WIRE_U64, offsetof(struct msg_nic, rx_errors), NULL },
	{ 12, WIRE_U64, offsetof(struct msg_nic, tx_errors), NULL },
	{ 13, WIRE_U64, offsetof(struct msg_nic, rx_dropped), NULL },
	{ 14, WIRE_U64, offsetof(struct msg_nic, tx_dropped), NULL },
};
WIRE_SCHEMA(msg_nic, msg_nic_fields);

static const struct wire_field msg_fields[] = {
	{ 1, WIRE_U32, offsetof(struct msg, state), NULL },
	{ 2, WIRE_I32, offsetof(struct msg, pid), NULL },
	{ 3, WIRE_I32, offsetof(struct msg, number), NULL },
	{ 4, WIRE_U64, offsetof(struct msg, session), NULL },
	{ 5, WIRE_U32, offsetof(struct msg, width), NULL },
	{ 6, WIRE_U32, offsetof(struct msg, height), NULL },
	{ 7, WIRE_BOOL, offsetof(struct msg, force), NULL },
	{ 8, WIRE_I32, offsetof(struct msg, code), NULL },
	{ 9, WIRE_U32, offsetof(struct msg, kind), NULL },
	{ 10, WIRE_STR, offsetof(struct msg, text), NULL },
	{ 11, WIRE_VEC, offsetof(struct msg, nics), &msg_nic_schema },
	{ 12, WIRE_U64, offsetof(struct msg, memory_bytes), NULL },
	{ 13, WIRE_U64, offsetof(struct msg, memory_peak_bytes), NULL },
	{ 14, WIRE_U64, offsetof(struct msg, swap_bytes), NULL },
	{ 15, WIRE_U64, offsetof(struct msg, cpu_usage_ns), NULL },
	{ 16, WIRE_U64, offsetof(struct msg, processes), NULL },
	{ 17, WIRE_U64, offsetof(struct msg, generation), NULL },
	{ 18, WIRE_U64, offsetof(struct msg, started_wall_ns), NULL },
	{ 19, WIRE_BOOL, offsetof(struct msg, ready), NULL },
	{ 20, WIRE_BOOL, offsetof(struct msg, link), NULL },
	{ 21, WIRE_BOOL, offsetof(struct msg, record), NULL },
};
WIRE_SCHEMA(msg, msg_fields);

static const struct wire_field session_spec_fields[] = {
	{ 1, WIRE_STRV, offsetof(struct session_spec, argv), NULL },
	{ 2, WIRE_STRMAP, offsetof(struct session_spec, environment), NULL },
	{ 3, WIRE_STR, offsetof(struct session_spec, cwd), NULL },
	{ 4, WIRE_U32, offsetof(struct session_spec, uid), NULL },
	{ 5, WIRE_U32, offsetof(struct session_spec, gid), NULL },
	{ 6, WIRE_BOOL, offsetof(struct session_spec, interactive), NULL },
	{ 7, WIRE_U32, offsetof(struct session_spec, width), NULL },
	{ 8, WIRE_U32, offsetof(struct session_spec, height), NULL },
	{ 9, WIRE_STR, offsetof(struct session_spec, user), NULL },
	{ 10, WIRE_BOOL, offsetof(struct session_spec, login_shell), NULL },
	{ 11, WIRE_STR, offsetof(struct session_spec, group), NULL },
	{ 21, WIRE_STRUCT, offsetof(struct session_spec, files), &files_request_schema },
};
WIRE_SCHEMA(session_spec, session_spec_fields);

static void put_u32(unsigned char *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (unsigned char)(value >> (8 * i));
}

static uint32_t get_u32(const unsigned char *in)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value |= (uint32_t)in[i] << (8 * i);
	return value;
}

void msg_encode(enum msg_type type, uint32_t serial, const struct msg *msg, struct buf *out)
{
	unsigned char header[MSG_HEADER_LEN];

	put_u32(header, (uint32_t)type);
	put_u32(header + 4, serial);
	buf_add(out, header, sizeof(header));
	if (msg)
		wire_encode(&msg_schema, msg, out);
}

int msg_decode(const void *bytes, size_t len, uint32_t *ret_type, uint32_t *ret_serial,
	       struct msg *ret_msg, struct err *err)
{
	const unsigned char *p = bytes;

	*ret_msg = (struct msg){ 0 };
	if (len < MSG_HEADER_LEN || len > MSG_BYTES_MAX)
		return err_set(err, -EBADMSG, "message of %zu bytes", len);
	*ret_type = get_u32(p);
	*ret_serial = get_u32(p + 4);
	return wire_decode(&msg_schema, p + MSG_HEADER_LEN, len - MSG_HEADER_LEN, ret_msg, err);
}
