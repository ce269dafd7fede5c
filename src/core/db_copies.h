/*
 * core/db_copies.h - a copy of the database every hour, as long as something changes
 *
 * Layer: core. In <state>/backups/database, named by the time in UTC: sysctr-20261125T194501Z.db. Of
 * the older ones each of the last 24 hours and 7 days keeps one. Nothing reads them but people.
 */
#pragma once

struct core;
struct db_copies;

#define DB_COPIES_DIR "backups/database"

struct db_copies *db_copies_new(struct core *core);
struct db_copies *db_copies_free(struct db_copies *copies); /* returns NULL */

/* The first one soon, unless the newest is younger than an hour. */
void db_copies_start(struct db_copies *copies);
