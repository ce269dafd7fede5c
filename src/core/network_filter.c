/*
 * core/network_filter.c - the tables of what nics may send and get, kept as the hook says
 *
 * Layer core, in sysctrd. Written like the other tables, by one nft at a time, as a whole and in one
 * transaction: at no moment is a nic without its rules. What waits for them gets nft's answer.
 */
#include <errno.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/network_priv.h"
#include "network/filter.h"
#include "network/nft.h"
#include "os/nftables.h"

#define FILTER_TIMEOUT_NS (20 * (uint64_t)NS_PER_S)

/* One table of those that change together. */
struct part {
	uint8_t family;
	char *table;
	struct buf text;
};
enum {
	PARTS = 2
};

static void make_parts(const struct netman *nm, struct part parts[PARTS])
{
	struct net_filters filters = { 0 };

	if (nm->hooks.filters)
		nm->hooks.filters(nm->hooks.data, &filters);
	parts[0] = (struct part){ .family = NFPROTO_BRIDGE, .table = net_filter_table(nm->tag) };
	parts[1] = (struct part){ .family = NFPROTO_INET, .table = net_dnat_table(nm->tag) };
	net_filter_text(nm->tag, &filters, &parts[0].text);
	net_dnat_text(nm->tag, &filters.dnats, &parts[1].text);
	net_filters_done(&filters);
}

static void free_parts(struct part parts[PARTS])
{
	for (size_t i = 0; i < PARTS; i++) {
		free(parts[i].table);
		buf_done(&parts[i].text);
	}
}

/* Returns: the tables as they should be now, owned by the caller. */
static char *wanted_text(const struct netman *nm)
{
	struct part parts[PARTS];
	struct buf text = { 0 };

	make_parts(nm, parts);
	for (size_t i = 0; i < PARTS; i++)
		buf_add_str(&text, buf_str(&parts[i].text));
	free_parts(parts);
	return buf_take_str(&text);
}

/* The same for nft: without the removal of what is not there, whose family no kernel need have. */
static char *text_to_run(const struct netman *nm)
{
	struct part parts[PARTS];
	struct buf text = { 0 };

	make_parts(nm, parts);
	for (size_t i = 0; i < PARTS; i++)
		if (net_nft_count_rules(buf_str(&parts[i].text)) > 0 ||
		    nftables_count_rules(parts[i].family, parts[i].table) > 0)
			buf_add_str(&text, buf_str(&parts[i].text));
	free_parts(parts);
	return buf_take_str(&text);
}

/* In all of our tables here. */
static int count_rules(const struct netman *nm)
{
	_cleanup_(freep) char *filters = net_filter_table(nm->tag);
	_cleanup_(freep) char *dnats = net_dnat_table(nm->tag);

	return MAX(nftables_count_rules(NFPROTO_BRIDGE, filters), 0) +
	       MAX(nftables_count_rules(NFPROTO_INET, dnats), 0);
}

/* Nothing wanted and nothing there is right, also on a kernel that has no such tables. */
static bool is_right(const struct netman *nm, const char *text)
{
	if (nm->filter_applied)
		return streq(nm->filter_applied, text);
	return net_nft_count_rules(text) == 0 && count_rules(nm) == 0;
}

/* Whoever gets an answer may ask for the next thing at once. */
static void serve(struct netman *nm, size_t count, const struct err *err)
{
	for (; count > 0 && !nm->closing; count--) {
		struct netman_filter_waiter waiter = nm->filter_waiters.items[0];

		nm->filter_waiters.len--;
		memmove(nm->filter_waiters.items, nm->filter_waiters.items + 1,
			nm->filter_waiters.len * sizeof(waiter));
		if (nm->filter_served > 0)
			nm->filter_served--;
		waiter.done(waiter.data, err);
	}
}

static void on_done(void *data, const char *output, const struct err *err)
{
	struct netman *nm = data;
	struct err why = { 0 };
	size_t served = nm->filter_served;

	(void)output;
	nm->nft = NULL;
	if (err) {
		/* Theirs count on: what nft refuses as a whole leaves the table as it was. */
		(void)err_kind(&why, ERR_UNAVAILABLE, "filters of network devices: %s", err->msg);
		log_error(LOG_NONE, "%s", why.msg);
		freep(&nm->filter_text);
	} else {
		freep(&nm->filter_applied);
		nm->filter_applied = TAKE_PTR(nm->filter_text);
	}
	nm->filter_served = 0;
	serve(nm, served, err ? &why : NULL);
	if (!nm->nft)
		netman_firewall_next(nm);
}

bool netman_filter_run(struct netman *nm)
{
	static const char *const argv[] = { "nft", "-f", "-", NULL };
	const struct aio_proc_spec spec = { .program = "nft", .argv = argv };
	_cleanup_(freep) char *text = NULL, *to_run = NULL;

	if (!nm->filter_due || nm->closing)
		return false;
	nm->filter_due = false;
	text = wanted_text(nm);
	if (is_right(nm, text)) {
		serve(nm, nm->filter_waiters.len, NULL);
		return nm->nft != NULL;
	}
	nm->filter_served = nm->filter_waiters.len;
	replace_str(&nm->filter_text, text);
	to_run = text_to_run(nm);
	nm->nft = aio_run_text(nm->loop, &spec, to_run, FILTER_TIMEOUT_NS, on_done, nm);
	return true;
}

bool netman_filters_apply(struct netman *nm, netman_filters_fn done, void *data)
{
	_cleanup_(freep) char *text = NULL;

	if (!nm || !nm->started || nm->closing)
		return true;
	text = wanted_text(nm);
	/* What runs may be about to replace what is right. */
	if (!nm->filter_text && is_right(nm, text))
		return true;
	if (done)
		*vec_push(&nm->filter_waiters) =
			(struct netman_filter_waiter){ .done = done, .data = data };
	nm->filter_due = true;
	if (!nm->nft)
		(void)netman_filter_run(nm);
	return false;
}

void netman_filter_check(struct netman *nm)
{
	int expected = nm->filter_applied ? net_nft_count_rules(nm->filter_applied) : 0;

	if (expected == 0 || nm->nft || count_rules(nm) == expected)
		return;
	freep(&nm->filter_applied);
	nm->filter_due = true;
	(void)netman_filter_run(nm);
}

void netman_filter_done(struct netman *nm)
{
	freep(&nm->filter_text);
	freep(&nm->filter_applied);
	freep(&nm->filter_waiters.items);
}
