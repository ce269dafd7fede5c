/*
 * os/caps.h - capability sets, securebits, dumpability of the calling process
 *
 * Layer: os. Monitor's child, exec helper, workers. Never blocks. Plain.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What no container gets in its bounding set: systemd then skips the units that cannot work
 * instead of failing them. A mask of 1 << CAP_*.
 */
uint64_t caps_dropped_mask(void);

/* Drop every capability of @mask from bounding, inheritable, permitted and effective set. */
int caps_drop(uint64_t mask);

/* Do without the capabilities of @mask for a moment: they leave the effective set only. */
int caps_suspend(uint64_t mask);
int caps_resume(uint64_t mask); /* those that are permitted */

/* Become @uid and @gid of this user namespace, without supplementary groups. */
int caps_become(uid_t uid, gid_t gid);

/* Changes of uid and fsuid leave the effective set alone (SECBIT_NO_SETUID_FIXUP). */
int caps_keep_over_setuid(bool keep);

/* Become uid and gid 0 of this user namespace, without supplementary groups. */
int caps_become_root(void);

/* Nobody may trace this process or open its /proc files (PR_SET_DUMPABLE 0). */
int caps_set_nondumpable(void);
