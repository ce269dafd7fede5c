/* core/db_copies.c - see db_copies.h */
#include "core/db_copies.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "aio/timer.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/warning.h"
#include "db/copy.h"
#include "db/db.h"
#include "spec/retention.h"

enum {
	FIRST_S = 5,
	LOOK_S = 600,
	EVERY_S = 3600,
	NAME_LEN = sizeof("sysctr-20261125T194501Z.db")
};

#define NAME_FORMAT "sysctr-%Y%m%dT%H%M%SZ.db"
#define KEEP	    "last=2 hourly=24 daily=7"
#define WARNING	    "Database copy failed"

struct db_copies {
	struct core *core;
	struct aio_timer timer;
	int64_t changes; /* of the database at the last copy; -1: not known */
};

/* One that is there. */
struct copy {
	char name[NAME_LEN];
	int64_t time_s;
};

static char *dir_path(const struct db_copies *copies)
{
	return xasprintf("%s/" DB_COPIES_DIR, copies->core->dirs.state);
}

static bool parse_name(const char *name, int64_t *ret_time_s)
{
	struct tm tm = { 0 };
	const char *end = strptime(name, NAME_FORMAT, &tm);

	if (!end || *end || strlen(name) != NAME_LEN - 1)
		return false;
	*ret_time_s = timegm(&tm);
	return true;
}

static int newest_first(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;

	return x->time_s < y->time_s ? 1 : x->time_s > y->time_s ? -1 : 0;
}

/* Returns: their number; *@ret_list: newest first, owned. */
static size_t list_copies(const char *dir, struct copy **ret_list)
{
	VEC(struct copy) list = { 0 };
	DIR *stream = opendir(dir);
	int64_t time_s;

	for (struct dirent *entry = stream ? readdir(stream) : NULL; entry;
	     entry = readdir(stream)) {
		struct copy *copy;

		if (!parse_name(entry->d_name, &time_s))
			continue;
		copy = vec_push(&list);
		(void)snprintf(copy->name, sizeof(copy->name), "%s", entry->d_name);
		copy->time_s = time_s;
	}
	if (stream)
		(void)closedir(stream);
	if (list.len > 0)
		qsort(list.items, list.len, sizeof(*list.items), newest_first);
	*ret_list = list.items;
	return list.len;
}

static void prune(const char *dir)
{
	_cleanup_(freep) struct copy *list = NULL;
	size_t n = list_copies(dir, &list);
	_cleanup_(freep) int64_t *times = xcalloc(n + 1, sizeof(*times));
	_cleanup_(freep) bool *keep = xcalloc(n + 1, sizeof(*keep));
	struct retention retention;

	if (retention_parse(KEEP, &retention, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		times[i] = list[i].time_s;
	retention_choose(&retention, times, n, keep);
	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) char *path = xasprintf("%s/%s", dir, list[i].name);

		if (!keep[i])
			(void)unlink(path);
	}
}

static void make_copy(struct db_copies *copies, const char *dir, int64_t now_s)
{
	time_t time = (time_t)now_s;
	int64_t changes = db_changes(copies->core->db);
	_cleanup_(freep) char *path = NULL;
	struct err err = { 0 };
	char name[NAME_LEN];
	struct tm tm;

	(void)strftime(name, sizeof(name), NAME_FORMAT, gmtime_r(&time, &tm));
	path = xasprintf("%s/%s", dir, name);
	if (db_copy(copies->core->db, path, &err) < 0) {
		core_warn(copies->core, WARNING, "database", err.msg);
		return;
	}
	core_warn(copies->core, WARNING, "database", NULL);
	copies->changes = changes;
	prune(dir);
	log_debug(LOG_NONE, "the database was copied to \"%s\"", path);
}

/* A clock that was set back makes the newest one lie in the future: it counts as old then. */
static bool is_due(const struct db_copies *copies, const char *dir, int64_t now_s)
{
	_cleanup_(freep) struct copy *list = NULL;
	size_t n = list_copies(dir, &list);
	int64_t age_s = n > 0 ? now_s - list[0].time_s : EVERY_S;

	return copies->changes != db_changes(copies->core->db) && (age_s >= EVERY_S || age_s < 0);
}

static void on_timer(void *data)
{
	struct db_copies *copies = data;
	_cleanup_(freep) char *dir = dir_path(copies);
	int64_t now_s = aio_wall_now(copies->core->loop) / NS_PER_S;

	if (is_due(copies, dir, now_s))
		make_copy(copies, dir, now_s);
	aio_timer_start(copies->core->loop, &copies->timer, LOOK_S * (uint64_t)NS_PER_S, on_timer,
			copies);
}

struct db_copies *db_copies_new(struct core *core)
{
	struct db_copies *copies = xcalloc(1, sizeof(*copies));

	copies->core = core;
	copies->changes = -1;
	return copies;
}

struct db_copies *db_copies_free(struct db_copies *copies)
{
	if (!copies)
		return NULL;
	aio_timer_stop(&copies->timer);
	free(copies);
	return NULL;
}

void db_copies_start(struct db_copies *copies)
{
	aio_timer_start(copies->core->loop, &copies->timer, FIRST_S * (uint64_t)NS_PER_S, on_timer,
			copies);
}
