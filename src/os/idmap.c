/* os/idmap.c - see idmap.h */
#include "os/idmap.h"

#include <fcntl.h>
#include <stdio.h>

#include "os/fd.h"

const char *idmap_format(char out[IDMAP_TEXT_LEN], uint32_t base, uint32_t count)
{
	(void)snprintf(out, IDMAP_TEXT_LEN, "0 %u %u\n", base, count);
	return out;
}

int idmap_write(pid_t pid, uint32_t base, uint32_t count)
{
	char text[IDMAP_TEXT_LEN];

	idmap_format(text, base, count);
	return idmap_write_text(pid, text, text);
}

int idmap_write_text(pid_t pid, const char *uid_map, const char *gid_map)
{
	char path[64];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	r = fd_write_file_at(AT_FDCWD, path, uid_map);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	return fd_write_file_at(AT_FDCWD, path, gid_map);
}
