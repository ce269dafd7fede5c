/* fuzz target: dnsmasq's lease file, and the other texts of the host that network/ reads */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "network/host.h"
#include "network/lease.h"
#include "network/plan.h"
#include "network/port.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_leases(const uint8_t *data, size_t size)
{
	struct net_leases leases;

	net_leases_parse((const char *)data, size, &leases);
	if (leases.list.len > (size_t)NET_LEASES_MAX)
		abort();
	vec_for_each(lease, &leases.list)
		if (lease->name[0] && !net_label_is_valid(lease->name))
			abort();
	net_leases_done(&leases);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = xstrndup((const char *)data, size);
	_cleanup_(strv_freep) char **servers = NULL;
	struct net_prefixes4 prefixes = { 0 };
	struct net_inodes inodes = { 0 };

	check_leases(data, size);
	net_host_parse_routes(text, &prefixes);
	net_prefixes4_done(&prefixes);
	net_host_parse_resolv_conf(text, &servers);
	for (size_t i = 0; servers && servers[i]; i++)
		if (strpbrk(servers[i], ",#\n "))
			abort();
	net_port_parse(text, 53, 0x0a010201, &inodes);
	free(inodes.list.items);
	return 0;
}
