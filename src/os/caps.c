/* os/caps.c - see caps.h */
#include "os/caps.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

uint64_t caps_dropped_mask(void)
{
	static const unsigned int dropped[] = {
		CAP_SYS_MODULE, CAP_SYS_RAWIO,	  CAP_SYS_TIME,
		CAP_MAC_ADMIN,	CAP_MAC_OVERRIDE, CAP_WAKE_ALARM,
	};
	uint64_t mask = 0;

	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		mask |= UINT64_C(1) << dropped[i];
	return mask;
}

static int drop_bounding(uint64_t mask)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (!(mask & UINT64_C(1) << cap))
			continue;
		/* EINVAL: this kernel does not know the capability, so nobody has it. */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
			return -errno;
	}
	return 0;
}

int caps_drop(uint64_t mask)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	int r = drop_bounding(mask);

	if (r < 0)
		return r;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t keep = ~(uint32_t)(mask >> (32 * i));

		data[i].effective &= keep;
		data[i].permitted &= keep;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int set_effective(uint64_t mask, bool on)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t part = (uint32_t)(mask >> (32 * i));

		if (on)
			data[i].effective |= part & data[i].permitted;
		else
			data[i].effective &= ~part;
	}
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int caps_suspend(uint64_t mask)
{
	return set_effective(mask, false);
}

int caps_resume(uint64_t mask)
{
	return set_effective(mask, true);
}

int caps_keep_over_setuid(bool keep)
{
	unsigned long bits = keep ? SECBIT_NO_SETUID_FIXUP : 0;

	return prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0 ? -errno : 0;
}

int caps_become(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	return 0;
}

int caps_become_root(void)
{
	return caps_become(0, 0);
}

int caps_set_nondumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}
