/* os/nicloan.c - see nicloan.h */
#include "os/nicloan.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"
#include "os/netlink_link.h"
#include "os/ns.h"

#define FILE_PREFIX "loan."
#define FREE_NAME   "dev%d" /* what the kernel calls those that it brings */

enum {
	RECORD_MAX = 16384,
	INDEX_TRIES = 8,
	INDEX_STEP = 10000,
	ROUTES_MAX = 4 << 20
};

struct record {
	struct netlink_link link; /* as it was */
	int inner;		  /* its index inside */
	pid_t pid;
	uint64_t netns; /* inode of the namespace */
};

static void record_done(struct record *record)
{
	netlink_link_done(&record->link);
}

static char *file_name(const char *name)
{
	return xasprintf(FILE_PREFIX "%s", name);
}

static void add_mac(struct buf *out, const uint8_t *mac, bool has)
{
	for (size_t i = 0; has && i < NETLINK_MAC_LEN; i++)
		buf_printf(out, "%s%02x", i > 0 ? ":" : "", mac[i]);
	buf_add_str(out, has ? "\n" : "-\n");
}

/* One line each; the alias may have any and is the rest. */
static int write_record(int dir_fd, const struct record *record)
{
	const struct netlink_link *link = &record->link;
	_cleanup_(freep) char *file = file_name(link->name);
	_cleanup_(freep) char *altnames = strv_join((const char *const *)link->altnames, " ");
	struct buf out = { 0 };
	int r;

	buf_printf(&out, "%d %d %d %" PRIu64 " %" PRIu32 " %" PRIu32 "\n", link->index,
		   record->inner, (int)record->pid, record->netns, link->flags, link->mtu);
	add_mac(&out, link->mac, link->has_mac);
	add_mac(&out, link->permanent, link->has_permanent);
	buf_printf(&out, "%s\n%s", altnames ? altnames : "", link->alias);
	r = fd_replace_file_at(dir_fd, file, buf_str(&out), 0600);
	buf_done(&out);
	return r;
}

/* Cut the line off *@text. */
static char *next_line(char **text)
{
	char *line = *text;
	char *end = strchr(line, '\n');

	*text = end ? end + 1 : line + strlen(line);
	if (end)
		*end = '\0';
	return line;
}

static int parse_record(char *text, const char *name, struct record *record)
{
	struct netlink_link *link = &record->link;
	const char *numbers = next_line(&text), *mac = next_line(&text);
	const char *permanent = next_line(&text), *altnames = next_line(&text);
	int pid;

	if (sscanf(numbers, "%d %d %d %" SCNu64 " %" SCNu32 " %" SCNu32, &link->index,
		   &record->inner, &pid, &record->netns, &link->flags, &link->mtu) != 6)
		return -EBADMSG;
	record->pid = pid;
	link->has_mac = netlink_parse_mac(mac, link->mac) == 0;
	link->has_permanent = netlink_parse_mac(permanent, link->permanent) == 0;
	link->altnames = strv_split(altnames, " ");
	(void)snprintf(link->name, sizeof(link->name), "%s", name);
	(void)snprintf(link->alias, sizeof(link->alias), "%s", text);
	return 0;
}

/* Returns: 1 when there is one, 0 when not, -errno. */
static int read_record(int dir_fd, const char *name, struct record *ret_record)
{
	_cleanup_(freep) char *file = file_name(name);
	char text[RECORD_MAX];
	int fd = openat(dir_fd, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;
	int r;

	*ret_record = (struct record){ 0 };
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	n = read(fd, text, sizeof(text) - 1);
	r = n < 0 ? -errno : 0;
	(void)fd_close(fd);
	if (r < 0)
		return r;
	text[n] = '\0';
	r = parse_record(text, name, ret_record);
	return r < 0 ? r : 1;
}

static int in_use(const char *name, const char *why, struct err *err)
{
	return err_kind(err, ERR_CONFLICT, "the host uses interface \"%s\": it %s", name, why);
}

static bool has_address(const char *name)
{
	struct ifaddrs *list = NULL;
	bool found = false;

	if (getifaddrs(&list) < 0)
		return false;
	for (const struct ifaddrs *it = list; it && !found; it = it->ifa_next) {
		if (!it->ifa_addr || !streq(it->ifa_name, name))
			continue;
		found = it->ifa_addr->sa_family == AF_INET;
		if (it->ifa_addr->sa_family == AF_INET6)
			found = !IN6_IS_ADDR_LINKLOCAL(
				&((const struct sockaddr_in6 *)it->ifa_addr)->sin6_addr);
	}
	freeifaddrs(list);
	return found;
}

/* Destination and mask (or length) are all zeros. */
static bool file_has_default(const char *path, const char *name, bool ipv6)
{
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_(strv_freep) char **lines = NULL;
	struct buf text = { 0 };
	bool found = false;

	if (fd < 0 || fd_read_all(fd, ROUTES_MAX, &text) < 0)
		return false;
	lines = strv_split(buf_str(&text), "\n");
	buf_done(&text);
	for (char **line = lines; line && *line && !found; line++) {
		_cleanup_(strv_freep) char **words = strv_split(*line, " \t");
		size_t n = strv_len(words);

		if (ipv6)
			found = n == 10 && str_only(words[0], "0") && str_only(words[1], "0") &&
				streq(words[9], name);
		else
			found = n >= 8 && streq(words[0], name) && str_only(words[1], "0") &&
				str_only(words[7], "0");
	}
	return found;
}

static int check_unused(const struct netlink_link *link, struct err *err)
{
	if (link->flags & IFF_LOOPBACK)
		return in_use(link->name, "is the loopback", err);
	if (file_has_default("/proc/self/net/route", link->name, false) ||
	    file_has_default("/proc/self/net/ipv6_route", link->name, true))
		return in_use(link->name, "has the default route", err);
	if (link->master > 0)
		return in_use(link->name, "is a port of a bridge or bond", err);
	if (has_address(link->name))
		return in_use(link->name, "has an address", err);
	return 0;
}

/* With an index that is free inside: the record has to name it before the move (NL1). */
static int move_in(struct netlink *nl, const struct nicloan *loan, struct record *record,
		   struct err *err)
{
	struct netlink_change change = {
		.name = loan->inner,
		.mac = loan->mac,
		.mtu = loan->mtu,
		.moves = true,
		.netns_fd = loan->netns_fd,
	};
	int r = -EBUSY;

	for (int i = 0; i < INDEX_TRIES && r == -EBUSY; i++) {
		record->inner = record->link.index + i * INDEX_STEP;
		change.new_index = record->inner;
		r = write_record(loan->dir_fd, record);
		if (r < 0)
			return err_set(err, r, "remember interface \"%s\"", loan->name);
		r = netlink_link_change(nl, record->link.index, &change, err);
	}
	return r;
}

int nicloan_give(const struct nicloan *loan, struct err *err)
{
	_cleanup_(netlink_freep) struct netlink *nl = NULL;
	_cleanup_(record_done) struct record record = { .pid = loan->pid };
	struct stat st;
	int r = netlink_open(-EBADF, 0, &nl, err);

	if (r < 0)
		return r;
	r = netlink_link_read(nl, 0, loan->name, &record.link, NULL);
	if (r == -ENODEV)
		return err_kind(err, ERR_INVALID, "the host has no interface \"%s\"", loan->name);
	if (r < 0)
		return err_set(err, r, "look at interface \"%s\"", loan->name);
	r = check_unused(&record.link, err);
	if (r < 0)
		return r;
	if (fstat(loan->netns_fd, &st) < 0)
		return err_set(err, -errno, "look at the network namespace");
	record.netns = st.st_ino;
	r = move_in(nl, loan, &record, err);
	if (r < 0)
		(void)nicloan_take_back(loan->dir_fd, loan->name, loan->netns_fd, NULL);
	return r;
}

/* NL2. A link without a permanent address was made by software and is taken at its word. */
static bool is_same(const struct netlink_link *was, const struct netlink_link *is)
{
	if (was->has_permanent != is->has_permanent)
		return false;
	return !was->has_permanent ||
	       memcmp(was->permanent, is->permanent, sizeof(was->permanent)) == 0;
}

/*
 * To an index of our choice, under a name of the host's: its own is given back by restore(), because
 * a move whose name is taken has moved all the same. Returns: the index, or -errno.
 */
static int move_out(struct netlink *nl, const struct record *record, struct err *err)
{
	_cleanup_(fd_closep) int host_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct netlink_change change = {
		.name = FREE_NAME,
		.flags_mask = IFF_PROMISC | IFF_ALLMULTI,
		.moves = true,
		.netns_fd = host_fd,
	};
	int r = -EBUSY;

	if (host_fd < 0)
		return err_set(err, -errno, "open our network namespace");
	for (int i = 0; i < INDEX_TRIES && r == -EBUSY; i++) {
		change.new_index = record->link.index + i * INDEX_STEP;
		r = netlink_link_change(nl, record->inner, &change, err);
	}
	return r < 0 ? r : change.new_index;
}

/*
 * From the namespace, without the names that it got there.
 * Returns: its index on the host, -ENODEV when it is not there.
 */
static int fetch(const struct record *record, int netns_fd, struct err *err)
{
	_cleanup_(netlink_freep) struct netlink *nl = NULL;
	struct netlink_link link;
	int r = netlink_open(netns_fd, 0, &nl, err);

	if (r == 0)
		r = netlink_link_read(nl, record->inner, NULL, &link, err);
	if (r < 0)
		return r;
	if (!is_same(&record->link, &link)) {
		netlink_link_done(&link);
		return err_set(err, -ENODEV, "interface \"%s\"", record->link.name);
	}
	for (char **altname = link.altnames; altname && *altname; altname++)
		(void)netlink_altname(nl, link.index, *altname, false, NULL);
	netlink_link_done(&link);
	return move_out(nl, record, err);
}

/* It never left. */
static bool is_here(struct netlink *nl, const struct record *record)
{
	struct netlink_link link;
	bool here;

	if (netlink_link_read(nl, record->link.index, NULL, &link, NULL) < 0)
		return false;
	here = streq(link.name, record->link.name) && is_same(&record->link, &link);
	netlink_link_done(&link);
	return here;
}

/* Where the kernel brought it; only hardware comes back that way. Returns: index or -ENODEV. */
static int find_brought(struct netlink *nl, const struct record *record)
{
	const int indices[] = { record->link.index, record->inner, 0 };
	struct netlink_link link;

	for (size_t i = 0; record->link.has_permanent && i < ARRAY_LEN(indices); i++) {
		int index = 0;

		if (netlink_link_read(nl, indices[i], record->link.name, &link, NULL) < 0)
			continue;
		if (is_same(&record->link, &link))
			index = link.index;
		netlink_link_done(&link);
		if (index > 0)
			return index;
	}
	return -ENODEV;
}

static int restore(struct netlink *nl, const struct netlink_link *was,
		   const struct netlink_link *is, struct err *err)
{
	const struct netlink_change rename = { .name = was->name, .flags_mask = IFF_UP };
	const struct netlink_change back = {
		.mac = was->has_mac ? was->mac : NULL,
		.mtu = was->mtu,
		.alias = streq(was->alias, is->alias) ? NULL : was->alias,
		.flags = was->flags,
		.flags_mask = IFF_UP | IFF_PROMISC | IFF_ALLMULTI,
	};
	int r = 0;

	for (char **altname = is->altnames; altname && *altname; altname++)
		if (!strv_contains((const char *const *)was->altnames, *altname))
			(void)netlink_altname(nl, is->index, *altname, false, NULL);
	if (!streq(was->name, is->name))
		r = netlink_link_change(nl, is->index, &rename, err);
	/* A name that somebody took meanwhile stays theirs. */
	if (r == 0 || r == -EEXIST)
		r = netlink_link_change(nl, is->index, &back, err);
	for (char **altname = was->altnames; r == 0 && altname && *altname; altname++)
		r = netlink_altname(nl, is->index, *altname, true, err);
	return r;
}

static int take_back(const struct record *record, int netns_fd, struct err *err)
{
	_cleanup_(netlink_freep) struct netlink *nl = NULL;
	struct netlink_link is;
	int index = -ENODEV, r = netlink_open(-EBADF, 0, &nl, err);

	if (r < 0 || is_here(nl, record))
		return r;
	if (netns_fd >= 0)
		index = fetch(record, netns_fd, err);
	if (index == -ENODEV)
		index = find_brought(nl, record);
	if (index == -ENODEV)
		return err_set(err, index, "interface \"%s\" is gone", record->link.name);
	r = index < 0 ? index : netlink_link_read(nl, index, NULL, &is, err);
	if (r < 0)
		return r;
	r = restore(nl, &record->link, &is, err);
	netlink_link_done(&is);
	return r;
}

void nicloan_forget(int dir_fd, const char *name)
{
	_cleanup_(freep) char *file = file_name(name);

	(void)unlinkat(dir_fd, file, 0);
}

bool nicloan_is_out(int dir_fd, const char *name)
{
	_cleanup_(freep) char *file = file_name(name);

	return faccessat(dir_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int nicloan_take_back(int dir_fd, const char *name, int netns_fd, struct err *err)
{
	_cleanup_(record_done) struct record record;
	int r = read_record(dir_fd, name, &record);

	if (r <= 0)
		return r < 0 ? err_set(err, r, "read what interface \"%s\" was", name) : 0;
	r = take_back(&record, netns_fd, err);
	if (r < 0)
		return r;
	nicloan_forget(dir_fd, name);
	return 0;
}

/* Of the process that the record names, if that is still the one. */
static int live_netns(const struct record *record)
{
	int fd = ns_open(record->pid, "net");
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == record->netns)
		return fd;
	return fd_close(fd);
}

static int rescue_one(int dir_fd, const char *name, struct err *err)
{
	_cleanup_(record_done) struct record record;
	_cleanup_(fd_closep) int netns_fd = -EBADF;
	int r = read_record(dir_fd, name, &record);

	if (r > 0) {
		netns_fd = live_netns(&record);
		r = take_back(&record, netns_fd, err);
	}
	nicloan_forget(dir_fd, name);
	return r;
}

int nicloan_rescue(int dir_fd, struct err *err)
{
	int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	int result = 0;

	if (!dir) {
		(void)fd_close(copy);
		return 0;
	}
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		const char *name = str_after(entry->d_name, FILE_PREFIX);
		int r = name ? rescue_one(dir_fd, name, result < 0 ? NULL : err) : 0;

		if (r < 0 && result == 0)
			result = r;
	}
	(void)closedir(dir);
	return result;
}
