/* tests of core/network: records and addresses over a database in memory; nothing on the host */
#include "core/network.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aio/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "db/db.h"
#include "db/instances.h"
#include "db/pools.h"
#include "spec/network.h"

enum {
	INSTANCES = 3
};

static const char *const names[INSTANCES] = { "web1", "web2", "db1" };

struct world {
	struct aio_loop *loop;
	struct db *db;
	struct netman *nm;
	int64_t ids[INSTANCES];
	struct err err;
};

static const char *instance_name(void *data, int64_t id)
{
	const struct world *w = data;

	for (size_t i = 0; i < INSTANCES; i++)
		if (w->ids[i] == id)
			return names[i];
	return NULL;
}

static void open_netman(struct world *w)
{
	const struct netman_config config = {
		.tag = "utest",
		.runtime_dir = "/nonexistent/run",
		.state_dir = "/nonexistent/state",
		.hooks = { .instance_name = instance_name, .data = w },
	};

	w->nm = netman_new(w->loop, w->db, &config);
	assert_int_equal(netman_load(w->nm, &w->err), 0);
}

static void close_netman(struct world *w)
{
	netman_close(w->nm, NULL, NULL);
	while (aio_loop_turn(w->loop, 0))
		;
}

static int create(struct world *w, const char *name, const char *ipv4, const char *ipv6)
{
	_cleanup_(network_record_freep) struct network_record *record = network_record_new(name);

	strmap_set(&record->config, "ipv4.address", ipv4);
	strmap_set(&record->config, "ipv6.address", ipv6);
	return netman_create(w->nm, record, &w->err);
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	_cleanup_(pool_record_freep) struct pool_record *pool = pool_record_new("default");

	*state = w;
	w->loop = aio_loop_new();
	replace_str(&pool->driver, "dir");
	if (db_open(":memory:", &w->db, &w->err) < 0 || db_pool_insert(w->db, pool, &w->err) < 0)
		return -1;
	for (size_t i = 0; i < INSTANCES; i++) {
		_cleanup_(inst_record_freep) struct inst_record *record = inst_record_new(names[i]);
		replace_str(&record->pool, "default");
		replace_str(&record->architecture, "x86_64");
		if (db_instance_insert(w->db, record, &w->err) < 0)
			return -1;
		w->ids[i] = record->id;
	}
	open_netman(w);
	return create(w, "utest0", "10.1.2.1/29", "fd42:1:2:3::1/64");
}

static int teardown(void **state)
{
	struct world *w = *state;

	close_netman(w);
	w->db = db_close(w->db);
	w->loop = aio_loop_free(w->loop);
	free(w);
	return 0;
}

static int assign(struct world *w, size_t i, const char *device, const char *mac, const char *ipv4,
		  struct netman_addresses *ret)
{
	const struct netman_nic nic = { .instance_id = w->ids[i],
					.instance = names[i],
					.device = device,
					.network = "utest0",
					.hwaddr = mac,
					.ipv4 = ipv4 };

	return netman_assign_nic(w->nm, &nic, ret, &w->err);
}

#define MAC1 "00:16:3e:00:00:01"
#define MAC2 "00:16:3e:00:00:02"
#define MAC3 "00:16:3e:00:00:03"

static void test_assign_is_stable(void **state)
{
	struct world *w = *state;
	struct netman_addresses a, b, c;

	assert_int_equal(assign(w, 0, "eth0", MAC1, NULL, &a), 0);
	assert_int_equal(assign(w, 1, "eth0", MAC2, NULL, &b), 0);
	assert_string_not_equal(a.ipv4, b.ipv4);
	assert_string_equal(a.ipv6, "fd42:1:2:3:216:3eff:fe00:1");
	assert_int_equal(a.ipv4_prefix, 29);
	assert_int_equal(assign(w, 0, "eth0", MAC1, NULL, &c), 0);
	assert_memory_equal(&a, &c, sizeof(a));
	/* A new MAC keeps the IPv4 address; the IPv6 address follows it. */
	assert_int_equal(assign(w, 0, "eth0", MAC3, NULL, &c), 0);
	assert_string_equal(c.ipv4, a.ipv4);
	assert_string_equal(c.ipv6, "fd42:1:2:3:216:3eff:fe00:3");
	netman_nic_addresses(w->nm, w->ids[0], "eth0", &b);
	assert_memory_equal(&b, &c, sizeof(b));
	netman_nic_addresses(w->nm, w->ids[0], "eth9", &b);
	assert_string_equal(b.ipv4, "");
}

static void test_conflicts(void **state)
{
	struct world *w = *state;
	struct netman_addresses a, b;

	assert_int_equal(assign(w, 0, "eth0", MAC1, "10.1.2.3", &a), 0);
	assert_string_equal(a.ipv4, "10.1.2.3");
	assert_true(assign(w, 1, "eth0", MAC2, "10.1.2.3", &b) < 0);
	assert_int_equal(w->err.kind, ERR_CONFLICT);
	assert_non_null(strstr(w->err.msg, "web1"));
	assert_true(assign(w, 1, "eth0", MAC1, NULL, &b) < 0);
	assert_int_equal(w->err.kind, ERR_CONFLICT);
	assert_true(assign(w, 1, "eth0", MAC2, "10.1.2.1", &b) < 0);
	assert_int_equal(w->err.kind, ERR_INVALID);
	assert_true(assign(w, 1, "eth0", MAC2, "10.1.2.7", &b) < 0);
	assert_true(assign(w, 1, "eth0", MAC2, "10.9.9.9", &b) < 0);
	assert_true(assign(w, 1, "eth0", "01:00:5e:00:00:01", NULL, &b) < 0);
	assert_true(assign(w, 1, "eth0", "nonsense", NULL, &b) < 0);
	assert_int_equal(assign(w, 1, "eth0", MAC2, "none", &b), 0);
	assert_string_equal(b.ipv4, "");
}

/* A /29 has six hosts, one of which is the bridge. */
static void test_full_and_released(void **state)
{
	struct world *w = *state;
	struct netman_addresses a;
	char device[16];
	char mac[18];

	for (int i = 0; i < 6; i++) {
		(void)snprintf(device, sizeof(device), "eth%d", i);
		(void)snprintf(mac, sizeof(mac), "00:16:3e:00:01:%02x", (unsigned int)i);
		assert_int_equal(assign(w, 0, device, mac, NULL, &a) == 0, i < 5);
	}
	assert_int_equal(w->err.kind, ERR_UNAVAILABLE);
	assert_true(netman_delete(w->nm, "utest0", &w->err) < 0);
	assert_int_equal(netman_release_nic(w->nm, w->ids[0], "eth2", &w->err), 0);
	assert_int_equal(netman_release_nic(w->nm, w->ids[0], "eth2", &w->err), 0);
	assert_int_equal(assign(w, 1, "eth0", MAC2, NULL, &a), 0);
	assert_int_equal(netman_release_nic(w->nm, w->ids[0], NULL, &w->err), 0);
	assert_int_equal(netman_release_nic(w->nm, w->ids[1], NULL, &w->err), 0);
	assert_int_equal(netman_delete(w->nm, "utest0", &w->err), 0);
	assert_null(netman_get(w->nm, "utest0"));
}

static void test_loaded_again(void **state)
{
	struct world *w = *state;
	struct netman_addresses a, b;
	struct netman_leases leases;

	assert_int_equal(assign(w, 2, "eth0", MAC1, NULL, &a), 0);
	close_netman(w);
	open_netman(w);
	netman_nic_addresses(w->nm, w->ids[2], "eth0", &b);
	assert_memory_equal(&a, &b, sizeof(a));
	netman_rename_instance(w->nm, w->ids[2], "db2");
	assert_int_equal(netman_list_leases(w->nm, "utest0", &leases, &w->err), 0);
	assert_int_equal(leases.list.len, 2);
	assert_string_equal(leases.list.items[0].hostname, "db2");
	assert_string_equal(leases.list.items[0].address, a.ipv4);
	assert_string_equal(leases.list.items[1].address, a.ipv6);
	netman_leases_done(&leases);
}

/* A caller's transaction that fails takes the address with it. */
static void test_rollback(void **state)
{
	struct world *w = *state;
	struct netman_addresses a, b;

	assert_int_equal(db_begin(w->db, &w->err), 0);
	assert_int_equal(assign(w, 0, "eth0", MAC1, NULL, &a), 0);
	db_rollback(w->db);
	netman_rolled_back(w->nm);
	assert_int_equal(assign(w, 1, "eth0", MAC1, a.ipv4, &b), 0);
	assert_string_equal(a.ipv4, b.ipv4);
	/* and one that released it gives it back */
	assert_int_equal(db_begin(w->db, &w->err), 0);
	assert_int_equal(netman_release_nic(w->nm, w->ids[1], NULL, &w->err), 0);
	db_rollback(w->db);
	netman_rolled_back(w->nm);
	netman_nic_addresses(w->nm, w->ids[1], "eth0", &b);
	assert_string_equal(a.ipv4, b.ipv4);
}

static void test_release_others(void **state)
{
	static const char *const keep[] = { "eth1", NULL };
	struct world *w = *state;
	struct netman_addresses a;

	assert_int_equal(assign(w, 0, "eth0", MAC1, NULL, &a), 0);
	assert_int_equal(assign(w, 0, "eth1", MAC2, NULL, &a), 0);
	assert_int_equal(assign(w, 1, "eth0", MAC3, NULL, &a), 0);
	assert_int_equal(netman_release_others(w->nm, w->ids[0], keep, &w->err), 0);
	netman_nic_addresses(w->nm, w->ids[0], "eth0", &a);
	assert_string_equal(a.ipv4, "");
	netman_nic_addresses(w->nm, w->ids[0], "eth1", &a);
	assert_string_not_equal(a.ipv4, "");
	netman_nic_addresses(w->nm, w->ids[1], "eth0", &a);
	assert_string_not_equal(a.ipv4, "");
}

static void test_moves_to_other_network(void **state)
{
	struct world *w = *state;
	struct netman_addresses a;
	struct netman_nic nic = { .instance_id = w->ids[0],
				  .instance = names[0],
				  .device = "eth0",
				  .network = "utest1",
				  .hwaddr = MAC1 };

	assert_int_equal(create(w, "utest1", "10.1.3.1/24", "none"), 0);
	assert_int_equal(assign(w, 0, "eth0", MAC1, NULL, &a), 0);
	assert_int_equal(netman_assign_nic(w->nm, &nic, &a, &w->err), 0);
	assert_non_null(str_after(a.ipv4, "10.1.3."));
	assert_string_equal(a.ipv6, "");
	assert_int_equal(netman_delete(w->nm, "utest0", &w->err), 0);
}

static void test_records(void **state)
{
	struct world *w = *state;
	const struct network_record *record;

	assert_true(create(w, "utest0", "10.5.0.1/24", "none") < 0);
	assert_int_equal(w->err.kind, ERR_CONFLICT);
	assert_true(create(w, "utest2", "10.1.2.5/24", "none") < 0);
	assert_int_equal(w->err.kind, ERR_CONFLICT);
	assert_true(create(w, "lo", "10.5.0.1/24", "none") < 0);
	assert_true(create(w, "bad name", "10.5.0.1/24", "none") < 0);
	assert_true(create(w, "utest2", "10.5.0.1", "none") < 0);
	assert_int_equal(create(w, "utest2", "auto", "auto"), 0);
	record = netman_get(w->nm, "utest2");
	assert_non_null(strstr(strmap_get(&record->config, "ipv4.address"), ".1/24"));
	assert_string_equal(strmap_get(&record->config, "ipv4.nat"), "true");
	assert_string_equal(netman_at(w->nm, 0)->name, "utest0");
	assert_string_equal(netman_at(w->nm, 1)->name, "utest2");
	assert_null(netman_at(w->nm, 2));
	assert_int_equal(netman_rename(w->nm, "utest2", "utest3", &w->err), 0);
	assert_null(netman_get(w->nm, "utest2"));
	assert_true(netman_rename(w->nm, "utest3", "utest0", &w->err) < 0);
	assert_int_equal(netman_delete(w->nm, "utest3", &w->err), 0);
	assert_true(netman_delete(w->nm, "utest3", &w->err) < 0);
	assert_int_equal(w->err.kind, ERR_NOT_FOUND);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_assign_is_stable),  TEST(test_conflicts),
		TEST(test_full_and_released), TEST(test_loaded_again),
		TEST(test_rollback),	      TEST(test_moves_to_other_network),
		TEST(test_release_others),    TEST(test_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
