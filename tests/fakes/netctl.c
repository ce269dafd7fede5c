/*
 * tests/fakes/netctl.c - drive the network manager from a script, for tests/system/network.bats
 *
 * "netctl TAG RUNTIME-DIR STATE-DIR DB-FILE" reads commands from standard input, one a line, and
 * answers each with lines that end with "ok" or "error: TEXT". Events and warnings appear between
 * them as "event NETWORK ACTION" and "warning NETWORK TYPE TEXT". End of input closes the manager;
 * networks stay up. Runs as root; changes the host's network as sysctrd would.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aio/loop.h"
#include "aio/poll.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "core/network.h"
#include "db/db.h"
#include "db/instances.h"
#include "db/pools.h"
#include "spec/network.h"

enum {
	WORDS_MAX = 32,
	INPUT_MAX = 64 * 1024
};

struct driver {
	struct aio_loop *loop;
	struct aio_poll *input;
	struct db *db;
	struct netman *nm;
	struct strmap names; /* id -> name */
	struct buf line;
};

static void on_warning(void *data, const char *network, enum netman_warning kind,
		       const char *message)
{
	(void)data;
	printf("warning %s %s %s\n", network, netman_warning_name(kind),
	       message ? message : "(over)");
}

static void on_event(void *data, const char *network, const char *action)
{
	(void)data;
	printf("event %s %s\n", network, action);
}

static const char *instance_name(void *data, int64_t id)
{
	const struct driver *d = data;
	_cleanup_(freep) char *key = xasprintf("%lld", (long long)id);
	return strmap_get(&d->names, key);
}

static void take_instance(void *data, struct inst_record *record)
{
	struct driver *d = data;
	_cleanup_(freep) char *key = xasprintf("%lld", (long long)record->id);
	strmap_set(&d->names, key, record->name);
	inst_record_free(record);
}

/* The value of the word "KEY=..." or NULL. */
static const char *option(char **words, const char *key)
{
	for (; *words; words++) {
		const char *rest = str_after(*words, key);
		if (rest && *rest == '=')
			return rest + 1;
	}
	return NULL;
}

static struct network_record *record_of(char **words)
{
	struct network_record *record = network_record_new(words[0]);
	for (words++; *words; words++) {
		char *equals = strchr(*words, '=');
		if (!equals)
			continue;
		*equals = '\0';
		strmap_set(&record->config, *words, equals + 1);
	}
	return record;
}

static int do_create(struct driver *d, char **words, struct err *err)
{
	_cleanup_(network_record_freep) struct network_record *record = record_of(words);
	return netman_create(d->nm, record, err);
}

static int do_update(struct driver *d, char **words, struct err *err)
{
	_cleanup_(network_record_freep) struct network_record *record = record_of(words);
	return netman_update(d->nm, record, err);
}

static int do_delete(struct driver *d, char **words, struct err *err)
{
	return netman_delete(d->nm, words[0], err);
}

static int do_rename(struct driver *d, char **words, struct err *err)
{
	return netman_rename(d->nm, words[0], words[1], err);
}

static int do_ensure(struct driver *d, char **words, struct err *err)
{
	return netman_ensure(d->nm, words[0], err);
}

static int do_down(struct driver *d, char **words, struct err *err)
{
	return netman_down(d->nm, words[0], err);
}

static int do_show(struct driver *d, char **words, struct err *err)
{
	const struct network_record *record = netman_get(d->nm, words[0]);
	if (!record)
		return err_kind(err, ERR_NOT_FOUND, "no such network");
	strmap_for_each(e, &record->config) printf("%s=%s\n", e->key, (const char *)e->value);
	printf("status=%s\n", netman_status(d->nm, words[0]));
	return 0;
}

static int do_instance(struct driver *d, char **words, struct err *err)
{
	_cleanup_(inst_record_freep) struct inst_record *record = inst_record_new(words[0]);
	replace_str(&record->pool, "default");
	replace_str(&record->architecture, "x86_64");
	int r = db_instance_insert(d->db, record, err);
	if (r < 0)
		return r;
	_cleanup_(freep) char *key = xasprintf("%lld", (long long)record->id);
	strmap_set(&d->names, key, record->name);
	printf("id=%s\n", key);
	return 0;
}

static int do_assign(struct driver *d, char **words, struct err *err)
{
	struct netman_addresses addresses;
	struct netman_nic nic = { .device = words[2], .network = words[3], .hwaddr = words[4] };
	if (parse_i64(words[0], &nic.instance_id) < 0)
		return err_kind(err, ERR_INVALID, "id");
	nic.instance = words[1];
	nic.ipv4 = option(words, "ipv4.address");
	nic.ipv6 = option(words, "ipv6.address");
	int r = netman_assign_nic(d->nm, &nic, &addresses, err);
	if (r == 0)
		printf("ipv4=%s/%u ipv6=%s/%u\n", addresses.ipv4, addresses.ipv4_prefix,
		       addresses.ipv6, addresses.ipv6_prefix);
	return r;
}

static int do_release(struct driver *d, char **words, struct err *err)
{
	int64_t id;
	if (parse_i64(words[0], &id) < 0)
		return err_kind(err, ERR_INVALID, "id");
	return netman_release_nic(d->nm, id, words[1], err);
}

static int do_rename_instance(struct driver *d, char **words, struct err *err)
{
	int64_t id;
	if (parse_i64(words[0], &id) < 0)
		return err_kind(err, ERR_INVALID, "id");
	netman_rename_instance(d->nm, id, words[1]);
	return 0;
}

static int do_leases(struct driver *d, char **words, struct err *err)
{
	struct netman_leases leases;
	int r = netman_list_leases(d->nm, words[0], &leases, err);
	if (r < 0)
		return r;
	vec_for_each(lease, &leases.list)
		printf("lease %s %s %s %s\n", lease->hostname[0] ? lease->hostname : "-",
		       lease->hwaddr[0] ? lease->hwaddr : "-", lease->address,
		       lease->dynamic ? "dynamic" : "static");
	netman_leases_done(&leases);
	return 0;
}

static int do_state(struct driver *d, char **words, struct err *err)
{
	struct netman_state state;
	int r = netman_state(d->nm, words[0], &state, err);
	if (r < 0)
		return r;
	vec_for_each(a, &state.addresses)
		printf("address %s/%u%s\n", a->address, a->prefix, a->link_local ? " link" : "");
	printf("hwaddr=%s mtu=%u up=%d bridge=%d id=%s\n", state.hwaddr, state.mtu, state.up,
	       state.is_bridge, state.bridge_id);
	for (size_t i = 0; state.ports && state.ports[i]; i++)
		printf("port %s\n", state.ports[i]);
	netman_state_done(&state);
	return 0;
}

static const struct command {
	const char *name;
	size_t args;
	int (*run)(struct driver *d, char **words, struct err *err);
} commands[] = {
	{ "create", 1, do_create },
	{ "update", 1, do_update },
	{ "delete", 1, do_delete },
	{ "rename", 2, do_rename },
	{ "ensure", 1, do_ensure },
	{ "down", 1, do_down },
	{ "show", 1, do_show },
	{ "instance", 1, do_instance },
	{ "assign", 5, do_assign },
	{ "release", 1, do_release },
	{ "rename-instance", 2, do_rename_instance },
	{ "leases", 1, do_leases },
	{ "state", 1, do_state },
};

static void run_line(struct driver *d, const char *line)
{
	_cleanup_(strv_freep) char **words = strv_split(line, " ");
	struct err err = { 0 };
	if (strv_len(words) == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!streq(words[0], commands[i].name) || strv_len(words) <= commands[i].args)
			continue;
		int r = commands[i].run(d, words + 1, &err);
		if (r < 0)
			printf("error: %s\n", err_text(&err, r));
		else
			printf("ok\n");
		return;
	}
	printf("error: unknown command: %s\n", line);
}

static void on_closed(void *data)
{
	struct driver *d = data;
	aio_loop_stop(d->loop);
}

static void on_input(void *data, unsigned int ready)
{
	struct driver *d = data;
	char bytes[4096];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
	(void)ready;
	if (n <= 0 || d->line.len > INPUT_MAX) {
		d->input = aio_poll_free(d->input);
		netman_close(d->nm, on_closed, d);
		return;
	}
	buf_add(&d->line, bytes, (size_t)n);
	for (char *end; d->line.len > 0 && (end = strchr(d->line.data, '\n'));) {
		*end = '\0';
		run_line(d, d->line.data);
		buf_consume(&d->line, (size_t)(end - d->line.data) + 1);
	}
}

static int open_db(struct driver *d, const char *path, struct err *err)
{
	int r = db_open(path, &d->db, err);
	if (r < 0)
		return r;
	_cleanup_(pool_record_freep) struct pool_record *pool = pool_record_new("default");
	replace_str(&pool->driver, "dir");
	(void)db_pool_insert(d->db, pool, NULL); /* there since the last run */
	return db_instances_load(d->db, take_instance, d, err);
}

int main(int argc, char **argv)
{
	struct driver d = { 0 };
	struct err err = { 0 };
	if (argc != 5) {
		(void)fprintf(stderr, "usage: netctl TAG RUNTIME-DIR STATE-DIR DB-FILE\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	d.loop = aio_loop_new();
	if (open_db(&d, argv[4], &err) < 0) {
		(void)fprintf(stderr, "netctl: %s\n", err.msg);
		return 1;
	}
	const struct netman_config config = {
		.tag = argv[1],
		.runtime_dir = argv[2],
		.state_dir = argv[3],
		.hooks = { .warn = on_warning,
			   .event = on_event,
			   .instance_name = instance_name,
			   .data = &d },
	};
	d.nm = netman_new(d.loop, d.db, &config);
	if (netman_load(d.nm, &err) < 0) {
		(void)fprintf(stderr, "netctl: %s\n", err.msg);
		return 1;
	}
	netman_start(d.nm);
	d.input = aio_poll_new(d.loop, STDIN_FILENO, on_input, &d);
	if (!d.input) {
		(void)fprintf(stderr, "netctl: standard input must be a pipe or a terminal\n");
		return 1;
	}
	aio_poll_set(d.input, AIO_READ);
	aio_loop_run(d.loop);
	strmap_done(&d.names);
	buf_done(&d.line);
	d.db = db_close(d.db);
	(void)aio_loop_free(d.loop);
	return 0;
}
