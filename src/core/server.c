/* core/server.c - see server.h */
#include "core/server.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/image_refresh.h"
#include "db/server.h"
#include "os/fd.h"
#include "spec/server_keys.h"
#include "storage/policy.h"

enum {
	OS_RELEASE_BYTES_MAX = 8192,
	MEMINFO_BYTES_MAX = 8192
};

static int store(struct core *core, const struct strmap *config, struct err *err)
{
	int r = db_begin(core->db, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < config->len && r == 0; i++) {
		const char *value = config->items[i].value;

		r = db_config_set(core->db, config->items[i].key, str_empty(value) ? NULL : value,
				  err);
	}
	return db_end(core->db, r, err);
}

int server_set_config(struct core *core, const struct strmap *config, struct err *err)
{
	int r = key_check_all(&server_keys, config, err);

	if (r == 0)
		r = store(core, config, err);
	if (r < 0)
		return r;
	strmap_for_each(entry, config)
	{
		if (str_empty(entry->value))
			(void)strmap_unset(&core->server_config, entry->key);
		else
			strmap_set(&core->server_config, entry->key, entry->value);
	}
	if (core->ready)
		image_refresher_start(core->refresher);
	return 0;
}

void server_shown_config(const struct core *core, struct strmap *ret_config)
{
	strmap_for_each(entry, &core->server_config)
	{
		if (key_find(&server_keys, entry->key))
			strmap_set(ret_config, entry->key, entry->value);
	}
}

void server_read_os(struct strmap *ret_os)
{
	char text[OS_RELEASE_BYTES_MAX];
	_cleanup_(strv_freep) char **lines = NULL;

	if (fd_read_file_at(AT_FDCWD, "/etc/os-release", text, sizeof(text)) < 0)
		return;
	lines = strv_split(text, "\n");
	for (char **line = lines; line && *line; line++) {
		char *value = strchr(*line, '=');
		size_t len;

		if (!value)
			continue;
		*value++ = '\0';
		len = strlen(value);
		if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
			value[len - 1] = '\0';
			value++;
		}
		strmap_set(ret_os, *line, value);
	}
}

uint64_t server_memory_used_bytes(const struct core *core)
{
	char text[MEMINFO_BYTES_MAX];
	unsigned long long available_kib;
	const char *line;

	if (fd_read_file_at(AT_FDCWD, "/proc/meminfo", text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, "MemAvailable:");
	if (!line || sscanf(line, "MemAvailable: %15llu", &available_kib) != 1)
		return 0;
	return core->host_memory_bytes - MIN(core->host_memory_bytes, available_kib * 1024);
}

const char *const *server_storage_drivers(void)
{
	return storage_driver_names();
}
