/* api/networks.c - /1.0/networks */
#include <stdio.h>

#include "api/handlers.h"
#include "api/objects.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/network.h"
#include "spec/device.h"
#include "spec/network.h"
#include "spec/profile.h"

static bool devices_use(const struct strmap *devices, const char *network)
{
	strmap_for_each(entry, devices) if (streq(device_get(entry->value, "network", NULL),
						  network)) return true;
	return false;
}

static void write_used_by(struct jsonw *w, const struct core *core, const char *network)
{
	jsonw_add_array(w, "used_by");
	strmap_for_each(entry, &core->instances)
	{
		const struct inst *inst = entry->value;

		if (devices_use(&inst->expanded.devices, network))
			write_url(w, "instances", entry->key);
	}
	strmap_for_each(entry, &core->profiles)
	{
		const struct profile_record *profile = entry->value;

		if (devices_use(&profile->devices, network))
			write_url(w, "profiles", entry->key);
	}
	jsonw_end_array(w);
}

void write_network(struct jsonw *w, struct core *core, const struct network_record *network)
{
	jsonw_begin_object(w);
	jsonw_add_str(w, "name", network->name);
	jsonw_add_str(w, "description", network->description ? network->description : "");
	jsonw_add_str(w, "type", network->type);
	jsonw_add_bool(w, "managed", network->managed);
	jsonw_add_str(w, "status", netman_status(core->net, network->name));
	jsonw_add_strmap(w, "config", &network->config);
	write_used_by(w, core, network->name);
	jsonw_add_strv(w, "locations", (const char *const[]){ "none", NULL });
	jsonw_add_str(w, "project", "default");
	jsonw_end_object(w);
}

void networks_list(struct api_req *req)
{
	const struct network_record *network;

	jsonw_begin_array(&req->json);
	for (size_t i = 0; (network = netman_at(req->core->net, i)); i++) {
		if (api_recursion(req) > 0)
			write_network(&req->json, req->core, network);
		else
			write_url(&req->json, "networks", network->name);
	}
	jsonw_end_array(&req->json);
	reply_sync(req);
}

static int find(struct api_req *req, const struct network_record **ret_network)
{
	*ret_network = netman_get(req->core->net, req->args[0]);
	if (*ret_network)
		return 0;
	return err_kind(&req->err, ERR_NOT_FOUND, "Network not found: \"%s\"", req->args[0]);
}

static void network_etag(const struct network_record *network, struct etag *etag)
{
	etag_add_str(etag, network->name);
	etag_add_bool(etag, network->managed);
	etag_add_str(etag, network->type);
	etag_add_str(etag, network->description);
	etag_add_map(etag, &network->config);
}

void network_get(struct api_req *req)
{
	const struct network_record *network;
	struct etag etag = { 0 };

	if (find(req, &network) < 0) {
		reply_error(req);
		return;
	}
	network_etag(network, &etag);
	api_set_etag(req, &etag);
	write_network(&req->json, req->core, network);
	reply_sync(req);
}

static int read_network(const json_t *body, struct network_record *network, struct err *err)
{
	int r = json_check(body, "s:name s:description s:type o:config", err);

	if (r == 0)
		r = json_strmap(body, "config", &network->config, err);
	if (json_get(body, "description"))
		replace_str(&network->description, json_str(body, "description", ""));
	return r;
}

/* Absent addresses mean "auto" when a network is made, as with other managers. */
static void add_defaults(struct network_record *network)
{
	static const char *const keys[] = { "ipv4.address", "ipv6.address" };
	static const char *const nats[] = { "ipv4.nat", "ipv6.nat" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strmap_has(&network->config, keys[i]))
			continue;
		strmap_set(&network->config, keys[i], "auto");
		if (!strmap_has(&network->config, nats[i]))
			strmap_set(&network->config, nats[i], "true");
	}
}

void networks_post(struct api_req *req)
{
	_cleanup_(network_record_freep) struct network_record *network =
		network_record_new(json_str(req->body, "name", ""));
	const char *type = json_str(req->body, "type", "");

	network->managed = true;
	replace_str(&network->type, *type ? type : "bridge");
	if (read_network(req->body, network, &req->err) < 0) {
		reply_error(req);
		return;
	}
	add_defaults(network);
	if (netman_create(req->core->net, network, &req->err) < 0)
		reply_error(req);
	else
		reply_created(req, "networks", network->name);
}

static void edit(struct api_req *req, bool keep)
{
	_cleanup_(network_record_freep) struct network_record *network = NULL;
	const struct network_record *current = NULL;
	struct etag etag = { 0 };
	int r = find(req, &current);

	if (r == 0) {
		network_etag(current, &etag);
		r = api_check_etag(req, &etag);
	}
	if (r == 0) {
		network = network_record_copy(current);
		if (!keep)
			strmap_done(&network->config);
		r = read_network(req->body, network, &req->err);
	}
	if (r == 0)
		r = netman_update(req->core->net, network, &req->err);
	reply_result(req, r);
}

void network_put(struct api_req *req)
{
	edit(req, false);
}

void network_patch(struct api_req *req)
{
	edit(req, true);
}

/* Instances and profiles name it: whoever uses it has to let go first. */
static int check_unused(struct api_req *req)
{
	strmap_for_each(entry, &req->core->instances)
	{
		const struct inst *inst = entry->value;

		if (devices_use(&inst->expanded.devices, req->args[0]))
			return err_kind(&req->err, ERR_INVALID,
					"The network is currently in use: instance \"%s\"",
					entry->key);
	}
	strmap_for_each(entry, &req->core->profiles)
	{
		const struct profile_record *profile = entry->value;

		if (devices_use(&profile->devices, req->args[0]))
			return err_kind(&req->err, ERR_INVALID,
					"The network is currently in use: profile \"%s\"",
					entry->key);
	}
	return 0;
}

void network_post(struct api_req *req)
{
	const char *name = json_str(req->body, "name", "");

	if (check_unused(req) < 0 ||
	    netman_rename(req->core->net, req->args[0], name, &req->err) < 0)
		reply_error(req);
	else
		reply_created(req, "networks", name);
}

void network_remove(struct api_req *req)
{
	int r = check_unused(req);

	if (r == 0)
		r = netman_delete(req->core->net, req->args[0], &req->err);
	reply_result(req, r);
}

/* ---- state and leases ---- */

static void write_addresses(struct jsonw *w, const struct netman_state *state)
{
	jsonw_add_array(w, "addresses");
	vec_for_each(addr, &state->addresses) {
		char prefix[16];

		(void)snprintf(prefix, sizeof(prefix), "%u", addr->prefix);
		jsonw_begin_object(w);
		jsonw_add_str(w, "family", addr->ipv6 ? "inet6" : "inet");
		jsonw_add_str(w, "address", addr->address);
		jsonw_add_str(w, "netmask", prefix);
		jsonw_add_str(w, "scope", addr->link_local ? "link" : "global");
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void write_state(struct jsonw *w, const struct netman_state *state)
{
	jsonw_begin_object(w);
	write_addresses(w, state);
	jsonw_add_object(w, "counters");
	jsonw_add_u64(w, "bytes_received", state->rx_bytes);
	jsonw_add_u64(w, "bytes_sent", state->tx_bytes);
	jsonw_add_u64(w, "packets_received", state->rx_packets);
	jsonw_add_u64(w, "packets_sent", state->tx_packets);
	jsonw_end_object(w);
	jsonw_add_str(w, "hwaddr", state->hwaddr);
	jsonw_add_u64(w, "mtu", state->mtu);
	jsonw_add_str(w, "state", state->up ? "up" : "down");
	jsonw_add_str(w, "type", "broadcast");
	if (state->is_bridge) {
		jsonw_add_object(w, "bridge");
		jsonw_add_str(w, "id", state->bridge_id);
		jsonw_add_bool(w, "stp", state->stp);
		jsonw_add_u64(w, "forward_delay", state->forward_delay);
		jsonw_add_u64(w, "vlan_default", 0);
		jsonw_add_bool(w, "vlan_filtering", false);
		jsonw_add_strv(w, "upper_devices", (const char *const *)state->ports);
		jsonw_end_object(w);
	}
	jsonw_end_object(w);
}

void network_state_get(struct api_req *req)
{
	struct netman_state state = { 0 };
	int r = netman_state(req->core->net, req->args[0], &state, &req->err);

	if (r == 0)
		write_state(&req->json, &state);
	netman_state_done(&state);
	reply_result(req, r);
}

void network_leases_get(struct api_req *req)
{
	struct netman_leases leases = { 0 };
	int r = netman_list_leases(req->core->net, req->args[0], &leases, &req->err);

	jsonw_begin_array(&req->json);
	vec_for_each(lease, &leases.list) {
		jsonw_begin_object(&req->json);
		jsonw_add_str(&req->json, "hostname", lease->hostname ? lease->hostname : "");
		jsonw_add_str(&req->json, "hwaddr", lease->hwaddr ? lease->hwaddr : "");
		jsonw_add_str(&req->json, "address", lease->address);
		jsonw_add_str(&req->json, "type", lease->dynamic ? "dynamic" : "static");
		jsonw_add_str(&req->json, "location", "none");
		jsonw_end_object(&req->json);
	}
	jsonw_end_array(&req->json);
	netman_leases_done(&leases);
	reply_result(req, r);
}
