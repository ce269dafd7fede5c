/* spec/nic.c - see nic.h */
#include "spec/nic.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "spec/device.h"

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

static bool is_nic(const struct strmap_entry *entry)
{
	return streq(device_get(entry->value, "type", ""), "nic");
}

static char *note_key(const char *device, const char *what)
{
	return xasprintf("volatile.%s.%s", device, what);
}

/* NULL: none, or one that no interface can have. */
static const char *noted_name(const struct strmap *config, const char *device)
{
	static const struct value_rule ifname = { .type = VALUE_IFNAME };
	_cleanup_(freep) char *key = note_key(device, "name");
	const char *name = strmap_get(config, key);

	return name && value_check(&ifname, name, NULL) == 0 ? name : NULL;
}

static bool is_taken(const struct strmap *names, const char *name)
{
	strmap_for_each(entry, names)
	{
		if (streq(entry->value, name))
			return true;
	}
	return false;
}

static char *first_free(const struct strmap *names)
{
	char name[NIC_IFNAME_LEN];
	unsigned int index = 0;

	do
		(void)snprintf(name, sizeof(name), "eth%u", index++);
	while (is_taken(names, name));
	return xstrdup(name);
}

void nic_inner_names(const struct strmap *devices, const struct strmap *config,
		     struct strmap *names)
{
	strmap_for_each(entry, devices)
	{
		const char *given = device_get(entry->value, "name", "");

		if (is_nic(entry) && !str_empty(given))
			strmap_set(names, entry->key, given);
	}
	strmap_for_each(entry, devices)
	{
		const char *name = noted_name(config, entry->key);

		if (is_nic(entry) && !strmap_has(names, entry->key) && name &&
		    !is_taken(names, name))
			strmap_set(names, entry->key, name);
	}
	strmap_for_each(entry, devices)
	{
		if (is_nic(entry) && !strmap_has(names, entry->key))
			strmap_set_take(names, entry->key, first_free(names));
	}
}

static void note(struct strmap *config, const char *device, const char *what, const char *value)
{
	_cleanup_(freep) char *key = note_key(device, what);

	if (!strmap_has(config, key))
		strmap_set(config, key, value);
}

/* On one of thirty hosts with a thousand nics two would draw the same 24 bits. */
static void note_hwaddr(struct strmap *config, const char *device, nic_taken_fn *taken, void *data)
{
	_cleanup_(freep) char *key = note_key(device, "hwaddr");
	char hwaddr[NIC_HWADDR_LEN];

	if (strmap_has(config, key))
		return;
	do {
		(void)nic_new_hwaddr(hwaddr);
	} while (taken(data, hwaddr));
	strmap_set(config, key, hwaddr);
}

void nic_fill_volatile(const struct strmap *devices, struct strmap *config, nic_taken_fn *taken,
		       void *data)
{
	_cleanup_(strmap_done) struct strmap names = { 0 };

	nic_inner_names(devices, config, &names);
	strmap_for_each(entry, devices)
	{
		if (is_nic(entry) && str_empty(device_get(entry->value, "hwaddr", "")))
			note_hwaddr(config, entry->key, taken, data);
		if (is_nic(entry) && str_empty(device_get(entry->value, "name", "")))
			note(config, entry->key, "name", strmap_get(&names, entry->key));
	}
}
