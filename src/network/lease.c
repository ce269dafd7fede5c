/*
 * network/lease.c - see lease.h
 *
 * "EXPIRY MAC IP NAME CLIENT-ID" for IPv4; after a line "duid ..." "EXPIRY IAID IP6 NAME DUID", the
 * IAID with a T in front for temporary addresses. "*" is an unknown name.
 */
#include "network/lease.h"

#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "network/plan.h"

enum {
	LINE_MAX_LEN = 1024,
	FIELDS = 5
};

/* Cut @line at blanks into exactly FIELDS words. */
static bool split_fields(char *line, char *fields[FIELDS])
{
	char *save = NULL;
	size_t n = 0;
	for (char *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (n == FIELDS)
			return false;
		fields[n++] = word;
	}
	return n == FIELDS;
}

static bool parse_lease(char *line, struct net_lease *lease)
{
	char *fields[FIELDS];
	uint64_t expires;
	const char *mac;
	if (!split_fields(line, fields) || parse_u64(fields[0], INT64_MAX, &expires) < 0)
		return false;
	lease->expires_s = (int64_t)expires;
	lease->ipv6 = net_ip6_parse(fields[2], lease->addr6) == 0;
	if (!lease->ipv6 && net_ip4_parse(fields[2], &lease->addr4) < 0)
		return false;
	/* Other than Ethernet: "06-00:11:..." */
	mac = strchr(fields[1], '-') ? strchr(fields[1], '-') + 1 : fields[1];
	lease->has_mac = !lease->ipv6 && net_mac_parse(mac, &lease->mac) == 0;
	if (!lease->ipv6 && !lease->has_mac)
		return false;
	if (net_label_is_valid(fields[3]))
		memcpy(lease->name, fields[3], strlen(fields[3]) + 1);
	return true;
}

static void take_line(const char *text, size_t len, struct net_leases *leases)
{
	char line[LINE_MAX_LEN];
	struct net_lease lease = { 0 };
	if (len == 0 || (len > 5 && memcmp(text, "duid ", 5) == 0))
		return;
	if (len >= sizeof(line) || memchr(text, '\0', len) ||
	    leases->list.len >= (size_t)NET_LEASES_MAX) {
		leases->left_out++;
		return;
	}
	memcpy(line, text, len);
	line[len] = '\0';
	if (parse_lease(line, &lease))
		*vec_push(&leases->list) = lease;
	else
		leases->left_out++;
}

void net_leases_parse(const char *text, size_t len, struct net_leases *ret_leases)
{
	*ret_leases = (struct net_leases){ 0 };
	len = MIN(len, (size_t)NET_LEASE_FILE_MAX);
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line_len = end ? (size_t)(end - text) : len;
		take_line(text, line_len, ret_leases);
		if (!end)
			return;
		text += line_len + 1;
		len -= line_len + 1;
	}
}

void net_leases_done(struct net_leases *leases)
{
	free(leases->list.items);
	*leases = (struct net_leases){ 0 };
}
