/* image/unpack.c - see unpack.h */
#include "image/unpack.h"

#include <limits.h>

#include "image/extract.h"
#include "image/tarball.h"

struct unpacking {
	struct extract extract;
	enum entry_layout layout;
};

static int take_entry(struct unpacking *u, struct archive_entry *entry, struct err *err)
{
	const char *raw = archive_entry_pathname(entry);
	char name[PATH_MAX];

	if (!raw)
		return err_kind(err, ERR_INVALID, "the archive has an entry without a name");
	int r = entry_normalize(raw, name, err);
	if (r < 0)
		return r;
	if (u->layout == ENTRY_LAYOUT_UNKNOWN)
		u->layout = entry_guess_layout(name);
	const char *below = entry_below_root(u->layout, name);
	return below ? extract_entry(&u->extract, u->layout, entry, below, err) : 0;
}

static int extract_all(struct unpacking *u, struct err *err)
{
	struct extract *x = &u->extract;
	struct archive_entry *entry;
	int r = extract_check_space(x, true, err);

	if (r < 0)
		return r;
	while ((r = tarball_next(x->tarball, &entry, err)) > 0) {
		struct tarball_usage usage = tarball_usage(x->tarball);
		report_progress(x->report, "unpack", usage.read_bytes, usage.total_bytes);
		r = extract_check_space(x, false, err);
		if (r == 0)
			r = take_entry(u, entry, err);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	if (x->n_entries == 0)
		return err_kind(err, ERR_INVALID, "the image has no root file system in it");
	return extract_finish(x, err);
}

int unpack_rootfs(const struct unpack_source *source, struct report *report, struct err *err)
{
	_cleanup_(tarball_freep) struct tarball *tarball = NULL;
	struct unpacking u = {
		.layout = source->is_rootfs ? ENTRY_LAYOUT_PLAIN : ENTRY_LAYOUT_UNKNOWN,
	};

	int r = tarball_open(source->fd, source->max_bytes, &tarball, err);
	if (r < 0)
		return r;
	u.extract.report = report;
	u.extract.tarball = tarball;
	u.extract.reserve_bytes = source->reserve_bytes;
	r = extract_begin(&u.extract, err);
	if (r == 0)
		r = extract_all(&u, err);
	extract_done(&u.extract);
	return r;
}
