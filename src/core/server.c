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
#include "db/server.h"
#include "os/fd.h"
#include "storage/policy.h"

enum {
	OS_RELEASE_BYTES_MAX = 8192,
	MEMINFO_BYTES_MAX = 8192
};

int server_set_config(struct core *core, const struct strmap *config, struct err *err)
{
	strmap_for_each(entry, config) if (!str_after(entry->key, "user.")) return err_kind(
		err, ERR_UNSUPPORTED,
		"server key \"%s\" is not supported here; see "
		"sysctrd.yaml(5)",
		entry->key);
	strmap_for_each(entry, config)
	{
		const char *value = str_empty(entry->value) ? NULL : entry->value;
		int r = db_config_set(core->db, entry->key, value, err);

		if (r < 0)
			return r;
		if (value)
			strmap_set(&core->server_config, entry->key, value);
		else
			(void)strmap_unset(&core->server_config, entry->key);
	}
	return 0;
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
