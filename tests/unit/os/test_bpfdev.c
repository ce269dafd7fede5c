/* tests of os/bpfdev: the program is run by a small interpreter of the instructions it uses */
#include "os/bpfdev.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../golden.h"
#include "base/buf.h"

static uint64_t load(const struct bpf_cgroup_dev_ctx *ctx, int16_t offset)
{
	uint32_t value;

	assert_true(offset >= 0 && (size_t)offset <= sizeof(*ctx) - sizeof(value));
	memcpy(&value, (const char *)ctx + offset, sizeof(value));
	return value;
}

static uint64_t alu(const struct bpf_insn *insn, uint64_t dst, uint64_t operand)
{
	uint64_t value = 0;

	switch (BPF_OP(insn->code)) {
	case BPF_MOV:
		value = operand;
		break;
	case BPF_AND:
		value = dst & operand;
		break;
	case BPF_RSH:
		value = dst >> operand;
		break;
	default:
		fail_msg("operation 0x%x", insn->code);
	}
	return BPF_CLASS(insn->code) == BPF_ALU ? (uint32_t)value : value;
}

static bool run(const struct bpf_insn *insns, int n, const struct bpf_cgroup_dev_ctx *ctx)
{
	uint64_t reg[11] = { 0 };

	for (int at = 0; at < n; at++) {
		const struct bpf_insn *insn = &insns[at];
		uint64_t operand =
			BPF_SRC(insn->code) == BPF_X ? reg[insn->src_reg] : (uint32_t)insn->imm;

		switch (BPF_CLASS(insn->code)) {
		case BPF_LDX:
			assert_int_equal(insn->src_reg, BPF_REG_1);
			reg[insn->dst_reg] = load(ctx, insn->off);
			break;
		case BPF_ALU:
		case BPF_ALU64:
			reg[insn->dst_reg] = alu(insn, reg[insn->dst_reg], operand);
			break;
		case BPF_JMP:
			if (BPF_OP(insn->code) == BPF_EXIT)
				return reg[BPF_REG_0] == 1;
			assert_int_equal(BPF_OP(insn->code), BPF_JNE);
			at += reg[insn->dst_reg] != operand ? insn->off : 0;
			break;
		default:
			fail_msg("class 0x%x", insn->code);
		}
	}
	fail_msg("ran out of the program");
	return false;
}

static const struct {
	char type;
	uint32_t major, minor, access;
	bool allowed;
} cases[] = {
	{ 'c', 1, 3, BPFDEV_READ | BPFDEV_WRITE, true }, /* null */
	{ 'c', 1, 3, BPFDEV_MKNOD, true },
	{ 'b', 1, 3, BPFDEV_READ, false },
	{ 'c', 1, 1, BPFDEV_READ, false },  /* mem */
	{ 'c', 1, 11, BPFDEV_READ, false }, /* kmsg */
	{ 'c', 5, 2, BPFDEV_READ, true },
	{ 'c', 5, 3, BPFDEV_READ, false },
	{ 'c', 136, 0, BPFDEV_WRITE, true },
	{ 'c', 136, 4000000, BPFDEV_WRITE, true },
	{ 'c', 137, 0, BPFDEV_WRITE, false },
	{ 'b', 8, 0, BPFDEV_MKNOD, false },
	{ 'c', 10, 237, BPFDEV_WRITE, false }, /* loop-control */
	{ 'c', 10, 200, BPFDEV_WRITE, false },
	{ 'c', 0, 0, BPFDEV_MKNOD, false },
};

static struct bpf_cgroup_dev_ctx make_ctx(char type, uint32_t major, uint32_t minor,
					  uint32_t access)
{
	return (struct bpf_cgroup_dev_ctx){
		.access_type = access << 16 |
			       (uint32_t)(type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
		.major = major,
		.minor = minor,
	};
}

static void test_default_rules(void **state)
{
	struct bpf_insn insns[BPFDEV_INSNS_MAX];
	int n = bpfdev_assemble(bpfdev_default_rules, bpfdev_n_default_rules, insns);

	(void)state;
	assert_true(n > 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bpf_cgroup_dev_ctx ctx =
			make_ctx(cases[i].type, cases[i].major, cases[i].minor, cases[i].access);

		assert_int_equal(run(insns, n, &ctx), cases[i].allowed);
	}
}

static void test_narrow_access(void **state)
{
	static const struct bpfdev_rule rules[] = {
		{ 'c', 10, 200, BPFDEV_READ },
		{ 'b', BPFDEV_ANY, BPFDEV_ANY, BPFDEV_READ | BPFDEV_WRITE },
	};
	struct bpf_insn insns[BPFDEV_INSNS_MAX];
	int n = bpfdev_assemble(rules, ARRAY_LEN(rules), insns);
	struct bpf_cgroup_dev_ctx ctx = make_ctx('c', 10, 200, BPFDEV_READ);

	(void)state;
	assert_true(run(insns, n, &ctx));
	ctx = make_ctx('c', 10, 200, BPFDEV_READ | BPFDEV_WRITE);
	assert_false(run(insns, n, &ctx));
	ctx = make_ctx('b', 7, 1, BPFDEV_WRITE);
	assert_true(run(insns, n, &ctx));
	ctx = make_ctx('b', 7, 1, BPFDEV_MKNOD | BPFDEV_WRITE);
	assert_false(run(insns, n, &ctx));
}

static void test_bytes(void **state)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	struct bpf_insn insns[BPFDEV_INSNS_MAX];
	int n = bpfdev_assemble(bpfdev_default_rules, bpfdev_n_default_rules, insns);

	(void)state;
	for (int i = 0; i < n; i++)
		buf_printf(&text, "%02x r%u r%u %+d %d\n", insns[i].code, insns[i].dst_reg + 0u,
			   insns[i].src_reg + 0u, insns[i].off, insns[i].imm);
	assert_golden("bpfdev/default.txt", buf_str(&text));
}

static void test_bounds(void **state)
{
	struct bpfdev_rule rules[BPFDEV_RULES_MAX + 1];
	struct bpf_insn insns[BPFDEV_INSNS_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		rules[i] = (struct bpfdev_rule){ 'c', 1, 3, BPFDEV_READ };
	assert_in_range(bpfdev_assemble(rules, BPFDEV_RULES_MAX, insns), 1, BPFDEV_INSNS_MAX);
	assert_int_equal(bpfdev_assemble(rules, BPFDEV_RULES_MAX + 1, insns), -E2BIG);
	rules[0].type = 'a';
	assert_int_equal(bpfdev_assemble(rules, 1, insns), -EINVAL);
	rules[0] = (struct bpfdev_rule){ 'c', -2, 3, BPFDEV_READ };
	assert_int_equal(bpfdev_assemble(rules, 1, insns), -EINVAL);
	rules[0] = (struct bpfdev_rule){ 'c', 1, 3, 0 };
	assert_int_equal(bpfdev_assemble(rules, 1, insns), -EINVAL);
	rules[0] = (struct bpfdev_rule){ 'c', 1, 3, 8 };
	assert_int_equal(bpfdev_assemble(rules, 1, insns), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_rules),
		cmocka_unit_test(test_narrow_access),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
