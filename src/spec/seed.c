/* spec/seed.c - see seed.h */
#include "spec/seed.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "spec/etag.h"
#include "spec/keys.h"

static const struct {
	const char *file;
	const char *key;
	const char *older;
} files[] = {
	{ "network-config", "cloud-init.network-config", "user.network-config" },
	{ "user-data", "cloud-init.user-data", "user.user-data" },
	{ "vendor-data", "cloud-init.vendor-data", "user.vendor-data" },
};

static void add_meta_data(const char *more, const char *name, const char *uuid, struct strmap *seed)
{
	struct etag etag = { 0 };
	char hash[ETAG_LEN];
	struct buf text = { 0 };

	etag_add_str(&etag, name);
	etag_add_str(&etag, uuid);
	etag_add_str(&etag, more);
	etag_add_map(&etag, seed);
	etag_format(&etag, hash);
	/* without the quotes */
	buf_printf(&text, "instance-id: %.*s\nlocal-hostname: %s\n%s%s", ETAG_LEN - 3, hash + 1,
		   name, more, str_empty(more) || str_ends_with(more, "\n") ? "" : "\n");
	strmap_set(seed, "meta-data", buf_str(&text));
	buf_done(&text);
}

void seed_make(const struct strmap *config, const char *name, const char *uuid, struct strmap *seed)
{
	const char *more = keys_get(config, "user.meta-data", "");

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const char *text =
			keys_get(config, files[i].key, keys_get(config, files[i].older, NULL));

		if (text)
			strmap_set(seed, files[i].file, text);
	}
	if (seed->len == 0 && str_empty(more))
		return;
	/* cloud-init takes a seed only when it has both of these. */
	if (!strmap_has(seed, "user-data"))
		strmap_set(seed, "user-data", "#cloud-config\n{}\n");
	add_meta_data(more, name, uuid, seed);
}
