/* os/bpfdev.c - see bpfdev.h */
#include "os/bpfdev.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "os/fd.h"

enum {
	ATTACHED_MAX = 64, /* programs on one group: the kernel's limit */
	TYPE_MASK = 0xffff,
	ACCESS_SHIFT = 16,
};

#define PROGRAM_NAME "sysctr_device"

const struct bpfdev_rule bpfdev_default_rules[] = {
	{ 'c', 1, 3, BPFDEV_ALL },	      /* null */
	{ 'c', 1, 5, BPFDEV_ALL },	      /* zero */
	{ 'c', 1, 7, BPFDEV_ALL },	      /* full */
	{ 'c', 1, 8, BPFDEV_ALL },	      /* random */
	{ 'c', 1, 9, BPFDEV_ALL },	      /* urandom */
	{ 'c', 5, 0, BPFDEV_ALL },	      /* tty */
	{ 'c', 5, 1, BPFDEV_ALL },	      /* console */
	{ 'c', 5, 2, BPFDEV_ALL },	      /* ptmx */
	{ 'c', 136, BPFDEV_ANY, BPFDEV_ALL }, /* pts */
};
const size_t bpfdev_n_default_rules = ARRAY_LEN(bpfdev_default_rules);
const struct bpfdev_rule bpfdev_rule_tun = { 'c', 10, 200, BPFDEV_ALL };
const struct bpfdev_rule bpfdev_rule_fuse = { 'c', 10, 229, BPFDEV_ALL };

static struct bpf_insn load_word(uint8_t dst, uint8_t src, size_t offset)
{
	return (struct bpf_insn){
		.code = BPF_LDX | BPF_W | BPF_MEM,
		.dst_reg = dst & 0xf,
		.src_reg = src & 0xf,
		.off = (int16_t)offset,
	};
}

static struct bpf_insn alu_reg(uint8_t op, uint8_t dst, uint8_t src)
{
	return (struct bpf_insn){
		.code = BPF_ALU64 | op | BPF_X,
		.dst_reg = dst & 0xf,
		.src_reg = src & 0xf,
	};
}

static struct bpf_insn alu_imm(uint8_t op, uint8_t dst, uint32_t value)
{
	return (struct bpf_insn){
		.code = BPF_ALU | op | BPF_K,
		.dst_reg = dst & 0xf,
		.imm = (int32_t)value,
	};
}

static struct bpf_insn jump_unless(uint8_t reg, uint32_t value)
{
	return (struct bpf_insn){
		.code = BPF_JMP | BPF_JNE | BPF_K,
		.dst_reg = reg & 0xf,
		.imm = (int32_t)value,
	};
}

static const struct bpf_insn exit_insn = { .code = BPF_JMP | BPF_EXIT };

/* Append the instructions of one rule; its jumps lead behind it. Returns: how many. */
static int assemble_rule(const struct bpfdev_rule *rule, struct bpf_insn *out)
{
	uint32_t type = rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
	int n = 0;

	out[n++] = jump_unless(BPF_REG_2, type);
	if (rule->access != BPFDEV_ALL) { /* anything asked for beyond it? */
		out[n++] = alu_reg(BPF_MOV, BPF_REG_1, BPF_REG_3);
		out[n++] = alu_imm(BPF_AND, BPF_REG_1, BPFDEV_ALL & ~rule->access);
		out[n++] = jump_unless(BPF_REG_1, 0);
	}
	if (rule->major != BPFDEV_ANY)
		out[n++] = jump_unless(BPF_REG_4, (uint32_t)rule->major);
	if (rule->minor != BPFDEV_ANY)
		out[n++] = jump_unless(BPF_REG_5, (uint32_t)rule->minor);
	out[n++] = alu_imm(BPF_MOV, BPF_REG_0, 1);
	out[n++] = exit_insn;
	for (int i = 0; i < n; i++)
		if (out[i].code == (BPF_JMP | BPF_JNE | BPF_K))
			out[i].off = (int16_t)(n - i - 1);
	return n;
}

static bool is_sane(const struct bpfdev_rule *rule)
{
	return (rule->type == 'c' || rule->type == 'b') && rule->major >= BPFDEV_ANY &&
	       rule->minor >= BPFDEV_ANY && rule->access && !(rule->access & ~(uint32_t)BPFDEV_ALL);
}

int bpfdev_assemble(const struct bpfdev_rule *rules, size_t n_rules,
		    struct bpf_insn ret_insns[BPFDEV_INSNS_MAX])
{
	int n = 0;

	if (n_rules > BPFDEV_RULES_MAX)
		return -E2BIG;
	ret_insns[n++] =
		load_word(BPF_REG_2, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	ret_insns[n++] = alu_reg(BPF_MOV, BPF_REG_3, BPF_REG_2);
	ret_insns[n++] = alu_imm(BPF_AND, BPF_REG_2, TYPE_MASK);
	ret_insns[n++] = alu_imm(BPF_RSH, BPF_REG_3, ACCESS_SHIFT);
	ret_insns[n++] =
		load_word(BPF_REG_4, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, major));
	ret_insns[n++] =
		load_word(BPF_REG_5, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, minor));
	for (size_t i = 0; i < n_rules; i++) {
		if (!is_sane(&rules[i]))
			return -EINVAL;
		n += assemble_rule(&rules[i], ret_insns + n);
	}
	ret_insns[n++] = alu_imm(BPF_MOV, BPF_REG_0, 0);
	ret_insns[n++] = exit_insn;
	return n;
}

static int sys_bpf(int command, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

static int load_program(const struct bpf_insn *insns, int n_insns)
{
	static const char license[] = "GPL";
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr)); /* the kernel checks the bytes between the fields */
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insn_cnt = (uint32_t)n_insns;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.license = (uint64_t)(uintptr_t)license;
	(void)snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", PROGRAM_NAME);
	return sys_bpf(BPF_PROG_LOAD, &attr);
}

/* The program @id when it is one of ours. Returns: descriptor or -errno. */
static int open_ours(uint32_t id)
{
	struct bpf_prog_info info = { 0 };
	_cleanup_(fd_closep) int fd = -EBADF;
	union bpf_attr attr;
	int r;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	fd = sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr);
	if (fd < 0)
		return fd;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uint64_t)(uintptr_t)&info;
	r = sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
	if (r < 0)
		return r;
	return streq(info.name, PROGRAM_NAME) ? TAKE_FD(fd) : -ENOENT;
}

static int attach_or_detach(int command, int cgroup_fd, int program_fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup_fd;
	attr.attach_bpf_fd = (uint32_t)program_fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	/* programs of groups below count too: the systemd of a container may narrow, never widen */
	attr.attach_flags = command == BPF_PROG_ATTACH ? BPF_F_ALLOW_MULTI : 0;
	return sys_bpf(command, &attr);
}

/* Ids of what is attached right here. Returns: how many, or -errno. */
static int query_attached(int cgroup_fd, uint32_t ids[ATTACHED_MAX])
{
	union bpf_attr attr;
	int r;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)cgroup_fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
	attr.query.prog_cnt = ATTACHED_MAX;
	r = sys_bpf(BPF_PROG_QUERY, &attr);
	return r < 0 ? r : (int)attr.query.prog_cnt;
}

int bpfdev_attach(int cgroup_fd, const struct bpfdev_rule *rules, size_t n_rules, struct err *err)
{
	_cleanup_(fd_closep) int program_fd = -EBADF;
	struct bpf_insn insns[BPFDEV_INSNS_MAX];
	uint32_t old_ids[ATTACHED_MAX];
	int n_insns = bpfdev_assemble(rules, n_rules, insns);
	int n_old, r;

	if (n_insns < 0)
		return err_set(err, n_insns, "assemble the device program");
	program_fd = load_program(insns, n_insns);
	if (program_fd < 0)
		return err_set(err, program_fd, "load the device program");
	n_old = query_attached(cgroup_fd, old_ids);
	if (n_old < 0)
		return err_set(err, n_old, "list the device programs of the cgroup");
	r = attach_or_detach(BPF_PROG_ATTACH, cgroup_fd, program_fd);
	if (r < 0)
		return err_set(err, r, "attach the device program");
	for (int i = 0; i < n_old; i++) {
		_cleanup_(fd_closep) int old_fd = open_ours(old_ids[i]);

		r = old_fd < 0 ? 0 : attach_or_detach(BPF_PROG_DETACH, cgroup_fd, old_fd);
		if (r < 0)
			return err_set(err, r, "detach the earlier device program");
	}
	return 0;
}
