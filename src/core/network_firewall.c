/*
 * core/network_firewall.c - our nftables tables kept in place, and those of others looked at
 *
 * Layer core, in sysctrd. "nft -f -" runs as a child, one at a time; what changes meanwhile makes it
 * run once more. Somebody's "nft flush ruleset" is seen as an event, or else by the slow timer.
 */
#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/network_priv.h"
#include "network/host.h"
#include "network/nft.h"
#include "os/fd.h"
#include "os/nftables.h"

#define NFT_TIMEOUT_NS	(20 * (uint64_t)NS_PER_S)
#define WATCH_SETTLE_NS (50 * (uint64_t)NS_PER_MS)
#define AGAIN_NS	(500 * (uint64_t)NS_PER_MS) /* after our own change */

/* Networks that are to be in the tables; free() the result. */
static const struct net_plan **collect_plans(const struct netman *nm, size_t *ret_len)
{
	const struct net_plan **plans = xcalloc(nm->nets.len + 1, sizeof(*plans));
	size_t len = 0;
	vec_for_each(net, &nm->nets)
		if ((*net)->plan.bridge && !(*net)->held_down)
			plans[len++] = &(*net)->plan;
	*ret_len = len;
	return plans;
}

static void run_nft(struct netman *nm, const char *text, aio_run_fn done)
{
	static const char *const argv[] = { "nft", "-f", "-", NULL };
	const struct aio_proc_spec spec = { .program = "nft", .argv = argv };
	nm->nft = aio_run_text(nm->loop, &spec, text, NFT_TIMEOUT_NS, done, nm);
}

/* Tell that a chain of somebody else drops what we forward; NULL: none does. */
static void warn_of_drop(struct netman *nm, const struct nftables_chain *chain)
{
	bool bridged = chain && net_host_bridge_nf();
	vec_for_each(it, &nm->nets) {
		struct netman_net *net = *it;
		char *text = NULL;
		if (chain)
			text = xasprintf(
				"chain \"%s\" of table %s \"%s\" drops forwarded packets by "
				"policy; let those of interface %s pass there",
				chain->name, nftables_family_name(chain->family), chain->table,
				net->record->name);
		netman_warn(net, NETMAN_WARN_FOREIGN_DROP, text);
		text = NULL;
		if (bridged)
			text = xasprintf("net.bridge.bridge-nf-call-iptables=1: chain \"%s\" drops "
					 "packets between instances too",
					 chain->name);
		netman_warn(net, NETMAN_WARN_BRIDGE_NF, text);
	}
}

static void check_foreign(struct netman *nm)
{
	struct nftables_chain chain;
	int r = nftables_find_forward_drop(nm->tag, &chain);
	if (r < 0)
		return;
	if (r == 0) {
		warn_of_drop(nm, NULL);
		return;
	}
	_cleanup_(freep) char *name = str_printable(chain.name, false);
	_cleanup_(freep) char *table = str_printable(chain.table, false);
	(void)snprintf(chain.name, sizeof(chain.name), "%s", name);
	(void)snprintf(chain.table, sizeof(chain.table), "%s", table);
	warn_of_drop(nm, &chain);
}

/* Events tell that something happened; what is there is what counts. */
static bool rules_are_gone(const struct netman *nm)
{
	return nm->nft_rules < 0 || nftables_count_rules(NFPROTO_INET, nm->tag) != nm->nft_rules;
}

static void on_watch_settled(void *data)
{
	netman_firewall_check(data);
}

/* The transactions follow each other: tables, bridge table, filters, and again when it is due. */
static void apply_tables(struct netman *nm);

static void apply_bridge_table(struct netman *nm);

static void on_bridge_table_done(void *data, const char *output, const struct err *err)
{
	struct netman *nm = data;
	(void)output;
	nm->nft = NULL;
	if (err && !nm->nft_names) {
		nm->nft_names = true;
		apply_bridge_table(nm);
		return;
	}
	vec_for_each(net, &nm->nets)
		netman_warn(*net, NETMAN_WARN_GUARD,
			    err ? xasprintf("instances can answer DHCP and advertise routers: %s",
					    err->msg)
				: NULL);
	netman_firewall_next(nm);
}

static void apply_bridge_table(struct netman *nm)
{
	struct buf text = { 0 };
	size_t len;
	const struct net_plan **plans = collect_plans(nm, &len);
	if (len > 0)
		net_nft_bridge_text(nm->tag, plans, len, !nm->nft_names, &text);
	else
		net_nft_remove_text("bridge", nm->tag, &text);
	run_nft(nm, buf_str(&text), on_bridge_table_done);
	buf_done(&text);
	free(plans);
}

static void on_table_done(void *data, const char *output, const struct err *err)
{
	struct netman *nm = data;
	(void)output;
	nm->nft = NULL;
	if (err)
		nm->nft_rules = -1;
	vec_for_each(net, &nm->nets)
		netman_warn(*net, NETMAN_WARN_FIREWALL,
			    err ? xasprintf("no NAT: %s", err->msg) : NULL);
	apply_bridge_table(nm);
}

static void apply_tables(struct netman *nm)
{
	struct buf text = { 0 };
	size_t len;
	const struct net_plan **plans = collect_plans(nm, &len);

	nm->nft_dirty = false;
	if (len > 0)
		net_nft_text(nm->tag, plans, len, &text);
	else
		net_nft_remove_text("inet", nm->tag, &text);
	nm->nft_rules = net_nft_count_rules(buf_str(&text));
	run_nft(nm, buf_str(&text), on_table_done);
	buf_done(&text);
	free(plans);
}

void netman_firewall_next(struct netman *nm)
{
	if (nm->nft_dirty)
		apply_tables(nm);
	else if (nm->closing)
		netman_finish(nm);
	else if (!netman_filter_run(nm) && !aio_timer_armed(&nm->watch_settle))
		aio_timer_start(nm->loop, &nm->watch_settle, AGAIN_NS, on_watch_settled, nm);
}

void netman_firewall_apply(struct netman *nm)
{
	if (!nm->started || nm->closing)
		return;
	if (nm->nft)
		nm->nft_dirty = true;
	else
		apply_tables(nm);
}

void netman_firewall_check(struct netman *nm)
{
	if (!nm->started || nm->closing || nm->nft)
		return;
	check_foreign(nm);
	if (rules_are_gone(nm))
		netman_firewall_apply(nm);
	netman_filter_check(nm);
}

static void on_watch_event(void *data, unsigned int ready)
{
	struct netman *nm = data;
	unsigned int changes = 0;
	(void)ready;
	if (nftables_watch_read(nm->watch_fd, nm->tag, &changes) < 0)
		changes = NFTABLES_LOST;
	/* While our own nft runs they are mostly ours; there is a look at the end of it. */
	if (changes != 0 && !nm->nft && !aio_timer_armed(&nm->watch_settle))
		aio_timer_start(nm->loop, &nm->watch_settle, WATCH_SETTLE_NS, on_watch_settled, nm);
}

void netman_firewall_watch(struct netman *nm)
{
	/* Without events the slow timer sees to it. */
	nm->watch_fd = nftables_watch_open();
	if (nm->watch_fd < 0)
		return;
	nm->watch_poll = aio_poll_new(nm->loop, nm->watch_fd, on_watch_event, nm);
	if (nm->watch_poll)
		aio_poll_set(nm->watch_poll, AIO_READ);
}

void netman_firewall_detach(struct netman *nm)
{
	aio_timer_stop(&nm->watch_settle);
	nm->watch_poll = aio_poll_free(nm->watch_poll);
	nm->watch_fd = fd_close(nm->watch_fd);
}
