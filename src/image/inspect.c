/* image/inspect.c - see inspect.h */
#include "image/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/yaml.h"
#include "image/entry.h"
#include "image/root_entry.h"
#include "image/tarball.h"

enum {
	ELF_BYTES = 20
};

/* What one pass over an archive finds. */
struct scan {
	struct tarball *tarball;
	struct report *report;
	enum entry_layout layout;
	struct buf metadata_text;
	bool has_metadata;
	bool has_marker;	  /* something that root file systems have */
	const char *architecture; /* of the first program met; static */
};

static int refuse_entry(const char *name, const char *why, struct err *err)
{
	_cleanup_(freep) char *shown = str_printable(name, false);

	return err_kind(err, ERR_INVALID, "archive entry \"%.200s\": %s", shown, why);
}

static int take_metadata(struct scan *scan, struct archive_entry *entry, struct err *err)
{
	if (scan->has_metadata)
		return refuse_entry("metadata.yaml", "is there twice", err);
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
		return refuse_entry("metadata.yaml", "is no regular file", err);
	scan->has_metadata = true;
	int r = tarball_read_all(scan->tarball, YAML_BYTES_MAX, &scan->metadata_text, err);
	return r < 0 ? err_wrap(err, "metadata.yaml") : 0;
}

static bool may_be_program(const char *name)
{
	static const char *const dirs[] = { "bin/", "usr/bin/", "sbin/", "usr/sbin/",
					    "lib/", "usr/lib/", NULL };

	for (size_t i = 0; dirs[i]; i++)
		if (str_after(name, dirs[i]))
			return true;
	return false;
}

static int look_at_program(struct scan *scan, struct err *err)
{
	const void *bytes;
	size_t len;
	int64_t offset;

	int r = tarball_read(scan->tarball, &bytes, &len, &offset, err);
	if (r > 0 && offset == 0 && len >= ELF_BYTES)
		scan->architecture = image_elf_architecture(bytes, len);
	return MIN(r, 0);
}

static int scan_root_entry(struct scan *scan, struct archive_entry *entry, const char *name,
			   struct err *err)
{
	mode_t type = archive_entry_filetype(entry);

	int r = root_entry_check(scan->layout, entry, name, err);

	if (r != 0)
		return MIN(r, 0); /* 1: left out of the root */
	if (entry_is_root_marker(name))
		scan->has_marker = true;
	if (!scan->architecture && type == AE_IFREG && archive_entry_size(entry) >= ELF_BYTES &&
	    may_be_program(name))
		return look_at_program(scan, err);
	return 0;
}

static int scan_entry(struct scan *scan, struct archive_entry *entry, struct err *err)
{
	const char *raw = archive_entry_pathname(entry);
	char name[PATH_MAX];

	if (!raw)
		return err_kind(err, ERR_INVALID, "the archive has an entry without a name");
	int r = entry_normalize(raw, name, err);
	if (r < 0)
		return r;
	if (scan->layout == ENTRY_LAYOUT_UNKNOWN)
		scan->layout = entry_guess_layout(name);
	if (scan->layout == ENTRY_LAYOUT_UNIFIED && streq(name, "metadata.yaml"))
		return take_metadata(scan, entry, err);
	const char *below = entry_below_root(scan->layout, name);
	return below ? scan_root_entry(scan, entry, below, err) : 0;
}

static int run_scan(struct scan *scan, int fd, uint64_t max_bytes, struct err *err)
{
	_cleanup_(tarball_freep) struct tarball *tarball = NULL;
	struct archive_entry *entry;

	int r = tarball_open(fd, max_bytes, &tarball, err);
	if (r < 0)
		return r;
	scan->tarball = tarball;
	while ((r = tarball_next(tarball, &entry, err)) > 0) {
		struct tarball_usage usage = tarball_usage(tarball);
		report_progress(scan->report, "inspect", usage.read_bytes, usage.total_bytes);
		r = scan_entry(scan, entry, err);
		if (r < 0)
			break;
	}
	scan->tarball = NULL;
	return r;
}

static int check_root(const struct scan *scan, struct err *err)
{
	if (scan->has_marker)
		return 0;
	if (scan->layout == ENTRY_LAYOUT_UNIFIED && scan->has_metadata)
		return err_kind(err, ERR_INVALID,
				"the image has metadata.yaml, but no root file system in rootfs/");
	return err_kind(err, ERR_INVALID,
			"not a root file system: neither metadata.yaml nor etc/, bin/ or "
			"sbin/init in it");
}

/* Without metadata.yaml: what the client said, else what a program in it is built for. */
static int guess_metadata(const struct scan *scan, const struct strmap *properties,
			  struct image_metadata *metadata, struct err *err)
{
	const char *word = strmap_get(properties, "architecture");
	const char *name = word ? image_architecture(word) : scan->architecture;

	if (word && !name)
		return err_kind(err, ERR_INVALID, "architecture \"%.40s\" is not known", word);
	if (!name)
		return err_kind(err, ERR_INVALID,
				"no program in it shows the architecture: set the property "
				"\"architecture\"");
	replace_str(&metadata->architecture, name);
	metadata->created_s = time_wall_ns() / NS_PER_S;
	return image_metadata_set_properties(metadata, properties, err);
}

static int inspect_one(const struct inspect_files *files, struct scan *scan,
		       struct inspection *inspection, struct err *err)
{
	int r = run_scan(scan, files->fd, files->max_bytes, err);
	if (r < 0)
		return r;
	if (scan->has_metadata) {
		r = image_metadata_parse(buf_str(&scan->metadata_text), scan->metadata_text.len,
					 &inspection->metadata, err);
		if (r < 0)
			return r;
	}
	r = check_root(scan, err);
	if (r == 0 && scan->layout == ENTRY_LAYOUT_UNIFIED && !scan->has_metadata)
		r = err_kind(err, ERR_INVALID, "the image has rootfs/, but no metadata.yaml");
	if (r == 0 && !scan->has_metadata)
		r = guess_metadata(scan, files->properties, &inspection->metadata, err);
	return r;
}

static int inspect_split(const struct inspect_files *files, struct scan *scan,
			 struct inspection *inspection, struct err *err)
{
	int r = run_scan(scan, files->fd, files->max_bytes, err);
	if (r < 0)
		return err_wrap(err, "metadata file");
	if (!scan->has_metadata)
		return err_kind(err, ERR_INVALID, "metadata file: no metadata.yaml in it");
	r = image_metadata_parse(buf_str(&scan->metadata_text), scan->metadata_text.len,
				 &inspection->metadata, err);
	if (r < 0)
		return r;
	scan->layout = ENTRY_LAYOUT_PLAIN;
	scan->has_marker = false;
	r = run_scan(scan, files->rootfs_fd, files->max_bytes, err);
	if (r < 0)
		return err_wrap(err, "root file system");
	return check_root(scan, err);
}

int inspect_image(const struct inspect_files *files, struct report *report,
		  struct inspection *ret_inspection, struct err *err)
{
	struct scan scan = { .report = report };

	int r = files->rootfs_fd >= 0 ? inspect_split(files, &scan, ret_inspection, err)
				      : inspect_one(files, &scan, ret_inspection, err);
	buf_done(&scan.metadata_text);
	return r;
}

void inspection_done(struct inspection *inspection)
{
	image_metadata_done(&inspection->metadata);
}

void inspection_report(const struct inspection *inspection, struct report *report)
{
	const struct image_metadata *metadata = &inspection->metadata;
	char number[32];

	report_result(report, "architecture", metadata->architecture);
	(void)snprintf(number, sizeof(number), "%lld", (long long)metadata->created_s);
	report_result(report, "created", number);
	(void)snprintf(number, sizeof(number), "%lld", (long long)metadata->expiry_s);
	report_result(report, "expiry", number);
	strmap_for_each(entry, &metadata->properties)
	{
		_cleanup_(freep) char *key = xasprintf("property.%s", entry->key);
		report_result(report, key, entry->value);
	}
}
