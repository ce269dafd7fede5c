/* core/pool_files.c - see pool_files.h */
#include "core/pool_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "os/fd.h"
#include "spec/names.h"

enum {
	FILE_BYTES_MAX = 1 << 20
};

#define ENDING ".yaml"

static int open_dir(const struct core *core)
{
	_cleanup_(freep) char *path = xasprintf("%s/" POOL_FILES_DIR, core->dirs.state);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Returns: 0 with *@text NUL-terminated, or -errno. */
static int read_text(const struct core *core, const char *name, struct buf *text)
{
	_cleanup_(freep) char *file = xasprintf("%s" ENDING, name);
	_cleanup_(fd_closep) int dir_fd = open_dir(core);
	_cleanup_(fd_closep) int fd = -EBADF;
	int r;

	if (dir_fd < 0)
		return dir_fd;
	fd = openat(dir_fd, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fd_read_all(fd, FILE_BYTES_MAX, text);
	(void)buf_str(text);
	return r;
}

void pool_file_keep(struct core *core, const struct pool_record *pool)
{
	_cleanup_(freep) char *file = xasprintf("%s" ENDING, pool->name);
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	_cleanup_(buf_done) struct buf text = { 0 };
	_cleanup_(buf_done) struct buf there = { 0 };
	int r;

	pool_record_emit(pool, &text);
	if (read_text(core, pool->name, &there) == 0 && streq(buf_str(&there), buf_str(&text)))
		return;
	r = dir_fd = open_dir(core);
	if (r >= 0)
		r = fd_replace_file_durably_at(dir_fd, file, buf_str(&text), 0600);
	if (r < 0)
		log_warn(LOG_NONE, "note storage pool \"%s\" in " POOL_FILES_DIR ": %s", pool->name,
			 strerror(-r));
}

void pool_file_drop(struct core *core, const char *name)
{
	_cleanup_(freep) char *file = xasprintf("%s" ENDING, name);
	_cleanup_(fd_closep) int dir_fd = open_dir(core);

	if (dir_fd >= 0)
		(void)unlinkat(dir_fd, file, 0); /* what stays is shown as lost, no more */
}

bool pool_file_is_there(const struct core *core, const char *name)
{
	_cleanup_(buf_done) struct buf text = { 0 };

	return read_text(core, name, &text) == 0;
}

static int parse(const struct buf *text, struct pool_record *record, struct err *err)
{
	struct pool_record found = { 0 };
	int r = pool_record_parse(text->data, text->len, &found, err);

	if (r == 0) {
		replace_str(&record->driver, found.driver);
		replace_str(&record->description, found.description);
		strmap_merge(&record->config, &found.config);
		r = pool_record_validate(record, err);
	}
	wire_free(&pool_record_schema, &found);
	return r;
}

int pool_file_read(struct core *core, const char *name, struct pool_record **ret_pool,
		   struct err *err)
{
	_cleanup_(pool_record_freep) struct pool_record *record = pool_record_new(name);
	_cleanup_(buf_done) struct buf text = { 0 };
	int r = name_validate(NAME_POOL, name, err);

	if (r < 0)
		return r;
	r = read_text(core, name, &text);
	if (r == -ENOENT)
		return err_kind(err, ERR_NOT_FOUND, "nothing is noted of storage pool \"%s\"",
				name);
	if (r < 0)
		return err_set(err, r, "read " POOL_FILES_DIR "/%s" ENDING, name);
	r = parse(&text, record, err);
	if (r < 0)
		return err_wrap(err, POOL_FILES_DIR "/%s" ENDING, name);
	*ret_pool = TAKE_PTR(record);
	return 0;
}

/* ---- what is lost ---- */

/* What cannot be a pool is nobody's loss. */
static bool may_be_lost(const struct core *core, const char *name)
{
	return name[0] != '.' && name_validate(NAME_POOL, name, NULL) == 0 &&
	       !strmap_has(&core->pools, name);
}

/*
 * Names in the directory of the state with that ending, which are no pool's that is known. @inside:
 * what has to be in there, "" nothing.
 */
static void add_names(const struct core *core, const char *below, const char *ending,
		      const char *inside, char ***names)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", core->dirs.state, below);
	_cleanup_(fd_closedirp) DIR *dir = opendir(path);

	for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
		_cleanup_(freep) char *name = xstrdup(entry->d_name);
		_cleanup_(freep) char *needed = xasprintf("%s/%s%s", path, name, inside);

		if (!str_ends_with(name, ending) || access(needed, F_OK) < 0)
			continue;
		name[strlen(name) - strlen(ending)] = '\0';
		if (may_be_lost(core, name) && !strv_contains((const char *const *)*names, name))
			strv_push(names, name);
	}
}

char **pool_files_lost(struct core *core)
{
	char **names = NULL;

	add_names(core, POOL_FILES_DIR, ENDING, "", &names);
	add_names(core, "disks", ".img", "", &names);
	add_names(core, "pools", "", "/instances", &names);
	return names;
}
