/* db/copy.c - see copy.h */
#include "db/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "db/sql.h"

/* The online backup interface of SQLite: all pages in one step, under one read lock. */
static int copy_pages(struct db *db, sqlite3 *to, struct err *err)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", db->handle, "main");
	int code = backup ? sqlite3_backup_step(backup, -1) : sqlite3_errcode(to);

	(void)sqlite3_backup_finish(backup);
	/* like the original it would be two or three files as soon as somebody looks into it */
	if (code == SQLITE_DONE)
		code = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		return 0;
	return err_set(err, code == SQLITE_FULL ? -ENOSPC : -EIO, "database: copy: %s",
		       sqlite3_errstr(code));
}

/* @tmp is there and empty, mode 0600. The commit at the end of a copy is synced by SQLite. */
static int fill(struct db *db, const char *tmp, struct err *err)
{
	sqlite3 *to = NULL;
	int code = sqlite3_open_v2(tmp, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	int r = code == SQLITE_OK ? copy_pages(db, to, err)
				  : err_set(err, -EIO, "database: open \"%s\": %s", tmp,
					    sqlite3_errstr(code));

	(void)sqlite3_close(to);
	return r;
}

int db_copy(struct db *db, const char *path, struct err *err)
{
	_cleanup_(freep) char *tmp = xasprintf("%s.new", path);
	int fd, r;

	(void)unlink(tmp); /* of an attempt that was interrupted */
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(err, -errno, "create \"%s\"", tmp);
	(void)close(fd);
	r = fill(db, tmp, err);
	if (r == 0 && rename(tmp, path) < 0)
		r = err_set(err, -errno, "rename \"%s\"", tmp);
	if (r < 0)
		(void)unlink(tmp);
	return r;
}
