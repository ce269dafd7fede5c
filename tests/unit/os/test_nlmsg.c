/* tests of os/nlmsg, and of what os/netlink parses without a socket */
#include "os/nlmsg.h"

#include <errno.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/mem.h"
#include "os/netlink.h"

enum {
	BIG = 256 * 1024,
	ATTR_MAX = UINT16_MAX - 4, /* payload of the largest attribute */
};

static void test_attributes_are_laid_out(void **state)
{
	char bytes[256] __attribute__((aligned(8)));
	struct nlmsg msg;
	uint32_t fixed = 7;
	size_t outer;
	const struct nlattr *attr;

	(void)state;
	nlmsg_init(&msg, bytes, sizeof(bytes), 16, NLM_F_REQUEST, &fixed, sizeof(fixed));
	nlmsg_put_str(&msg, 3, "eth0");
	outer = nlmsg_begin(&msg, 18);
	nlmsg_put_u8(&msg, 1, 0xff);
	nlmsg_end(&msg, outer);
	assert_int_equal(msg.error, 0);
	assert_int_equal(msg.header->nlmsg_len, 16 + 4 + 12 + 4 + 8);
	attr = (const struct nlattr *)(bytes + 20);
	assert_int_equal(attr->nla_len, 9);
	assert_string_equal((const char *)(attr + 1), "eth0");
	attr = (const struct nlattr *)(bytes + 32);
	assert_int_equal(attr->nla_type, 18 | NLA_F_NESTED);
	assert_int_equal(attr->nla_len, 12);
	attr++;
	assert_int_equal(attr->nla_len, 5);
}

static void test_length_of_one(void **state)
{
	_cleanup_(freep) char *bytes = xcalloc(1, BIG);
	_cleanup_(freep) char *payload = xcalloc(1, BIG);
	static const struct {
		size_t len;
		int error;
	} cases[] = {
		{ ATTR_MAX - 1, 0 },	       { ATTR_MAX, 0 },
		{ ATTR_MAX + 1, -EMSGSIZE },   { UINT16_MAX, -EMSGSIZE },
		{ UINT16_MAX + 1, -EMSGSIZE }, { UINT16_MAX + 5, -EMSGSIZE },
		{ SIZE_MAX, -EMSGSIZE },       { SIZE_MAX - 4, -EMSGSIZE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct nlmsg msg;

		nlmsg_init(&msg, bytes, BIG, 16, 0, NULL, 0);
		nlmsg_put(&msg, 1, payload, cases[i].len);
		assert_int_equal(msg.error, cases[i].error);
	}
}

/* Nested attributes grow without a length of their own being given: the end has to look. */
static void test_length_of_nested(void **state)
{
	_cleanup_(freep) char *bytes = xcalloc(1, BIG);
	_cleanup_(freep) char *payload = xcalloc(1, BIG);
	static const struct {
		size_t len;
		int error;
	} cases[] = {
		{ 65524, 0 }, /* 4 + 4 + 65524 is 65532, the largest multiple of 4 */
		{ 65525, -EMSGSIZE },
		{ ATTR_MAX, -EMSGSIZE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct nlmsg msg;
		size_t outer;

		nlmsg_init(&msg, bytes, BIG, 16, 0, NULL, 0);
		outer = nlmsg_begin(&msg, 2);
		nlmsg_put(&msg, 1, payload, cases[i].len);
		nlmsg_end(&msg, outer);
		assert_int_equal(msg.error, cases[i].error);
	}
}

static void test_full_buffer(void **state)
{
	char bytes[64] __attribute__((aligned(8)));
	char payload[44] = { 0 };
	struct nlmsg msg;

	(void)state;
	nlmsg_init(&msg, bytes, sizeof(bytes), 16, 0, NULL, 0);
	nlmsg_put(&msg, 1, payload, sizeof(payload));
	assert_int_equal(msg.error, 0);
	nlmsg_put(&msg, 1, NULL, 0);
	assert_int_equal(msg.error, -EMSGSIZE);
	nlmsg_put_u8(&msg, 1, 1); /* once bad, always bad */
	assert_int_equal(msg.header->nlmsg_len, 64);
}

static void test_parse_mac(void **state)
{
	static const char *const bad[] = {
		"",
		"00:16:3e:00:00",
		"00:16:3e:00:00:001",
		"00-16-3e-00-00-01",
		"01:00:5e:00:00:01",
		"00:00:00:00:00:00",
		"ff:ff:ff:ff:ff:ff",
		"0g:16:3e:00:00:01",
		"00:16:3e:00:00:1 ",
		" 0:16:3e:00:00:01",
		"00:16:3e:00:00:01\n",
		NULL,
	};
	uint8_t mac[NETLINK_MAC_LEN];
	static const uint8_t wanted[] = { 0x00, 0x16, 0x3e, 0xaB, 0xcd, 0xef };

	(void)state;
	assert_int_equal(netlink_parse_mac("00:16:3e:aB:cd:EF", mac), 0);
	assert_memory_equal(mac, wanted, sizeof(wanted));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(netlink_parse_mac(bad[i], mac), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attributes_are_laid_out),
		cmocka_unit_test(test_length_of_one),
		cmocka_unit_test(test_length_of_nested),
		cmocka_unit_test(test_full_buffer),
		cmocka_unit_test(test_parse_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
