/* network/plan.c - see plan.h */
#include "network/plan.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

enum {
	TAG_MAX = 15,
	IFNAME_MAX_LEN = 15,
	LABEL_MAX = 63,
	DOMAIN_MAX = 253,
	MTU_MIN = 1280, /* IPv6 needs that much */
	MTU_MAX = 65535,
	PREFIX4_MIN = 8,
	PREFIX4_MAX = 30,
	NAMESERVERS_MAX = 8
};

static const char *const dns_mode_names[] = {
	[NET_DNS_MANAGED] = "managed",
	[NET_DNS_DYNAMIC] = "dynamic",
	[NET_DNS_NONE] = "none",
};
static_assert(ARRAY_LEN(dns_mode_names) == NET_DNS_MODE_MAX, "one name per mode");

static bool word_is_valid(const char *word, size_t max_len, const char *extra)
{
	size_t len = word ? strlen(word) : 0;
	if (len == 0 || len > max_len || !isalpha((unsigned char)word[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)word[i]) && !strchr(extra, word[i]))
			return false;
	return true;
}

bool net_tag_is_valid(const char *tag)
{
	return word_is_valid(tag, TAG_MAX, "-_");
}

static bool label_is_valid(const char *label, size_t len)
{
	if (len == 0 || len > LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)label[i]) && label[i] != '-')
			return false;
	return true;
}

bool net_label_is_valid(const char *name)
{
	return name && label_is_valid(name, strlen(name));
}

bool net_domain_is_valid(const char *name)
{
	if (str_empty(name) || strlen(name) > DOMAIN_MAX)
		return false;
	for (const char *label = name;;) {
		size_t len = strcspn(label, ".");
		if (!label_is_valid(label, len))
			return false;
		if (label[len] == '\0')
			return true;
		label += len + 1;
	}
}

static const char *get(const struct strmap *config, const char *key)
{
	const char *value = strmap_get(config, key);
	return str_empty(value) ? NULL : value;
}

static int invalid(struct err *err, const char *key, const char *value, const char *want)
{
	return err_kind(err, ERR_INVALID, "%s=\"%s\": %s", key, value, want);
}

static int get_bool(const struct strmap *config, const char *key, bool fallback, bool *ret_value,
		    struct err *err)
{
	const char *value = get(config, key);
	*ret_value = fallback;
	if (value && parse_bool(value, ret_value) < 0)
		return invalid(err, key, value, "must be true or false");
	return 0;
}

/* "3600", "90s", "30m", "1h", "2d". */
static int get_expiry(const struct strmap *config, const char *key, uint32_t *ret_s,
		      struct err *err)
{
	static const char units[] = "smhdw";
	static const uint32_t unit_s[] = { 1, 60, 3600, 86400, 604800 };
	const char *value = get(config, key);
	_cleanup_(freep) char *digits = xstrdup(value);
	uint32_t factor = 1;
	uint64_t n;
	*ret_s = NET_EXPIRY_DEFAULT_S;
	if (!value)
		return 0;
	if (streq(value, "infinite")) {
		*ret_s = UINT32_MAX;
		return 0;
	}
	const char *unit = strchr(units, value[strlen(value) - 1]);
	if (unit) {
		factor = unit_s[unit - units];
		digits[strlen(digits) - 1] = '\0';
	}
	if (parse_u64(digits, UINT32_MAX / factor, &n) < 0)
		return invalid(err, key, value, "must be a time such as 1h, or infinite");
	if (n * factor < NET_EXPIRY_MIN_S)
		return invalid(err, key, value, "must be two minutes or more");
	*ret_s = (uint32_t)(n * factor);
	return 0;
}

struct family_keys {
	const char *dhcp;
	const char *nat;
	const char *nat_address;
	const char *firewall;
	const char *routing;
};

static const struct family_keys keys4 = { "ipv4.dhcp", "ipv4.nat", "ipv4.nat.address",
					  "ipv4.firewall", "ipv4.routing" };
static const struct family_keys keys6 = { "ipv6.dhcp", "ipv6.nat", "ipv6.nat.address",
					  "ipv6.firewall", "ipv6.routing" };

static int plan_family(const struct family_keys *keys, const struct strmap *config,
		       struct net_family *family, struct err *err)
{
	const char *nat_address = get(config, keys->nat_address);
	int r = get_bool(config, keys->dhcp, true, &family->dhcp, err);
	if (r == 0)
		r = get_bool(config, keys->nat, true, &family->nat, err);
	if (r == 0)
		r = get_bool(config, keys->firewall, true, &family->firewall, err);
	if (r == 0)
		r = get_bool(config, keys->routing, true, &family->routing, err);
	if (r < 0)
		return r;
	replace_str(&family->nat_address, nat_address);
	return 0;
}

/* Cut the pool in the part for instances and the part for others (a guest may exhaust only that).
 */
static void split_pool(struct net_plan *plan, const struct net_ranges4 *pool)
{
	uint64_t count = net_ranges4_count(pool);
	uint64_t dynamic = MIN(count / NET_POOL_DYNAMIC_PART, (uint64_t)NET_LEASES_MAX);
	if (dynamic == 0 && count > 1)
		dynamic = 1;
	net_ranges4_split(pool, count - dynamic, &plan->pool, &plan->dynamic);
}

static int plan_pool(const struct strmap *config, struct net_plan *plan, struct err *err)
{
	static const char key[] = "ipv4.dhcp.ranges";
	const char *value = get(config, key);
	struct net_ranges4 all = { 0 };
	if (!value)
		net_ranges4_of_network(plan->ip4, plan->ip4.addr, &all);
	else if (net_ranges4_parse(value, plan->ip4, &all) < 0)
		return invalid(err, key, value, "must be FIRST-LAST,... inside ipv4.address");
	split_pool(plan, &all);
	net_ranges4_done(&all);
	return 0;
}

static int plan_ipv4(const struct strmap *config, struct net_plan *plan, struct err *err)
{
	const char *value = get(config, "ipv4.address");
	const char *gateway = get(config, "ipv4.dhcp.gateway");
	uint32_t addr;
	int r = plan_family(&keys4, config, &plan->v4, err);
	if (r < 0)
		return r;
	if (plan->v4.nat_address && net_ip4_parse(plan->v4.nat_address, &addr) < 0)
		return invalid(err, keys4.nat_address, plan->v4.nat_address,
			       "must be an IPv4 address");
	if (!value || streq(value, "none"))
		return 0;
	if (net_ip4_parse_cidr(value, &plan->ip4) < 0 || plan->ip4.prefix < PREFIX4_MIN ||
	    plan->ip4.prefix > PREFIX4_MAX || !net_ip4_is_host(plan->ip4, plan->ip4.addr))
		return invalid(err, "ipv4.address", value,
			       "must be the bridge's address with /8 to /30, \"auto\" or \"none\"");
	plan->v4.enabled = true;
	plan->gateway4 = plan->ip4.addr;
	if (gateway && streq(gateway, "none"))
		plan->gateway4 = 0;
	else if (gateway && net_ip4_parse(gateway, &plan->gateway4) < 0)
		return invalid(err, "ipv4.dhcp.gateway", gateway, "must be an IPv4 address");
	r = get_expiry(config, "ipv4.dhcp.expiry", &plan->expiry4_s, err);
	return r < 0 ? r : plan_pool(config, plan, err);
}

static int plan_ipv6(const struct strmap *config, struct net_plan *plan, struct err *err)
{
	const char *value = get(config, "ipv6.address");
	uint8_t addr[16];
	int r = plan_family(&keys6, config, &plan->v6, err);
	if (r < 0)
		return r;
	if (plan->v6.nat_address && net_ip6_parse(plan->v6.nat_address, addr) < 0)
		return invalid(err, keys6.nat_address, plan->v6.nat_address,
			       "must be an IPv6 address");
	if (!value || streq(value, "none"))
		return 0;
	if (net_ip6_parse_cidr(value, &plan->ip6) < 0 || plan->ip6.prefix != 64)
		return invalid(err, "ipv6.address", value,
			       "must be the bridge's address with /64, \"auto\" or \"none\"");
	plan->v6.enabled = true;
	r = get_bool(config, "ipv6.dhcp.stateful", false, &plan->stateful6, err);
	return r < 0 ? r : get_expiry(config, "ipv6.dhcp.expiry", &plan->expiry6_s, err);
}

static int plan_nameservers(const struct strmap *config, struct net_plan *plan, struct err *err)
{
	static const char key[] = "dns.nameservers";
	const char *value = get(config, key);
	uint32_t v4;
	uint8_t v6[16];
	if (!value)
		return 0;
	plan->nameservers = strv_split(value, ", ");
	for (size_t i = 0; i < strv_len(plan->nameservers); i++) {
		const char *server = plan->nameservers[i];
		if (i >= NAMESERVERS_MAX)
			return invalid(err, key, value, "at most 8");
		if (net_ip4_parse(server, &v4) < 0 && net_ip6_parse(server, v6) < 0)
			return invalid(err, key, server, "must be an IP address");
	}
	return 0;
}

static int plan_dns(const struct strmap *config, struct net_plan *plan, struct err *err)
{
	const char *domain = get(config, "dns.domain");
	const char *search = get(config, "dns.search");
	const char *mode = get(config, "dns.mode");
	replace_str(&plan->domain, domain ? domain : "sysctr");
	if (!net_domain_is_valid(plan->domain))
		return invalid(err, "dns.domain", domain, "must be a domain name");
	plan->search = search ? strv_split(search, ", ") : NULL;
	for (size_t i = 0; i < strv_len(plan->search); i++)
		if (!net_domain_is_valid(plan->search[i]))
			return invalid(err, "dns.search", plan->search[i], "must be a domain name");
	plan->dns_mode = NET_DNS_MANAGED;
	while (mode && !streq(mode, dns_mode_names[plan->dns_mode]))
		if (++plan->dns_mode == NET_DNS_MODE_MAX)
			return invalid(err, "dns.mode", mode, "must be managed, dynamic or none");
	return plan_nameservers(config, plan, err);
}

static int plan_link(const struct strmap *config, struct net_plan *plan, struct err *err)
{
	const char *mtu = get(config, "bridge.mtu");
	const char *hwaddr = get(config, "bridge.hwaddr");
	uint64_t value = NET_MTU_DEFAULT;
	if (mtu && (parse_u64(mtu, MTU_MAX, &value) < 0 || value < MTU_MIN))
		return invalid(err, "bridge.mtu", mtu, "must be 1280 to 65535");
	plan->mtu = (uint32_t)value;
	plan->hwaddr = net_mac_from_words(plan->tag, plan->bridge);
	if (hwaddr && net_mac_parse(hwaddr, &plan->hwaddr) < 0)
		return invalid(err, "bridge.hwaddr", hwaddr, "must be a MAC address");
	if (plan->hwaddr.bytes[0] & 1)
		return invalid(err, "bridge.hwaddr", hwaddr, "must not be a group address");
	return 0;
}

int net_plan_make(const char *tag, const char *bridge, const struct strmap *config,
		  struct net_plan *ret_plan, struct err *err)
{
	struct net_plan plan = { 0 };
	int r;
	if (!net_tag_is_valid(tag))
		return err_kind(err, ERR_INVALID, "daemon name \"%s\": not usable as a tag",
				tag ? tag : "");
	if (!word_is_valid(bridge, IFNAME_MAX_LEN, "-_."))
		return err_kind(err, ERR_INVALID, "network name \"%s\": not an interface name",
				bridge ? bridge : "");
	plan.tag = xstrdup(tag);
	plan.bridge = xstrdup(bridge);
	r = plan_link(config, &plan, err);
	if (r == 0)
		r = plan_ipv4(config, &plan, err);
	if (r == 0)
		r = plan_ipv6(config, &plan, err);
	if (r == 0)
		r = plan_dns(config, &plan, err);
	if (r < 0) {
		net_plan_done(&plan);
		return r;
	}
	*ret_plan = plan;
	return 0;
}

void net_plan_done(struct net_plan *plan)
{
	freep(&plan->tag);
	freep(&plan->bridge);
	freep(&plan->v4.nat_address);
	freep(&plan->v6.nat_address);
	freep(&plan->domain);
	strv_freep(&plan->nameservers);
	strv_freep(&plan->search);
	net_ranges4_done(&plan->pool);
	net_ranges4_done(&plan->dynamic);
	*plan = (struct net_plan){ 0 };
}

static void add_sysctl(struct net_sysctls *sysctls, char *path_taken, const char *value)
{
	*vec_push(&sysctls->list) = (struct net_sysctl){ path_taken, value };
}

static void add_bridge_sysctl(struct net_sysctls *sysctls, const struct net_plan *plan,
			      const char *key, const char *value)
{
	add_sysctl(sysctls, xasprintf("net/ipv6/conf/%s/%s", plan->bridge, key), value);
}

void net_plan_sysctls(const struct net_plan *plan, const char *const *ra_uplinks,
		      struct net_sysctls *ret_sysctls)
{
	*ret_sysctls = (struct net_sysctls){ 0 };
	/* A guest must never become the host's router, and the bridge has no carrier to wait for. */
	add_bridge_sysctl(ret_sysctls, plan, "disable_ipv6", plan->v6.enabled ? "0" : "1");
	add_bridge_sysctl(ret_sysctls, plan, "accept_ra", "0");
	add_bridge_sysctl(ret_sysctls, plan, "autoconf", "0");
	add_bridge_sysctl(ret_sysctls, plan, "accept_dad", "0");
	add_bridge_sysctl(ret_sysctls, plan, "accept_redirects", "0");
	add_sysctl(ret_sysctls, xasprintf("net/ipv4/conf/%s/accept_redirects", plan->bridge), "0");
	if (plan->v4.enabled && plan->v4.routing)
		add_sysctl(ret_sysctls, xstrdup("net/ipv4/ip_forward"), "1");
	if (!plan->v6.enabled || !plan->v6.routing)
		return;
	for (size_t i = 0; ra_uplinks && ra_uplinks[i]; i++)
		if (!streq(ra_uplinks[i], plan->bridge))
			add_sysctl(ret_sysctls,
				   xasprintf("net/ipv6/conf/%s/accept_ra", ra_uplinks[i]), "2");
	add_sysctl(ret_sysctls, xstrdup("net/ipv6/conf/all/forwarding"), "1");
}

void net_sysctls_done(struct net_sysctls *sysctls)
{
	vec_for_each(s, &sysctls->list)
		freep(&s->path);
	freep(&sysctls->list.items);
	*sysctls = (struct net_sysctls){ 0 };
}
