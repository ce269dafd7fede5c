/* spec/server_keys.c - see server_keys.h */
#include "spec/server_keys.h"

#include "base/macro.h"

static const struct key_row rows[] = {
	{
		.name = "images.auto_update_cached",
		.rule = { .type = VALUE_BOOL },
		.flags = KEY_LIVE,
		.initial = "true",
		.help = "also keep images up to date that a launch has brought",
	},
	{
		.name = "images.auto_update_interval",
		.rule = { .type = VALUE_INT, .min = 0, .max = 8760 },
		.flags = KEY_LIVE,
		.initial = "6",
		.help = "hours between two looks for new versions of images; 0: never",
	},
	{
		.name = "images.remote_cache_expiry",
		.rule = { .type = VALUE_INT, .min = 0, .max = 36500 },
		.flags = KEY_LIVE,
		.initial = "10",
		.help = "days after which an image that a launch has brought is deleted when no "
			"other used it; 0: never",
	},
	{
		.name = "user.",
		.rule = { .type = VALUE_TEXT },
		.flags = KEY_LIVE,
		.help = "anything",
	},
};

const struct key_table server_keys = {
	.what = "server key",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
};
