/* network/port.c - see port.h */
#include "network/port.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "os/fd.h"

enum {
	TABLE_MAX_BYTES = 8 << 20,
	STATE_LISTEN = 0x0a, /* TCP */
	STATE_CLOSE = 0x07,  /* an unconnected UDP socket */
	LINK_LEN = 64
};

static bool address_matches(const char *hex, uint32_t addr4)
{
	char want[9];
	if (str_only(hex, "0"))
		return true;
	(void)snprintf(want, sizeof(want), "%08" PRIX32, (uint32_t)htonl(addr4));
	return streq(hex, want);
}

void net_port_parse(const char *text, uint16_t port, uint32_t addr4, struct net_inodes *inodes)
{
	_cleanup_(strv_freep) char **lines = strv_split(text, "\n");
	for (size_t i = 1; i < strv_len(lines); i++) {
		char address[33];
		unsigned int local_port;
		unsigned int state;
		uint64_t inode;
		if (sscanf(lines[i],
			   " %*d: %32[0-9A-F]:%4x %*32[0-9A-F]:%*4x %2x %*s %*s %*s %*s %*s %" SCNu64,
			   address, &local_port, &state, &inode) != 4)
			continue;
		if (local_port != port || (state != STATE_LISTEN && state != STATE_CLOSE))
			continue;
		if (inode != 0 && address_matches(address, addr4))
			*vec_push(&inodes->list) = inode;
	}
}

static bool has_inode(const struct net_inodes *inodes, uint64_t inode)
{
	vec_for_each(i, &inodes->list)
		if (*i == inode)
			return true;
	return false;
}

/* Whether a descriptor of the process is one of the sockets. */
static bool process_holds(const char *pid, const struct net_inodes *inodes)
{
	_cleanup_(freep) char *path = xasprintf("/proc/%s/fd", pid);
	bool found = false;
	DIR *dir = opendir(path);
	if (!dir)
		return false;
	for (const struct dirent *d = readdir(dir); d && !found; d = readdir(dir)) {
		char link[LINK_LEN];
		uint64_t inode;
		ssize_t n = readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1);
		if (n < 0)
			continue;
		link[n] = '\0';
		found = sscanf(link, "socket:[%" SCNu64 "]", &inode) == 1 &&
			has_inode(inodes, inode);
	}
	(void)closedir(dir);
	return found;
}

static void find_process(const struct net_inodes *inodes, struct net_port_holder *holder)
{
	DIR *dir = opendir("/proc");
	if (!dir)
		return;
	for (const struct dirent *d = readdir(dir); d && holder->pid == 0; d = readdir(dir)) {
		uint32_t pid;
		char comm[sizeof(holder->name)] = "";
		if (parse_u32(d->d_name, &pid) < 0 || !process_holds(d->d_name, inodes))
			continue;
		_cleanup_(freep) char *path = xasprintf("/proc/%s/comm", d->d_name);
		(void)fd_read_file_at(AT_FDCWD, path, comm, sizeof(comm));
		_cleanup_(freep) char *clean = str_printable(comm, false);
		holder->pid = (pid_t)pid;
		(void)snprintf(holder->name, sizeof(holder->name), "%s", clean);
	}
	(void)closedir(dir);
}

bool net_port_find_holder(uint16_t port, uint32_t addr4, struct net_port_holder *ret_holder)
{
	static const char *const tables[] = { "/proc/net/udp", "/proc/net/udp6", "/proc/net/tcp",
					      "/proc/net/tcp6" };
	struct net_inodes inodes = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		_cleanup_(fd_closep) int fd = open(tables[i], O_RDONLY | O_CLOEXEC);
		struct buf text = { 0 };
		if (fd >= 0 && fd_read_all(fd, TABLE_MAX_BYTES, &text) == 0)
			net_port_parse(buf_str(&text), port, addr4, &inodes);
		buf_done(&text);
	}
	bool found = inodes.list.len > 0;
	if (found) {
		*ret_holder = (struct net_port_holder){ 0 };
		find_process(&inodes, ret_holder);
	}
	free(inodes.list.items);
	return found;
}
