/* image/simplestreams.c - see simplestreams.h */
#include "image/simplestreams.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/json.h"
#include "image/metadata.h"
#include "spec/names.h"

enum {
	PATH_BYTES_MAX = 512,
	VERSION_BYTES_MAX = 128,
	SHA256_DIGITS = 64,
	DATE_DIGITS = 8
};

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define HEX	"0123456789abcdef"

bool streams_path_is_plain(const char *path)
{
	_cleanup_(strv_freep) char **parts = NULL;
	size_t slashes = 0;

	if (str_empty(path) || strlen(path) > PATH_BYTES_MAX ||
	    !str_only(path, LETTERS "._:+~@=,-/"))
		return false;
	for (const char *p = path; *p; p++)
		slashes += *p == '/';
	parts = strv_split(path, "/");
	if (strv_len(parts) != slashes + 1) /* an empty one was dropped: "/a", "a//b", "a/" */
		return false;
	for (char **part = parts; *part; part++)
		if (streq(*part, ".") || streq(*part, ".."))
			return false;
	return true;
}

static bool is_sha256(const char *s)
{
	return s && strlen(s) == SHA256_DIGITS && str_only(s, HEX);
}

/* ---- index ---- */

int streams_read_index(const char *text, size_t len, char ***ret_paths, struct err *err)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	_cleanup_(strv_freep) char **paths = NULL;
	const char *key;
	json_t *entry;
	int r = json_parse(text, len, &root, err);

	if (r < 0)
		return err_wrap(err, "index");
	json_object_foreach(json_get_object(root, "index"), key, entry)
	{
		const char *path = json_str(entry, "path", NULL);

		if (!streq(json_str(entry, "datatype", NULL), "image-downloads"))
			continue;
		if (!streams_path_is_plain(path))
			return err_kind(err, ERR_INVALID,
					"index: a path is no plain one below the server's URL");
		if (strv_len(paths) == STREAMS_LISTS_MAX)
			return err_kind(err, ERR_INVALID, "index: more than %d lists of images",
					STREAMS_LISTS_MAX);
		strv_push(&paths, path);
	}
	if (!paths)
		return err_kind(err, ERR_NOT_FOUND, "index: it names no list of images");
	*ret_paths = TAKE_PTR(paths);
	return 0;
}

/* ---- products ---- */

/* What is looked for, and the best of what was found. */
struct search {
	const struct streams_want *want;
	struct streams_image best;
	bool only_others;	 /* fits, but has no file that a container can be made of */
	bool other_architecture; /* fits but for that */
	struct err err;		 /* of a file that fits and is broken */
};

static json_t *item_of_type(json_t *items, const char *const *types)
{
	const char *key;
	json_t *item;

	json_object_foreach(items, key, item)
	{
		const char *type = json_str(item, "ftype", NULL);

		if (type && strv_contains(types, type))
			return item;
	}
	return NULL;
}

static int take_file(const json_t *item, struct streams_file *file, struct err *err)
{
	const char *path = json_str(item, "path", NULL);
	const char *sha256 = json_str(item, "sha256", NULL);
	int64_t size = json_i64(item, "size", 0);

	if (!streams_path_is_plain(path))
		return err_kind(err, ERR_INVALID,
				"products: a path is no plain one below the server's URL");
	if (!is_sha256(sha256))
		return err_kind(err, ERR_INVALID, "products: \"%s\" has no sha256", path);
	if (size < 0)
		return err_kind(err, ERR_INVALID, "products: \"%s\" has a negative size", path);
	file->path = xstrdup(path);
	file->sha256 = xstrdup(sha256);
	file->size_bytes = (uint64_t)size;
	return 0;
}

/* Returns: 0, 1 when there is nothing for a container in that version, -errno. */
static int take_version(json_t *items, struct streams_image *image, struct err *err)
{
	static const char *const metas[] = { "incus.tar.xz", "lxd.tar.xz", NULL };
	static const char *const roots[] = { "root.tar.xz", NULL };
	static const char *const wholes[] = { "incus_combined.tar.gz", "lxd_combined.tar.gz",
					      NULL };
	json_t *meta = item_of_type(items, metas), *root = item_of_type(items, roots);
	json_t *whole = item_of_type(items, wholes);
	const char *fingerprint;
	int r;

	if (meta && root)
		fingerprint = json_str(meta, "combined_rootxz_sha256",
				       json_str(meta, "combined_sha256", NULL));
	else if (whole)
		fingerprint = json_str(whole, "sha256", NULL);
	else
		return 1;
	if (!is_sha256(fingerprint))
		return err_kind(err, ERR_INVALID, "products: an image has no combined sha256");
	image->fingerprint = xstrdup(fingerprint);
	if (!meta || !root)
		return take_file(whole, &image->metadata, err);
	r = take_file(meta, &image->metadata, err);
	return r < 0 ? r : take_file(root, &image->rootfs, err);
}

static bool fits_fingerprint(const struct search *search, const struct streams_image *image)
{
	return !search->want->fingerprint ||
	       str_after(image->fingerprint, search->want->fingerprint);
}

static void try_version(struct search *search, const char *version, json_t *items)
{
	_cleanup_(streams_image_done) struct streams_image image = { 0 };
	struct err err = { 0 };
	int r;

	if (strlen(version) > VERSION_BYTES_MAX || !str_only(version, LETTERS "._:+~-") ||
	    (search->best.version && strcmp(version, search->best.version) <= 0))
		return;
	r = take_version(items, &image, &err);
	if (r == 1)
		search->only_others = true;
	if (r < 0 && !search->err.code)
		search->err = err;
	if (r != 0 || !fits_fingerprint(search, &image))
		return;
	image.version = xstrdup(version);
	streams_image_done(&search->best);
	search->best = image;
	image = (struct streams_image){ 0 };
}

/* "alpine/3.20" and "alpine/3.20/amd64" are both meant by the alias "alpine/3.20". */
static bool alias_fits(const char *alias, const char *wanted, const char *arch)
{
	const char *rest = str_after(wanted, alias);

	return rest && (!*rest || (*rest == '/' && streq(rest + 1, arch)));
}

/* @ret_named: the alias says which architecture. */
static bool fits_alias(const json_t *product, const char *wanted, bool *ret_named)
{
	_cleanup_(strv_freep) char **aliases = strv_split(json_str(product, "aliases", ""), ", ");
	const char *arch = json_str(product, "arch", "");

	for (char **alias = aliases; alias && *alias; alias++) {
		*ret_named = !streq(*alias, wanted);
		if (alias_fits(*alias, wanted, arch))
			return true;
	}
	return false;
}

static void try_product(struct search *search, json_t *product)
{
	const char *arch = json_str(product, "arch", "");
	const char *kernel_name = image_architecture(arch);
	const char *version;
	bool named = false;
	json_t *value;

	if (search->want->alias && !search->want->fingerprint &&
	    !fits_alias(product, search->want->alias, &named))
		return;
	if (!streq(kernel_name, search->want->architecture)) {
		search->other_architecture = true;
		return;
	}
	json_object_foreach(json_get_object(product, "versions"), version, value)
		try_version(search, version, json_get_object(value, "items"));
}

static int explain(const struct search *search, struct err *err)
{
	const struct streams_want *want = search->want;
	const char *what = want->fingerprint ? want->fingerprint : want->alias;

	if (search->err.code < 0)
		return err_kind(err, search->err.kind, "%s", search->err.msg);
	if (search->only_others && !want->fingerprint)
		return err_kind(err, ERR_UNSUPPORTED,
				"the server has \"%s\" only as a virtual machine or squashfs; "
				"a tarball is needed",
				what);
	if (search->other_architecture && !want->fingerprint)
		return err_kind(err, ERR_NOT_FOUND, "the server has no \"%s\" for %s", what,
				want->architecture);
	return err_kind(err, ERR_NOT_FOUND, "the server has no image \"%s\"", what);
}

int streams_find_image(const char *text, size_t len, const struct streams_want *want,
		       struct streams_image *ret_image, struct err *err)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	struct search search = { .want = want };
	const char *name;
	json_t *product;
	int r = json_parse(text, len, &root, err);

	if (r < 0)
		return err_wrap(err, "products");
	json_object_foreach(json_get_object(root, "products"), name, product)
		try_product(&search, product);
	if (!search.best.fingerprint)
		return explain(&search, err);
	*ret_image = search.best;
	return 0;
}

/* ---- a list for people ---- */

int64_t streams_version_wall_ns(const char *version)
{
	_cleanup_(freep) char *date = NULL;
	int64_t wall_ns = 0;

	if (strspn(version, "0123456789") < DATE_DIGITS)
		return 0;
	date = xasprintf("%.4s-%.2s-%.2sT00:00:00Z", version, version + 4, version + 6);
	return time_parse_rfc3339(date, &wall_ns) < 0 ? 0 : MAX(wall_ns, 0);
}

static void take_property(const json_t *product, const char *key, struct strmap *properties)
{
	const char *value = json_str(product, key, NULL);

	if (value && strlen(value) <= REMOTE_TEXT_MAX)
		strmap_set(properties, key, value);
}

static void take_aliases(const json_t *product, char ***aliases)
{
	_cleanup_(strv_freep) char **words = strv_split(json_str(product, "aliases", ""), ", ");

	for (char **word = words; word && *word; word++)
		if (name_validate(NAME_IMAGE_ALIAS, *word, NULL) == 0)
			strv_push(aliases, *word);
}

static void describe(struct remote_image *image)
{
	const char *os = strmap_get(&image->properties, "os");
	const char *release = strmap_get(&image->properties, "release");
	_cleanup_(freep) char *text =
		xasprintf("%s %s %s (%s)", os ? os : "", release ? release : "",
			  image->architecture, image->version);

	if (os && strlen(text) <= REMOTE_TEXT_MAX)
		strmap_set(&image->properties, "description", text);
}

static void add_product(json_t *product, const char *architecture, struct remote_images *images)
{
	static const char *const keys[] = { "os", "release", "release_title", "variant" };
	const struct streams_want want = { .architecture = architecture };
	struct search search = { .want = &want };
	struct remote_image *image;

	try_product(&search, product);
	if (!search.best.fingerprint)
		return;
	image = vec_push(&images->images);
	image->fingerprint = xstrdup(search.best.fingerprint);
	image->version = xstrdup(search.best.version);
	image->architecture = xstrdup(architecture);
	image->size_bytes = MIN(search.best.metadata.size_bytes + search.best.rootfs.size_bytes,
				(uint64_t)INT64_MAX);
	image->created_wall_ns = streams_version_wall_ns(image->version);
	take_aliases(product, &image->aliases);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		take_property(product, keys[i], &image->properties);
	strmap_set(&image->properties, "serial", image->version);
	describe(image);
	streams_image_done(&search.best);
}

int streams_list_images(const char *text, size_t len, const char *architecture,
			struct remote_images *images, struct err *err)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	const char *name;
	json_t *product;
	int r = json_parse(text, len, &root, err);

	if (r < 0)
		return err_wrap(err, "products");
	json_object_foreach(json_get_object(root, "products"), name, product)
		add_product(product, architecture, images);
	return 0;
}

void streams_image_done(struct streams_image *image)
{
	free(image->fingerprint);
	free(image->version);
	free(image->metadata.path);
	free(image->metadata.sha256);
	free(image->rootfs.path);
	free(image->rootfs.sha256);
	*image = (struct streams_image){ 0 };
}

/* ---- across the sandbox's wall ---- */

static void file_to_map(const struct streams_file *file, const char *prefix, struct strmap *map)
{
	_cleanup_(freep) char *sha256_key = xasprintf("%s_sha256", prefix);
	_cleanup_(freep) char *size_key = xasprintf("%s_size", prefix);

	if (!file->path)
		return;
	strmap_set(map, prefix, file->path);
	strmap_set(map, sha256_key, file->sha256);
	strmap_set_take(map, size_key, xasprintf("%" PRIu64, file->size_bytes));
}

void streams_image_to_map(const struct streams_image *image, struct strmap *map)
{
	strmap_set(map, "fingerprint", image->fingerprint);
	strmap_set(map, "version", image->version);
	file_to_map(&image->metadata, "metadata", map);
	file_to_map(&image->rootfs, "rootfs", map);
}

static int file_from_map(const struct strmap *map, const char *prefix, struct streams_file *file)
{
	_cleanup_(freep) char *sha256_key = xasprintf("%s_sha256", prefix);
	_cleanup_(freep) char *size_key = xasprintf("%s_size", prefix);
	const char *path = strmap_get(map, prefix), *sha256 = strmap_get(map, sha256_key);
	const char *size = strmap_get(map, size_key);

	if (!streams_path_is_plain(path) || !is_sha256(sha256) ||
	    parse_u64(size ? size : "", INT64_MAX, &file->size_bytes) < 0)
		return -EINVAL;
	file->path = xstrdup(path);
	file->sha256 = xstrdup(sha256);
	return 0;
}

int streams_image_from_map(const struct strmap *map, struct streams_image *ret_image,
			   struct err *err)
{
	_cleanup_(streams_image_done) struct streams_image image = { 0 };
	const char *fingerprint = strmap_get(map, "fingerprint");
	int r = is_sha256(fingerprint) ? 0 : -EINVAL;

	if (r == 0)
		r = file_from_map(map, "metadata", &image.metadata);
	if (r == 0 && strmap_has(map, "rootfs"))
		r = file_from_map(map, "rootfs", &image.rootfs);
	if (r < 0)
		return err_kind(err, ERR_INVALID, "the answer about the image is broken");
	image.fingerprint = xstrdup(fingerprint);
	image.version = xstrdup(strmap_get(map, "version"));
	*ret_image = image;
	image = (struct streams_image){ 0 };
	return 0;
}
