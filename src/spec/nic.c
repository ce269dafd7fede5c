/* spec/nic.c - see nic.h */
#include "spec/nic.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/uuid.h"

enum {
	TAG_WHOLE_MAX = 6, /* longer tags are shortened to two characters and a hash of four */
	HASH_CHARS = 8
};

static_assert(TAG_WHOLE_MAX + 1 + HASH_CHARS + 1 == NIC_IFNAME_LEN, "fills IFNAMSIZ");

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

const char *nic_new_hwaddr(char out[NIC_HWADDR_LEN])
{
	uint8_t bytes[3];

	random_bytes(bytes, sizeof(bytes));
	(void)snprintf(out, NIC_HWADDR_LEN, "00:16:3e:%02x:%02x:%02x", bytes[0], bytes[1],
		       bytes[2]);
	return out;
}

/* FNV-1a, the terminating NUL included, so that "ab" "c" differs from "a" "bc". */
static uint64_t hash_str(uint64_t hash, const char *s)
{
	do {
		hash = (hash ^ (unsigned char)*s) * 0x100000001b3ULL;
	} while (*s++);
	return hash;
}

/* @n characters of @hash, its high bits folded in. */
static void format_hash(uint64_t hash, size_t n, char *out)
{
	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15ULL;
	hash ^= hash >> 29;
	for (size_t i = 0; i < n; i++)
		out[i] = base32[(hash >> (5 * i)) & 31];
	out[n] = '\0';
}

const char *nic_host_prefix(const char *tag, char out[NIC_PREFIX_LEN])
{
	char hash[4 + 1];

	if (strlen(tag) <= TAG_WHOLE_MAX) {
		(void)snprintf(out, NIC_PREFIX_LEN, "%s-", tag);
		return out;
	}
	format_hash(hash_str(0xcbf29ce484222325ULL, tag), 4, hash);
	(void)snprintf(out, NIC_PREFIX_LEN, "%.2s%s-", tag, hash);
	return out;
}

const char *nic_host_name(const char *tag, const char *instance, const char *device,
			  char out[NIC_IFNAME_LEN])
{
	uint64_t hash = hash_str(hash_str(0xcbf29ce484222325ULL, tag), instance);
	char prefix[NIC_PREFIX_LEN], chars[HASH_CHARS + 1];

	format_hash(hash_str(hash, device), HASH_CHARS, chars);
	(void)snprintf(out, NIC_IFNAME_LEN, "%s%s", nic_host_prefix(tag, prefix), chars);
	return out;
}

bool nic_host_name_is_ours(const char *tag, const char *ifname)
{
	char prefix[NIC_PREFIX_LEN];
	const char *rest = str_after(ifname, nic_host_prefix(tag, prefix));

	return rest && strlen(rest) == HASH_CHARS && str_only(rest, base32);
}
