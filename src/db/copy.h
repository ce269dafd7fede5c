/* db/copy.h - a whole copy of the database while it is in use (db, sysctrd) */
#pragma once

#include "base/err.h"

struct db;

/*
 * Copy it to @path (0600), which is replaced at the end: what is there is always whole. On the disk
 * when this returns. Blocks as long as reading and writing it takes.
 */
int db_copy(struct db *db, const char *path, struct err *err);
