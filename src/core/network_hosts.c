/*
 * core/network_hosts.c - the files between us and dnsmasq: fixed leases and names, leases given out
 *
 * Layer core, in sysctrd. Written from the rows; dnsmasq finds new files by itself and is told of
 * changed ones. Its lease file is read as hostile input.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/network_priv.h"
#include "os/fd.h"

enum {
	HOSTS_FILE_MAX = 64 * 1024,
	NICS_MAX = 64 /* of one instance on one network */
};

void netman_read_leases(const struct netman_net *net, struct net_leases *ret_leases)
{
	_cleanup_(freep) char *path = netman_net_lease_file(net);
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct buf text = { 0 };
	*ret_leases = (struct net_leases){ 0 };
	if (fd >= 0 && fd_read_all(fd, NET_LEASE_FILE_MAX, &text) == 0)
		net_leases_parse(buf_str(&text), text.len, ret_leases);
	buf_done(&text);
}

const struct netman_row *netman_owner4(const struct netman_net *net, uint32_t addr)
{
	vec_for_each(row, &net->nm->rows) {
		uint32_t v4;
		if (row->record->network_id == net->record->id &&
		    net_ip4_parse(row->record->ipv4, &v4) == 0 && v4 == addr)
			return row;
	}
	return NULL;
}

/* A lease of somebody who is not the owner of its address keeps that from its owner. */
static bool is_stale(const struct netman_net *net, const struct net_lease *lease)
{
	const struct netman_row *row = lease->ipv6 ? NULL : netman_owner4(net, lease->addr4);
	struct net_mac mac;
	return row && net_mac_parse(row->record->hwaddr, &mac) == 0 &&
	       memcmp(&mac, &lease->mac, sizeof(mac)) != 0;
}

bool netman_has_stale_lease(const struct netman_net *net)
{
	struct net_leases leases;
	bool found = false;
	netman_read_leases(net, &leases);
	vec_for_each(lease, &leases.list)
		found = found || is_stale(net, lease);
	net_leases_done(&leases);
	return found;
}

void netman_clean_leases(const struct netman_net *net)
{
	_cleanup_(freep) char *path = netman_net_lease_file(net);
	_cleanup_(fd_closep) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct buf text = { 0 };
	struct buf out = { 0 };
	if (fd < 0)
		return;
	/* Bytes that cannot be read as a whole would not be understood by dnsmasq either. */
	if (fd_read_all(fd, NET_LEASE_FILE_MAX, &text) < 0)
		text.len = 0;
	_cleanup_(strv_freep) char **lines = strv_split(buf_str(&text), "\n");
	for (size_t i = 0; i < strv_len(lines); i++) {
		struct net_leases one;
		net_leases_parse(lines[i], strlen(lines[i]), &one);
		if (one.list.len == 0 || !is_stale(net, one.list.items))
			buf_printf(&out, "%s\n", lines[i]);
		net_leases_done(&one);
	}
	if (out.len != text.len && ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		(void)fd_write_all(fd, buf_str(&out), out.len); /* leases are asked for again */
	buf_done(&text);
	buf_done(&out);
}

/* The nics of one instance on the network. Returns: how many. */
static size_t collect_hosts(const struct netman_net *net, const char *hostname,
			    struct net_host hosts[NICS_MAX])
{
	size_t n = 0;
	vec_for_each(row, &net->nm->rows) {
		const struct lease_record *record = row->record;
		struct net_host host = { 0 };
		if (n == NICS_MAX || record->network_id != net->record->id ||
		    !streq(row->hostname, hostname) || net_mac_parse(record->hwaddr, &host.mac) < 0)
			continue;
		host.has4 = net_ip4_parse(record->ipv4, &host.addr4) == 0;
		host.has6 = net_ip6_parse(record->ipv6, host.addr6) == 0;
		hosts[n++] = host;
	}
	return n;
}

/* @ret_changed: set when dnsmasq has read another version of it; new files it finds itself. */
static int write_file(const char *dir, const char *name, const struct buf *text, bool *changed,
		      struct err *err)
{
	_cleanup_(fd_closep) int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(fd_closep) int fd = -EBADF;
	struct buf now = { 0 };
	int r = 0;
	if (dir_fd < 0)
		return err_set(err, -errno, "open %s", dir);
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool same = fd >= 0 && fd_read_all(fd, HOSTS_FILE_MAX, &now) == 0 &&
		    streq(buf_str(&now), buf_str(text));
	buf_done(&now);
	if (same)
		return 0;
	*changed = *changed || fd >= 0;
	if (text->len > 0)
		r = fd_replace_file_at(dir_fd, name, buf_str(text), 0644);
	else if (fd >= 0 && unlinkat(dir_fd, name, 0) < 0)
		r = -errno;
	return r < 0 ? err_set(err, r, "write %s/%s", dir, name) : 0;
}

static int write_instance(struct netman_net *net, const char *hostname, bool *changed,
			  struct err *err)
{
	_cleanup_(freep) char *dhcp_dir = netman_net_path(net, "dhcp-hosts");
	_cleanup_(freep) char *dns_dir = netman_net_path(net, "hosts");
	struct net_host hosts[NICS_MAX];
	struct buf dhcp = { 0 };
	struct buf dns = { 0 };
	size_t n = collect_hosts(net, hostname, hosts);
	net_dnsmasq_dhcp_hosts(&net->plan, hostname, hosts, n, &dhcp);
	net_dnsmasq_dns_hosts(&net->plan, hostname, hosts, n, &dns);
	int r = write_file(dhcp_dir, hostname, &dhcp, changed, err);
	if (r == 0)
		r = write_file(dns_dir, hostname, &dns, changed, err);
	buf_done(&dhcp);
	buf_done(&dns);
	return r;
}

static bool is_host_of(const struct netman_net *net, const char *hostname)
{
	vec_for_each(row, &net->nm->rows)
		if (row->record->network_id == net->record->id && streq(row->hostname, hostname))
			return true;
	return false;
}

/* Remove files of instances that are no more. */
static void sweep_dir(const struct netman_net *net, const char *name, bool *changed)
{
	_cleanup_(freep) char *path = netman_net_path(net, name);
	DIR *dir = opendir(path);
	if (!dir)
		return;
	for (const struct dirent *d = readdir(dir); d; d = readdir(dir)) {
		if (streq(d->d_name, ".") || streq(d->d_name, "..") || is_host_of(net, d->d_name))
			continue;
		if (unlinkat(dirfd(dir), d->d_name, 0) == 0)
			*changed = true;
	}
	(void)closedir(dir);
}

int netman_write_hosts(struct netman_net *net, struct err *err)
{
	bool changed = false;
	int r = 0;
	sweep_dir(net, "dhcp-hosts", &changed);
	sweep_dir(net, "hosts", &changed);
	for (size_t i = 0; i < net->nm->rows.len && r == 0; i++) {
		const struct netman_row *row = &net->nm->rows.items[i];
		if (row->record->network_id == net->record->id)
			r = write_instance(net, row->hostname, &changed, err);
	}
	if (changed)
		netman_net_hup(net);
	return r;
}

void netman_tell_dnsmasq(struct netman_net *net, const char *hostname)
{
	struct err err = { 0 };
	bool changed = false;
	if (!net->nm->started || !net->up)
		return; /* written when it comes up */
	if (write_instance(net, hostname, &changed, &err) < 0)
		netman_warn(net, NETMAN_WARN_DHCP, xstrdup(err.msg));
	if (changed)
		netman_net_hup(net);
}
