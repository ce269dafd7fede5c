/*
 * core/network_lease.c - addresses of nics: chosen, stored, listed
 *
 * Layer core, in sysctrd. The database is the truth; the files that dnsmasq reads follow from it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/network_priv.h"
#include "db/networks.h"

void netman_row_done(struct netman_row *row)
{
	lease_record_free(row->record);
	freep(&row->hostname);
}

bool netman_net_has_rows(const struct netman_net *net)
{
	vec_for_each(row, &net->nm->rows)
		if (row->record->network_id == net->record->id)
			return true;
	return false;
}

static void take_lease(void *data, struct lease_record *record)
{
	struct netman *nm = data;
	const char *name = NULL;
	if (nm->hooks.instance_name)
		name = nm->hooks.instance_name(nm->hooks.data, record->instance_id);
	if (!name || !netman_find_id(nm, record->network_id)) {
		lease_record_free(record);
		return;
	}
	*vec_push(&nm->rows) = (struct netman_row){ record, xstrdup(name) };
}

int netman_leases_load(struct netman *nm, struct err *err)
{
	return db_leases_load(nm->db, take_lease, nm, err);
}

static void tell_of_row(struct netman *nm, const struct netman_row *row)
{
	struct netman_net *net = netman_find_id(nm, row->record->network_id);
	if (net)
		netman_tell_dnsmasq(net, row->hostname);
}

void netman_rolled_back(struct netman *nm)
{
	VEC(struct netman_row) old = { 0 };
	struct err err = { 0 };
	vec_for_each(row, &nm->rows)
		*vec_push(&old) = *row;
	nm->rows.len = 0;
	if (netman_leases_load(nm, &err) < 0)
		log_error(LOG_NONE, "read the addresses of instances again: %s", err.msg);
	vec_for_each(row, &nm->rows)
		tell_of_row(nm, row);
	vec_for_each(row, &old) {
		tell_of_row(nm, row);
		netman_row_done(row);
	}
	freep(&old.items);
}

static struct netman_row *find_row(const struct netman *nm, int64_t instance_id, const char *device)
{
	vec_for_each(row, &nm->rows)
		if (row->record->instance_id == instance_id && streq(row->record->device, device))
			return row;
	return NULL;
}

int netman_rows_fit(const struct netman_net *net, const struct net_plan *plan, struct err *err)
{
	vec_for_each(row, &net->nm->rows) {
		const struct lease_record *record = row->record;
		uint32_t v4;
		uint8_t v6[16];
		if (record->network_id != net->record->id)
			continue;
		if (net_ip4_parse(record->ipv4, &v4) == 0 &&
		    (!plan->v4.enabled || !net_ip4_is_host(plan->ip4, v4) || v4 == plan->ip4.addr))
			return err_kind(err, ERR_CONFLICT, "instance \"%s\" has address %s",
					row->hostname, record->ipv4);
		if (net_ip6_parse(record->ipv6, v6) == 0 &&
		    (!plan->v6.enabled || !net_ip6_contains(&plan->ip6, v6)))
			return err_kind(err, ERR_CONFLICT, "instance \"%s\" has address %s",
					row->hostname, record->ipv6);
	}
	return 0;
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

struct taken4 {
	VEC(uint32_t) list;
};

/* Addresses that a nic with @mac cannot have: of other nics, and of clients with a lease. */
static void collect_taken(const struct netman_net *net, const struct net_mac *mac,
			  struct taken4 *taken)
{
	struct net_leases leases;
	*vec_push(&taken->list) = net->plan.ip4.addr;
	*vec_push(&taken->list) = net->plan.gateway4;
	vec_for_each(row, &net->nm->rows) {
		uint32_t v4;
		if (row->record->network_id == net->record->id &&
		    net_ip4_parse(row->record->ipv4, &v4) == 0)
			*vec_push(&taken->list) = v4;
	}
	netman_read_leases(net, &leases);
	vec_for_each(lease, &leases.list)
		if (!lease->ipv6 && memcmp(&lease->mac, mac, sizeof(*mac)) != 0)
			*vec_push(&taken->list) = lease->addr4;
	net_leases_done(&leases);
	qsort(taken->list.items, taken->list.len, sizeof(uint32_t), compare_u32);
}

static int pick4(const struct netman_net *net, const struct net_mac *mac, uint32_t *ret_addr,
		 struct err *err)
{
	struct taken4 taken = { 0 };
	uint32_t seed = net_hash(mac, sizeof(*mac));
	collect_taken(net, mac, &taken);
	const uint32_t *items = taken.list.items;
	int r = net_ranges4_pick(&net->plan.pool, items, taken.list.len, seed, ret_addr);
	if (r < 0)
		r = net_ranges4_pick(&net->plan.dynamic, items, taken.list.len, seed, ret_addr);
	free(taken.list.items);
	if (r < 0)
		return err_kind(err, ERR_UNAVAILABLE, "network \"%s\" has no free IPv4 address",
				net->record->name);
	return 0;
}

/* Who is asking, and what for; the row that is there already, or NULL. */
struct request {
	const struct netman_nic *nic;
	const struct netman_net *net;
	const struct netman_row *row;
	struct net_mac mac;
};

static bool is_self(const struct request *q, const struct netman_row *row)
{
	return row == q->row;
}

static int invalid_address(const struct request *q, const char *key, const char *why,
			   struct err *err)
{
	return err_kind(err, ERR_INVALID, "device \"%s\" of instance \"%s\": %s: %s",
			q->nic->device, q->nic->instance, key, why);
}

static int wished4(const struct request *q, uint32_t *ret_addr, struct err *err)
{
	const struct net_plan *plan = &q->net->plan;
	const struct netman_row *owner;
	uint32_t addr;
	if (net_ip4_parse(q->nic->ipv4, &addr) < 0)
		return invalid_address(q, "ipv4.address", "not an IPv4 address", err);
	if (!plan->v4.enabled || !plan->v4.dhcp)
		return invalid_address(q, "ipv4.address", "the network has no DHCP for IPv4", err);
	if (!net_ip4_is_host(plan->ip4, addr) || addr == plan->ip4.addr)
		return invalid_address(q, "ipv4.address", "not an address for instances there",
				       err);
	owner = netman_owner4(q->net, addr);
	if (owner && !is_self(q, owner))
		return err_kind(err, ERR_CONFLICT, "address %s belongs to instance \"%s\"",
				q->nic->ipv4, owner->hostname);
	*ret_addr = addr;
	return 0;
}

/* @ret_text: "" for none. */
static int choose4(const struct request *q, char ret_text[NETMAN_ADDR_LEN], struct err *err)
{
	const struct net_plan *plan = &q->net->plan;
	uint32_t addr;
	int r;
	ret_text[0] = '\0';
	if (streq(q->nic->ipv4, "none"))
		return 0;
	if (!str_empty(q->nic->ipv4)) {
		r = wished4(q, &addr, err);
	} else if (!plan->v4.enabled || !plan->v4.dhcp) {
		return 0;
	} else if (q->row && net_ip4_parse(q->row->record->ipv4, &addr) == 0 &&
		   net_ip4_is_host(plan->ip4, addr)) {
		r = 0; /* it keeps what it has */
	} else {
		r = pick4(q->net, &q->mac, &addr, err);
	}
	if (r == 0)
		(void)net_ip4_format(ret_text, addr);
	return r;
}

static int wished6(const struct request *q, uint8_t ret_addr[16], struct err *err)
{
	const struct net_plan *plan = &q->net->plan;
	uint8_t slaac[16];
	if (net_ip6_parse(q->nic->ipv6, ret_addr) < 0)
		return invalid_address(q, "ipv6.address", "not an IPv6 address", err);
	if (!plan->v6.enabled || !net_ip6_contains(&plan->ip6, ret_addr) ||
	    memcmp(ret_addr, plan->ip6.addr, 16) == 0)
		return invalid_address(q, "ipv6.address", "not an address for instances there",
				       err);
	net_ip6_slaac(&plan->ip6, q->mac, slaac);
	if (!plan->stateful6 && memcmp(slaac, ret_addr, 16) != 0)
		return invalid_address(q, "ipv6.address",
				       "needs ipv6.dhcp.stateful=true on the network", err);
	return 0;
}

static int choose6(const struct request *q, char ret_text[NETMAN_ADDR_LEN], struct err *err)
{
	const struct net_plan *plan = &q->net->plan;
	uint8_t addr[16];
	ret_text[0] = '\0';
	if (streq(q->nic->ipv6, "none"))
		return 0;
	if (!str_empty(q->nic->ipv6)) {
		int r = wished6(q, addr, err);
		if (r < 0)
			return r;
	} else if (plan->v6.enabled && plan->v6.dhcp) {
		net_ip6_slaac(&plan->ip6, q->mac, addr);
	} else {
		return 0;
	}
	(void)net_ip6_format(ret_text, addr);
	return 0;
}

static int check_hwaddr(const struct request *q, struct err *err)
{
	vec_for_each(row, &q->net->nm->rows) {
		struct net_mac mac;
		if (is_self(q, row) || row->record->network_id != q->net->record->id ||
		    net_mac_parse(row->record->hwaddr, &mac) < 0 ||
		    memcmp(&mac, &q->mac, sizeof(mac)) != 0)
			continue;
		return err_kind(err, ERR_CONFLICT, "MAC address %s belongs to instance \"%s\"",
				q->nic->hwaddr, row->hostname);
	}
	return 0;
}

/* The row as it should be. Returns: new record, NULL with @err set. */
static struct lease_record *make_record(const struct request *q, struct err *err)
{
	char ipv4[NETMAN_ADDR_LEN];
	char ipv6[NETMAN_ADDR_LEN];
	char hwaddr[NET_MAC_LEN];
	if (check_hwaddr(q, err) < 0 || choose4(q, ipv4, err) < 0 || choose6(q, ipv6, err) < 0)
		return NULL;
	struct lease_record *record = xcalloc(1, sizeof(*record));
	record->network_id = q->net->record->id;
	record->instance_id = q->nic->instance_id;
	record->device = xstrdup(q->nic->device);
	record->hwaddr = xstrdup(net_mac_format(hwaddr, q->mac));
	record->ipv4 = ipv4[0] ? xstrdup(ipv4) : NULL;
	record->ipv6 = ipv6[0] ? xstrdup(ipv6) : NULL;
	return record;
}

static bool records_equal(const struct lease_record *a, const struct lease_record *b)
{
	return a->network_id == b->network_id && streq(a->hwaddr, b->hwaddr) &&
	       streq(a->ipv4, b->ipv4) && streq(a->ipv6, b->ipv6);
}

static int store(struct netman *nm, const struct netman_row *old, struct lease_record *record,
		 struct err *err)
{
	int r = db_begin(nm->db, err);
	if (r < 0)
		return r;
	/* The row's key holds the network: a nic that moved leaves its old row. */
	if (old && old->record->network_id != record->network_id)
		r = db_lease_delete(nm->db, old->record->id, err);
	if (r == 0)
		r = db_lease_set(nm->db, record, err);
	return db_end(nm->db, r, err);
}

static void fill_addresses(const struct netman *nm, const struct lease_record *record,
			   struct netman_addresses *out)
{
	const struct netman_net *net = netman_find_id(nm, record->network_id);
	*out = (struct netman_addresses){ 0 };
	if (record->ipv4)
		(void)snprintf(out->ipv4, sizeof(out->ipv4), "%s", record->ipv4);
	if (record->ipv6)
		(void)snprintf(out->ipv6, sizeof(out->ipv6), "%s", record->ipv6);
	out->ipv4_prefix = net ? net->plan.ip4.prefix : 0;
	out->ipv6_prefix = net ? net->plan.ip6.prefix : 0;
}

/* Put the stored record in place of the row, or behind the last. */
static void remember(struct netman *nm, struct netman_row *row, const char *instance,
		     struct lease_record *record)
{
	struct netman_net *old_net = row ? netman_find_id(nm, row->record->network_id) : NULL;
	struct netman_net *net = netman_find_id(nm, record->network_id);
	_cleanup_(freep) char *hostname = xstrdup(instance);
	if (!row)
		row = vec_push(&nm->rows);
	lease_record_free(row->record);
	row->record = record;
	replace_str(&row->hostname, hostname);
	if (old_net && old_net != net)
		netman_tell_dnsmasq(old_net, hostname);
	netman_tell_dnsmasq(net, hostname);
	if (netman_has_stale_lease(net))
		netman_net_restart(net);
}

int netman_assign_nic(struct netman *nm, const struct netman_nic *nic,
		      struct netman_addresses *ret_addresses, struct err *err)
{
	struct netman_row *row = find_row(nm, nic->instance_id, nic->device);
	struct request q = { .nic = nic, .net = netman_find(nm, nic->network), .row = row };
	if (!q.net)
		return err_kind(err, ERR_NOT_FOUND, "network \"%s\" does not exist", nic->network);
	if (net_mac_parse(nic->hwaddr, &q.mac) < 0 || (q.mac.bytes[0] & 1))
		return invalid_address(&q, "hwaddr", "not a MAC address of a host", err);
	if (!net_label_is_valid(nic->instance))
		return err_kind(err, ERR_INVALID, "instance name \"%s\": not a host name",
				nic->instance);
	_cleanup_(lease_record_freep) struct lease_record *record = make_record(&q, err);
	if (!record)
		return err ? err->code : -EINVAL;
	if (!row || !records_equal(row->record, record)) {
		int r = store(nm, row, record, err);
		if (r < 0)
			return r;
		fill_addresses(nm, record, ret_addresses);
		remember(nm, row, nic->instance, TAKE_PTR(record));
		return 0;
	}
	fill_addresses(nm, row->record, ret_addresses);
	return 0;
}

void netman_nic_addresses(const struct netman *nm, int64_t instance_id, const char *device,
			  struct netman_addresses *ret_addresses)
{
	const struct netman_row *row = find_row(nm, instance_id, device);
	*ret_addresses = (struct netman_addresses){ 0 };
	if (row)
		fill_addresses(nm, row->record, ret_addresses);
}

/* Which rows of an instance go: that of @device, or (@device NULL) all but those in @keep. */
struct release {
	int64_t instance_id;
	const char *device;
	const char *const *keep;
};

static bool goes(const struct release *release, const struct lease_record *record)
{
	if (record->instance_id != release->instance_id)
		return false;
	if (release->device)
		return streq(record->device, release->device);
	return !strv_contains(release->keep, record->device);
}

static int delete_rows(struct netman *nm, const struct release *release, struct err *err)
{
	int r = db_begin(nm->db, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < nm->rows.len && r == 0; i++)
		if (goes(release, nm->rows.items[i].record))
			r = db_lease_delete(nm->db, nm->rows.items[i].record->id, err);
	return db_end(nm->db, r, err);
}

static int release_rows(struct netman *nm, const struct release *release, struct err *err)
{
	int r = delete_rows(nm, release, err);
	if (r < 0)
		return r;
	for (size_t i = nm->rows.len; i-- > 0;) {
		struct netman_row row = nm->rows.items[i];
		if (!goes(release, row.record))
			continue;
		nm->rows.len--;
		memmove(&nm->rows.items[i], &nm->rows.items[i + 1],
			(nm->rows.len - i) * sizeof(row));
		tell_of_row(nm, &row);
		netman_row_done(&row);
	}
	return 0;
}

int netman_release_nic(struct netman *nm, int64_t instance_id, const char *device, struct err *err)
{
	return release_rows(nm, &(struct release){ .instance_id = instance_id, .device = device },
			    err);
}

int netman_release_others(struct netman *nm, int64_t instance_id, const char *const *keep,
			  struct err *err)
{
	return release_rows(nm, &(struct release){ .instance_id = instance_id, .keep = keep }, err);
}

void netman_rename_instance(struct netman *nm, int64_t instance_id, const char *new_name)
{
	vec_for_each(row, &nm->rows) {
		if (row->record->instance_id != instance_id)
			continue;
		struct netman_net *net = netman_find_id(nm, row->record->network_id);
		_cleanup_(freep) char *old_name = TAKE_PTR(row->hostname);
		row->hostname = xstrdup(new_name);
		if (!net)
			continue;
		netman_tell_dnsmasq(net, old_name);
		netman_tell_dnsmasq(net, new_name);
	}
}

static void add_lease(struct netman_leases *leases, const struct netman_lease *lease,
		      const char *address)
{
	struct netman_lease *out = vec_push(&leases->list);
	out->hostname = xstrdup(lease->hostname);
	out->device = xstrdup(lease->device);
	out->hwaddr = xstrdup(lease->hwaddr);
	out->address = xstrdup(address);
	out->dynamic = lease->dynamic;
	out->expires_wall_ns = lease->expires_wall_ns;
}

static void add_static(const struct netman_net *net, struct netman_leases *leases)
{
	vec_for_each(row, &net->nm->rows) {
		const struct netman_lease lease = { .hostname = row->hostname,
						    .device = row->record->device,
						    .hwaddr = row->record->hwaddr };
		if (row->record->network_id != net->record->id)
			continue;
		if (row->record->ipv4)
			add_lease(leases, &lease, row->record->ipv4);
		if (row->record->ipv6)
			add_lease(leases, &lease, row->record->ipv6);
	}
}

/* Leases that are not those of our own nics. */
static void add_dynamic(const struct netman_net *net, struct netman_leases *leases)
{
	struct net_leases file;
	netman_read_leases(net, &file);
	vec_for_each(it, &file.list) {
		char mac[NET_MAC_LEN] = "";
		char address[NET_IP_LEN];
		struct netman_lease lease = { .hostname = it->name,
					      .hwaddr = mac,
					      .dynamic = true };
		if (!it->ipv6 && netman_owner4(net, it->addr4))
			continue;
		if (it->has_mac)
			(void)net_mac_format(mac, it->mac);
		lease.expires_wall_ns = MIN(it->expires_s, INT64_MAX / NS_PER_S) * NS_PER_S;
		(void)(it->ipv6 ? net_ip6_format(address, it->addr6)
				: net_ip4_format(address, it->addr4));
		add_lease(leases, &lease, address);
	}
	net_leases_done(&file);
}

int netman_list_leases(const struct netman *nm, const char *name, struct netman_leases *ret_leases,
		       struct err *err)
{
	const struct netman_net *net = netman_find(nm, name);
	if (!net)
		return err_kind(err, ERR_NOT_FOUND, "network \"%s\" does not exist", name);
	*ret_leases = (struct netman_leases){ 0 };
	add_static(net, ret_leases);
	add_dynamic(net, ret_leases);
	return 0;
}

void netman_leases_done(struct netman_leases *leases)
{
	vec_for_each(lease, &leases->list) {
		freep(&lease->hostname);
		freep(&lease->device);
		freep(&lease->hwaddr);
		freep(&lease->address);
	}
	freep(&leases->list.items);
	*leases = (struct netman_leases){ 0 };
}
