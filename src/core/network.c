/* core/network.c - records of networks, and the life of the network manager; see network.h */
#include "core/network.h"

#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "core/network_priv.h"
#include "db/networks.h"
#include "network/apply.h"
#include "network/host.h"
#include "os/netlink.h"

#define SLOW_CHECK_NS (30 * (uint64_t)NS_PER_S)

static const char *const warning_names[] = {
	[NETMAN_WARN_UNAVAILABLE] = "network-unavailable",
	[NETMAN_WARN_FIREWALL] = "network-firewall",
	[NETMAN_WARN_GUARD] = "network-guard",
	[NETMAN_WARN_FOREIGN_DROP] = "network-foreign-drop",
	[NETMAN_WARN_BRIDGE_NF] = "network-bridge-netfilter",
	[NETMAN_WARN_DHCP] = "network-dhcp",
	[NETMAN_WARN_DNS_PORT_IN_USE] = "network-dns-port-in-use",
};
static_assert(ARRAY_LEN(warning_names) == NETMAN_WARNING_MAX, "one name per warning");

const char *netman_warning_name(enum netman_warning kind)
{
	return kind < NETMAN_WARNING_MAX ? warning_names[kind] : "network";
}

void netman_warn(struct netman_net *net, enum netman_warning kind, char *message_taken)
{
	_cleanup_(freep) char *message = message_taken;
	const struct netman_hooks *hooks = &net->nm->hooks;
	if (streq(net->warned[kind], message))
		return;
	freep(&net->warned[kind]);
	net->warned[kind] = xstrdup(message);
	if (hooks->warn)
		hooks->warn(hooks->data, net->record->name, kind, message);
}

void netman_event(struct netman *nm, const char *network, const char *action)
{
	if (nm->hooks.event)
		nm->hooks.event(nm->hooks.data, network, action);
}

struct netman_net *netman_find(const struct netman *nm, const char *name)
{
	vec_for_each(net, &nm->nets)
		if (streq((*net)->record->name, name))
			return *net;
	return NULL;
}

struct netman_net *netman_find_id(const struct netman *nm, int64_t network_id)
{
	vec_for_each(net, &nm->nets)
		if ((*net)->record->id == network_id)
			return *net;
	return NULL;
}

/* Takes @record and @plan. */
static struct netman_net *net_new(struct netman *nm, struct network_record *record,
				  const struct net_plan *plan)
{
	struct netman_net *net = xcalloc(1, sizeof(*net));
	net->nm = nm;
	net->record = record;
	net->plan = *plan;
	net->pidfd = -EBADF;
	net->dir = xasprintf("%s/networks/%s", nm->runtime_dir, record->name);
	net->state_dir = xasprintf("%s/networks/%s", nm->state_dir, record->name);
	return net;
}

static void net_free(struct netman_net *net)
{
	netman_net_detach(net);
	network_record_free(net->record);
	net_plan_done(&net->plan);
	freep(&net->dir);
	freep(&net->state_dir);
	for (size_t i = 0; i < NETMAN_WARNING_MAX; i++)
		freep(&net->warned[i]);
	freep(&net);
}

static void net_insert(struct netman *nm, struct netman_net *net)
{
	size_t at = nm->nets.len;
	(void)vec_push(&nm->nets);
	for (; at > 0 && strcmp(nm->nets.items[at - 1]->record->name, net->record->name) > 0; at--)
		nm->nets.items[at] = nm->nets.items[at - 1];
	nm->nets.items[at] = net;
}

static void net_take_out(struct netman *nm, const struct netman_net *net)
{
	size_t out = 0;
	for (size_t i = 0; i < nm->nets.len; i++)
		if (nm->nets.items[i] != net)
			nm->nets.items[out++] = nm->nets.items[i];
	nm->nets.len = out;
}

struct netman *netman_new(struct aio_loop *loop, struct db *db, const struct netman_config *config)
{
	struct netman *nm = xcalloc(1, sizeof(*nm));
	nm->loop = loop;
	nm->db = db;
	nm->tag = xstrdup(config->tag);
	nm->runtime_dir = xstrdup(config->runtime_dir);
	nm->state_dir = xstrdup(config->state_dir);
	nm->hooks = config->hooks;
	nm->watch_fd = -EBADF;
	nm->nft_rules = -1;
	return nm;
}

static void take_record(void *data, struct network_record *record)
{
	struct netman *nm = data;
	struct net_plan plan = { 0 };
	struct err err = { 0 };
	int r = net_plan_make(nm->tag, record->name, &record->config, &plan, &err);
	struct netman_net *net = net_new(nm, record, &plan);
	net_insert(nm, net);
	/* A row that an older or newer version wrote must not keep the daemon from starting. */
	if (r < 0)
		netman_warn(net, NETMAN_WARN_UNAVAILABLE, xstrdup(err.msg));
	net->held_down = r < 0;
}

int netman_load(struct netman *nm, struct err *err)
{
	int r = db_networks_load(nm->db, take_record, nm, err);
	return r < 0 ? r : netman_leases_load(nm, err);
}

static void on_slow_timer(void *data)
{
	struct netman *nm = data;
	vec_for_each(net, &nm->nets)
		netman_net_check(*net);
	netman_firewall_check(nm);
	aio_timer_start(nm->loop, &nm->slow, SLOW_CHECK_NS, on_slow_timer, nm);
}

void netman_start(struct netman *nm)
{
	nm->started = true;
	netman_remove_strays(nm);
	netman_firewall_watch(nm);
	netman_watch_links(nm);
	vec_for_each(net, &nm->nets)
		(void)netman_net_up(*net, NULL); /* warned of there (N3) */
	nm->filter_due = true;
	netman_firewall_apply(nm);
	aio_timer_start(nm->loop, &nm->slow, SLOW_CHECK_NS, on_slow_timer, nm);
}

static void nm_free(void *data)
{
	struct netman *nm = data;
	void (*closed)(void *) = nm->closed;
	void *closed_data = nm->closed_data;
	vec_for_each(net, &nm->nets)
		net_free(*net);
	vec_for_each(row, &nm->rows)
		netman_row_done(row);
	netman_filter_done(nm);
	freep(&nm->nets.items);
	freep(&nm->rows.items);
	freep(&nm->tag);
	freep(&nm->runtime_dir);
	freep(&nm->state_dir);
	freep(&nm);
	if (closed)
		closed(closed_data);
}

void netman_finish(struct netman *nm)
{
	aio_defer(nm->loop, nm_free, nm);
}

void netman_close(struct netman *nm, void (*closed)(void *data), void *data)
{
	nm->closing = true;
	nm->closed = closed;
	nm->closed_data = data;
	aio_timer_stop(&nm->slow);
	aio_timer_stop(&nm->settle);
	nm->events_poll = aio_poll_free(nm->events_poll);
	nm->events = netlink_free(nm->events);
	netman_firewall_detach(nm);
	vec_for_each(net, &nm->nets)
		netman_net_detach(*net);
	if (!nm->nft) /* else the rules of what was just changed are still on their way */
		netman_finish(nm);
}

const struct network_record *netman_get(const struct netman *nm, const char *name)
{
	const struct netman_net *net = netman_find(nm, name);
	return net ? net->record : NULL;
}

const struct network_record *netman_at(const struct netman *nm, size_t index)
{
	return index < nm->nets.len ? nm->nets.items[index]->record : NULL;
}

const char *netman_status(const struct netman *nm, const char *name)
{
	const struct netman_net *net = netman_find(nm, name);
	if (!net || net->warned[NETMAN_WARN_UNAVAILABLE])
		return "Errored";
	return net->up ? "Created" : "Pending";
}

uint32_t netman_mtu(const struct netman *nm, const char *name)
{
	const struct netman_net *net = netman_find(nm, name);
	return net && net->plan.mtu ? net->plan.mtu : (uint32_t)NET_MTU_DEFAULT;
}

static int no_such_network(struct err *err, const char *name)
{
	return err_kind(err, ERR_NOT_FOUND, "network \"%s\" does not exist", name ? name : "");
}

/* A key that is "auto", or unset at creation. */
static bool is_auto(const struct strmap *config, const char *key, bool creating)
{
	const char *value = strmap_get(config, key);
	return str_empty(value) ? creating : streq(value, "auto");
}

static int choose_ipv4(const struct netman *nm, struct strmap *config, struct err *err)
{
	struct net_prefixes4 used;
	struct net_ip4 ip;
	uint32_t seed;
	char text[NET_CIDR_LEN];
	net_host_used4(&used);
	vec_for_each(net, &nm->nets)
		if ((*net)->plan.v4.enabled)
			*vec_push(&used.list) = (*net)->plan.ip4;
	random_bytes(&seed, sizeof(seed));
	int r = net_ip4_pick_free(used.list.items, used.list.len, seed, &ip);
	net_prefixes4_done(&used);
	if (r < 0)
		return err_kind(err, ERR_UNAVAILABLE, "no private IPv4 network is free");
	strmap_set(config, "ipv4.address", net_ip4_format_cidr(text, ip));
	if (str_empty(strmap_get(config, "ipv4.nat")))
		strmap_set(config, "ipv4.nat", "true");
	return 0;
}

static void choose_ipv6(struct strmap *config)
{
	uint8_t bytes[7];
	char text[NET_CIDR_LEN];
	if (access("/proc/sys/net/ipv6", F_OK) < 0) {
		strmap_set(config, "ipv6.address", "none");
		return;
	}
	random_bytes(bytes, sizeof(bytes));
	struct net_ip6 ip = net_ip6_ula(bytes);
	strmap_set(config, "ipv6.address", net_ip6_format_cidr(text, &ip));
	if (str_empty(strmap_get(config, "ipv6.nat")))
		strmap_set(config, "ipv6.nat", "true");
}

static int choose_addresses(const struct netman *nm, struct strmap *config, bool creating,
			    struct err *err)
{
	int r = 0;
	if (is_auto(config, "ipv4.address", creating))
		r = choose_ipv4(nm, config, err);
	if (r == 0 && is_auto(config, "ipv6.address", creating))
		choose_ipv6(config);
	return r;
}

/* No two of our networks may overlap; @self is the one that is changed, or NULL. */
static int check_overlap(const struct netman *nm, const struct netman_net *self,
			 const struct net_plan *plan, struct err *err)
{
	vec_for_each(it, &nm->nets) {
		const struct net_plan *other = &(*it)->plan;
		if (*it == self)
			continue;
		if (plan->v4.enabled && other->v4.enabled &&
		    net_ip4_overlaps(plan->ip4, other->ip4))
			return err_kind(err, ERR_CONFLICT, "ipv4.address overlaps network \"%s\"",
					other->bridge);
		if (plan->v6.enabled && other->v6.enabled &&
		    net_ip6_contains(&plan->ip6, other->ip6.addr))
			return err_kind(err, ERR_CONFLICT, "ipv6.address overlaps network \"%s\"",
					other->bridge);
	}
	return 0;
}

/* Fill in @record and make its plan. */
static int prepare(const struct netman *nm, const struct netman_net *self,
		   struct network_record *record, struct net_plan *ret_plan, struct err *err)
{
	struct net_plan plan;
	int r = network_record_validate(record, err);
	if (r == 0)
		r = choose_addresses(nm, &record->config, !self, err);
	if (r == 0)
		r = net_plan_make(nm->tag, record->name, &record->config, &plan, err);
	if (r < 0)
		return r;
	r = check_overlap(nm, self, &plan, err);
	if (r == 0 && self)
		r = netman_rows_fit(self, &plan, err);
	if (r < 0)
		net_plan_done(&plan);
	else
		*ret_plan = plan;
	return r;
}

int netman_create(struct netman *nm, const struct network_record *record, struct err *err)
{
	_cleanup_(network_record_freep) struct network_record *copy = network_record_copy(record);
	struct net_plan plan = { 0 };
	if (netman_find(nm, record->name))
		return err_kind(err, ERR_CONFLICT, "network \"%s\" exists already", record->name);
	int r = prepare(nm, NULL, copy, &plan, err);
	if (r < 0)
		return r;
	if (net_bridge_owner(nm->tag, copy->name) == NET_OWNER_OTHERS)
		r = err_kind(err, ERR_CONFLICT,
			     "interface \"%s\" exists and was not made by this daemon", copy->name);
	if (r == 0)
		r = db_network_insert(nm->db, copy, err);
	if (r < 0) {
		net_plan_done(&plan);
		return r;
	}
	struct netman_net *net = net_new(nm, TAKE_PTR(copy), &plan);
	net_insert(nm, net);
	netman_event(nm, net->record->name, "created");
	if (nm->started && netman_net_up(net, NULL) == 0)
		netman_firewall_apply(nm);
	return 0;
}

int netman_update(struct netman *nm, const struct network_record *record, struct err *err)
{
	_cleanup_(network_record_freep) struct network_record *copy = network_record_copy(record);
	struct netman_net *net = netman_find(nm, record->name);
	struct net_plan plan = { 0 };
	if (!net)
		return no_such_network(err, record->name);
	copy->id = net->record->id;
	int r = prepare(nm, net, copy, &plan, err);
	if (r < 0)
		return r;
	r = db_network_update(nm->db, copy, err);
	if (r < 0) {
		net_plan_done(&plan);
		return r;
	}
	network_record_free(net->record);
	net->record = TAKE_PTR(copy);
	net_plan_done(&net->plan);
	net->plan = plan;
	net->held_down = false;
	netman_event(nm, net->record->name, "updated");
	if (nm->started) {
		(void)netman_net_up(net, NULL); /* warned of there */
		netman_firewall_apply(nm);
	}
	return 0;
}

static int refuse_in_use(const struct netman_net *net, const char *step, struct err *err)
{
	if (!netman_net_has_rows(net))
		return 0;
	return err_kind(err, ERR_CONFLICT, "%s network \"%s\": instances have addresses on it",
			step, net->record->name);
}

int netman_delete(struct netman *nm, const char *name, struct err *err)
{
	struct netman_net *net = netman_find(nm, name);
	if (!net)
		return no_such_network(err, name);
	int r = refuse_in_use(net, "delete", err);
	if (r == 0)
		r = db_network_delete(nm->db, net->record->id, err);
	if (r < 0)
		return r;
	for (enum netman_warning kind = 0; kind < NETMAN_WARNING_MAX; kind++)
		netman_warn(net, kind, NULL);
	net_take_out(nm, net);
	(void)netman_net_down(net, NULL); /* a bridge left behind carries our mark */
	netman_net_remove_state(net);
	netman_event(nm, net->record->name, "deleted");
	netman_firewall_apply(nm);
	net_free(net);
	return 0;
}

int netman_rename(struct netman *nm, const char *name, const char *new_name, struct err *err)
{
	struct netman_net *net = netman_find(nm, name);
	if (!net)
		return no_such_network(err, name);
	if (netman_find(nm, new_name) || net_bridge_owner(nm->tag, new_name) == NET_OWNER_OTHERS)
		return err_kind(err, ERR_CONFLICT, "\"%s\" exists already", new_name);
	_cleanup_(network_record_freep) struct network_record *copy =
		network_record_copy(net->record);
	struct net_plan plan = { 0 };
	replace_str(&copy->name, new_name);
	int r = refuse_in_use(net, "rename", err);
	if (r == 0)
		r = prepare(nm, net, copy, &plan, err);
	if (r < 0)
		return r;
	r = db_network_update(nm->db, copy, err);
	if (r < 0) {
		net_plan_done(&plan);
		return r;
	}
	(void)netman_net_down(net, NULL); /* a bridge left behind carries our mark */
	netman_net_remove_state(net);
	net_take_out(nm, net);
	net_free(net);
	net = net_new(nm, TAKE_PTR(copy), &plan);
	net_insert(nm, net);
	netman_event(nm, new_name, "renamed");
	if (nm->started) {
		(void)netman_net_up(net, NULL); /* warned of there */
		netman_firewall_apply(nm);
	}
	return 0;
}

int netman_ensure(struct netman *nm, const char *name, struct err *err)
{
	struct netman_net *net = netman_find(nm, name);
	if (!net)
		return no_such_network(err, name);
	if (net->up && if_nametoindex(name) != 0)
		return 0;
	int r = netman_net_up(net, err);
	if (r == 0) {
		netman_firewall_apply(nm);
		return 0;
	}
	/* Half a network is better than an instance that does not start. */
	if (net_bridge_owner(nm->tag, name) == NET_OWNER_OURS)
		return 0;
	if (err)
		err->kind = ERR_UNAVAILABLE;
	return err_wrap(err, "network \"%s\" is unavailable", name);
}

int netman_down(struct netman *nm, const char *name, struct err *err)
{
	struct netman_net *net = netman_find(nm, name);
	if (!net)
		return no_such_network(err, name);
	net->held_down = true;
	int r = netman_net_down(net, err);
	netman_firewall_apply(nm);
	netman_event(nm, name, "down");
	return r;
}

int netman_state(const struct netman *nm, const char *name, struct netman_state *ret_state,
		 struct err *err)
{
	struct net_host_link link;
	struct netman_state state = { 0 };
	(void)nm; /* any interface has a state */
	int r = net_host_read_link(name, &link, err);
	if (r < 0)
		return r;
	vec_for_each(a, &link.addresses) {
		struct netman_state_address *out = vec_push(&state.addresses);
		out->ipv6 = a->ipv6;
		out->prefix = a->prefix;
		out->link_local = a->link_local;
		(void)(a->ipv6 ? net_ip6_format(out->address, a->addr6)
			       : net_ip4_format(out->address, a->addr4));
	}
	static_assert(sizeof(state.hwaddr) == sizeof(link.hwaddr), "same text");
	static_assert(sizeof(state.bridge_id) == sizeof(link.bridge_id), "same text");
	memcpy(state.hwaddr, link.hwaddr, sizeof(state.hwaddr));
	memcpy(state.bridge_id, link.bridge_id, sizeof(state.bridge_id));
	state.mtu = link.mtu;
	state.up = link.up;
	state.rx_bytes = link.rx_bytes;
	state.tx_bytes = link.tx_bytes;
	state.rx_packets = link.rx_packets;
	state.tx_packets = link.tx_packets;
	state.is_bridge = link.is_bridge;
	state.stp = link.stp;
	state.forward_delay = link.forward_delay;
	state.ports = TAKE_PTR(link.ports);
	net_host_link_done(&link);
	*ret_state = state;
	return 0;
}

void netman_state_done(struct netman_state *state)
{
	freep(&state->addresses.items);
	strv_freep(&state->ports);
	*state = (struct netman_state){ 0 };
}
