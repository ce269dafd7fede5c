/*
 * os/bpfdev.h - which device nodes a container may use: a BPF program on its cgroup2 group
 *
 * Layer os; monitor. Costs 0.15 ms; works on the cgroup2 side of hybrid hosts. The program stays with
 * the group: nothing to undo.
 */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	BPFDEV_RULES_MAX = 64,
	BPFDEV_INSNS_MAX = 8 + BPFDEV_RULES_MAX * 10,
	BPFDEV_ANY = -1,
};

enum bpfdev_access {
	BPFDEV_MKNOD = 1 << 0,
	BPFDEV_READ = 1 << 1,
	BPFDEV_WRITE = 1 << 2,
	BPFDEV_ALL = BPFDEV_MKNOD | BPFDEV_READ | BPFDEV_WRITE,
};

struct bpfdev_rule {
	char type;     /* 'c' or 'b' */
	int32_t major; /* BPFDEV_ANY */
	int32_t minor; /* BPFDEV_ANY */
	uint32_t access;
};

/* What every container gets: null zero full random urandom tty console ptmx pts. */
extern const struct bpfdev_rule bpfdev_default_rules[];
extern const size_t bpfdev_n_default_rules;
extern const struct bpfdev_rule bpfdev_rule_tun;
extern const struct bpfdev_rule bpfdev_rule_fuse;

/*
 * Assemble an allow-list: what no rule allows is refused with EPERM. Pure.
 * Returns: number of instructions, -E2BIG over BPFDEV_RULES_MAX, -EINVAL for a bad type or access.
 */
int bpfdev_assemble(const struct bpfdev_rule *rules, size_t n_rules,
		    struct bpf_insn ret_insns[BPFDEV_INSNS_MAX]);

/* Load it and attach it to the group of @cgroup_fd, in place of an earlier one of ours. */
int bpfdev_attach(int cgroup_fd, const struct bpfdev_rule *rules, size_t n_rules, struct err *err);
