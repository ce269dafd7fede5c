/* image/backup.c - see backup.h */
#include "image/backup.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/yaml.h"
#include "image/entry.h"
#include "image/extract.h"
#include "image/tarball.h"

#define INDEX_NAME   "backup/index.yaml"
#define INSTANCE_DIR "backup/container"
#define SNAPSHOT_DIR "backup/snapshots/"

static int next_name(struct tarball *tarball, struct archive_entry **ret_entry,
		     char ret_name[PATH_MAX], struct err *err)
{
	int r = tarball_next(tarball, ret_entry, err);

	if (r <= 0)
		return r;
	const char *raw = archive_entry_pathname(*ret_entry);
	if (!raw)
		return err_kind(err, ERR_INVALID, "the archive has an entry without a name");
	r = entry_normalize(raw, ret_name, err);
	return r < 0 ? r : 1;
}

/* ---- the index ---- */

static int take_index(struct tarball *tarball, struct archive_entry *entry, bool custom,
		      struct backup_index *index, struct err *err)
{
	struct buf text = { 0 };

	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
		return err_kind(err, ERR_INVALID, INDEX_NAME ": is no regular file");
	int r = tarball_read_all(tarball, YAML_BYTES_MAX, &text, err);
	if (r < 0)
		(void)err_wrap(err, INDEX_NAME);
	else
		r = (custom ? backup_parse_volume_index : backup_parse_index)(buf_str(&text),
									      text.len, index, err);
	buf_done(&text);
	return r;
}

int backup_read_index(int fd, bool custom, struct report *report, struct backup_index *ret_index,
		      struct err *err)
{
	_cleanup_(tarball_freep) struct tarball *tarball = NULL;
	struct archive_entry *entry;
	char name[PATH_MAX];
	int r = tarball_open(fd, 0, &tarball, err);

	if (r < 0)
		return r;
	while ((r = next_name(tarball, &entry, name, err)) > 0) {
		struct tarball_usage usage = tarball_usage(tarball);

		report_progress(report, "inspect", usage.read_bytes, usage.total_bytes);
		if (streq(name, INDEX_NAME))
			return take_index(tarball, entry, custom, ret_index, err);
	}
	if (r == 0)
		r = err_kind(err, ERR_INVALID, "not a backup: there is no " INDEX_NAME " in it");
	return r;
}

/* ---- the root file systems ---- */

struct target {
	const struct backup_root *root;
	char *prefix; /* of its entries: "backup/container/rootfs" */
	struct extract extract;
};

struct unpacking {
	const struct backup_unpacking *what;
	struct tarball *tarball;
	struct target *targets;
	struct target *current; /* the working directory is its; NULL: nobody's */
};

/* The rest of @name below @prefix: "" for itself, NULL when it is elsewhere. */
static const char *below(const char *name, const char *prefix)
{
	const char *rest = str_after(name, prefix);

	if (!rest || *rest == '\0')
		return rest;
	return *rest == '/' ? rest + 1 : NULL;
}

static struct target *find_target(struct unpacking *u, const char *name, const char **ret_rest)
{
	/* entries of one tree follow each other */
	if (u->current && (*ret_rest = below(name, u->current->prefix)))
		return u->current;
	for (size_t i = 0; i < u->what->n_roots; i++)
		if ((*ret_rest = below(name, u->targets[i].prefix)))
			return &u->targets[i];
	return NULL;
}

static int enter(struct unpacking *u, struct target *target, struct err *err)
{
	if (u->current == target)
		return 0;
	if (chdir(target->root->dir) < 0)
		return err_set(err, -errno, "go to \"%s\"", target->root->dir);
	u->current = target;
	return 0;
}

/* A hard link stays within its tree. */
static int strip_hardlink(const struct target *target, struct archive_entry *entry,
			  const char *name, struct err *err)
{
	const char *raw = archive_entry_hardlink(entry), *rest = NULL;
	char link[PATH_MAX];
	int r = raw ? entry_normalize(raw, link, err) : 0;

	if (!raw || r < 0)
		return r;
	rest = below(link, target->prefix);
	if (str_empty(rest)) {
		_cleanup_(freep) char *shown = str_printable(name, false);

		return err_kind(err, ERR_INVALID,
				"archive entry \"%.200s\": is a hard link to something outside of "
				"its root file system",
				shown);
	}
	_cleanup_(freep) char *copy = xstrdup(rest);
	archive_entry_set_hardlink(entry, copy);
	return 0;
}

static int take_entry(struct unpacking *u, struct archive_entry *entry, const char *name,
		      struct err *err)
{
	const char *rest = NULL;
	struct target *target = find_target(u, name, &rest);

	if (!target)
		return 0;
	int r = enter(u, target, err);
	if (r == 0)
		r = strip_hardlink(target, entry, name, err);
	if (r < 0)
		return r;
	return extract_entry(&target->extract, ENTRY_LAYOUT_PLAIN, entry, rest, err);
}

static int take_all(struct unpacking *u, struct report *report, struct err *err)
{
	struct archive_entry *entry;
	char name[PATH_MAX];
	int r;

	while ((r = next_name(u->tarball, &entry, name, err)) > 0) {
		struct tarball_usage usage = tarball_usage(u->tarball);

		report_progress(report, "unpack", usage.read_bytes, usage.total_bytes);
		if (u->current)
			r = extract_check_space(&u->current->extract, false, err);
		if (r >= 0)
			r = take_entry(u, entry, name, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int finish_target(struct unpacking *u, struct target *target, struct err *err)
{
	const char *snapshot = target->root->snapshot;

	if (!target->extract.root.seen && target->extract.n_entries == 0)
		return err_kind(err, ERR_INVALID,
				"the backup has no root file system of the %s%s%s%s in %s",
				snapshot	  ? "snapshot"
				: u->what->custom ? "volume"
						  : "instance",
				snapshot ? " \"" : "", snapshot ? snapshot : "",
				snapshot ? "\"" : "", target->prefix);
	int r = enter(u, target, err);
	return r < 0 ? r : extract_finish(&target->extract, err);
}

static char *prefix_of(const char *snapshot, bool custom)
{
	if (custom)
		return snapshot ? xasprintf("backup/volume-snapshots/%s", snapshot)
				: xstrdup("backup/volume");
	return snapshot ? xasprintf(SNAPSHOT_DIR "%s/rootfs", snapshot)
			: xstrdup(INSTANCE_DIR "/rootfs");
}

static int begin_target(struct unpacking *u, size_t i, struct report *report, struct err *err)
{
	const struct backup_root *root = &u->what->roots[i];
	struct target *target = &u->targets[i];

	target->root = root;
	target->prefix = prefix_of(root->snapshot, u->what->custom);
	target->extract.report = report;
	target->extract.tarball = u->tarball;
	target->extract.reserve_bytes = u->what->reserve_bytes;
	int r = extract_begin(&target->extract, err);
	if (r == 0)
		r = enter(u, target, err);
	return r < 0 ? r : extract_check_space(&target->extract, true, err);
}

int backup_unpack(const struct backup_unpacking *what, struct report *report, struct err *err)
{
	_cleanup_(tarball_freep) struct tarball *tarball = NULL;
	_cleanup_(freep) struct target *targets = xcalloc(what->n_roots, sizeof(*targets));
	struct unpacking u = { .what = what, .targets = targets };
	int r = tarball_open(what->fd, 0, &tarball, err);

	u.tarball = tarball;
	for (size_t i = 0; r == 0 && i < what->n_roots; i++)
		r = begin_target(&u, i, report, err);
	if (r == 0)
		r = take_all(&u, report, err);
	for (size_t i = 0; r == 0 && i < what->n_roots; i++)
		r = finish_target(&u, &targets[i], err);
	for (size_t i = 0; i < what->n_roots; i++) {
		extract_done(&targets[i].extract);
		free(targets[i].prefix);
	}
	return r;
}
