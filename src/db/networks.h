/* db/networks.h - managed networks, and the addresses that their nics have (db, sysctrd) */
#pragma once

#include "base/err.h"
#include "db/db.h"
#include "spec/network.h"

int db_networks_load(struct db *db, void (*take)(void *data, struct network_record *record),
		     void *data, struct err *err);

/* Errors: ERR_CONFLICT. Fills record->id. */
int db_network_insert(struct db *db, struct network_record *record, struct err *err);
int db_network_update(struct db *db, const struct network_record *record, struct err *err);
int db_network_delete(struct db *db, int64_t id, struct err *err); /* with its leases */

int db_leases_load(struct db *db, void (*take)(void *data, struct lease_record *record), void *data,
		   struct err *err);

/*
 * Make or replace the row of (instance, device); fills record->id.
 * Errors: ERR_CONFLICT when another nic has that hwaddr or address on the network.
 */
int db_lease_set(struct db *db, struct lease_record *record, struct err *err);
int db_lease_delete(struct db *db, int64_t id, struct err *err);
