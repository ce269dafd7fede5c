/* spec/image.c - see image.h */
#include "spec/image.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "spec/keys.h"
#include "spec/names.h"

enum {
	PROPERTY_NAME_MAX = 128,
	ALIASES_MAX = 1000
};

static const char *const format_names[] = {
	[IMAGE_UNIFIED] = "unified",
	[IMAGE_SPLIT] = "split",
};
static_assert(ARRAY_LEN(format_names) == IMAGE_FORMAT_MAX, "one name per format");

struct image_record *image_record_new(const char *fingerprint)
{
	struct image_record *record = xcalloc(1, sizeof(*record));

	record->fingerprint = xstrdup(fingerprint);
	return record;
}

struct image_record *image_record_copy(const struct image_record *src)
{
	struct image_record *copy = xmemdup(src, sizeof(*src));

	copy->fingerprint = xstrdup(src->fingerprint);
	copy->architecture = xstrdup(src->architecture);
	copy->filename = xstrdup(src->filename);
	copy->properties = (struct strmap){ 0 };
	strmap_merge(&copy->properties, &src->properties);
	copy->profiles = strv_copy((const char *const *)src->profiles);
	memset(&copy->aliases, 0, sizeof(copy->aliases));
	for (size_t i = 0; i < src->aliases.len; i++)
		image_record_add_alias(copy, src->aliases.items[i].name,
				       src->aliases.items[i].description);
	copy->source_protocol = xstrdup(src->source_protocol);
	copy->source_server = xstrdup(src->source_server);
	copy->source_alias = xstrdup(src->source_alias);
	return copy;
}

static void alias_done(struct image_alias *alias)
{
	free(alias->name);
	free(alias->description);
}

void image_record_free(struct image_record *record)
{
	if (!record)
		return;
	free(record->fingerprint);
	free(record->architecture);
	free(record->filename);
	strmap_done(&record->properties);
	strv_free(record->profiles);
	vec_for_each(alias, &record->aliases) {
		alias_done(alias);
	}
	free(record->aliases.items);
	free(record->source_protocol);
	free(record->source_server);
	free(record->source_alias);
	free(record);
}

void image_record_freep(struct image_record **record)
{
	image_record_free(*record);
	*record = NULL;
}

void image_record_add_alias(struct image_record *record, const char *name, const char *description)
{
	struct image_alias *alias;

	(void)image_record_remove_alias(record, name);
	alias = vec_push(&record->aliases);
	alias->name = xstrdup(name);
	alias->description = xstrdup(description);
}

bool image_record_remove_alias(struct image_record *record, const char *name)
{
	for (size_t i = 0; i < record->aliases.len; i++) {
		struct image_alias *alias = &record->aliases.items[i];

		if (!streq(alias->name, name))
			continue;
		alias_done(alias);
		record->aliases.len--;
		memmove(alias, alias + 1, (record->aliases.len - i) * sizeof(*alias));
		return true;
	}
	return false;
}

const char *image_format_name(enum image_format format)
{
	return format < IMAGE_FORMAT_MAX ? format_names[format] : NULL;
}

int image_format_parse(const char *name, enum image_format *ret_format)
{
	for (size_t i = 0; i < ARRAY_LEN(format_names); i++) {
		if (!streq(format_names[i], name))
			continue;
		*ret_format = (enum image_format)i;
		return 0;
	}
	return -EINVAL;
}

/* A property becomes the instance key "image.<name>". */
static int check_property(const char *name, const char *value, struct err *err)
{
	_cleanup_(freep) char *key = xasprintf("image.%s", name);

	if (str_empty(name) || strlen(name) > PROPERTY_NAME_MAX)
		return err_kind(err, ERR_INVALID, "property name must have 1 to %d characters",
				PROPERTY_NAME_MAX);
	return keys_validate_one(key, value, err);
}

static int validate_content(const struct image_record *record, struct err *err)
{
	int r = 0;

	if (record->aliases.len > ALIASES_MAX)
		return err_kind(err, ERR_INVALID, "must have at most %d aliases", ALIASES_MAX);
	for (size_t i = 0; i < record->aliases.len && r == 0; i++)
		r = name_validate(NAME_IMAGE_ALIAS, record->aliases.items[i].name, err);
	for (char **profile = record->profiles; profile && *profile && r == 0; profile++)
		r = name_validate(NAME_PROFILE, *profile, err);
	for (size_t i = 0; i < record->properties.len && r == 0; i++)
		r = check_property(record->properties.items[i].key,
				   record->properties.items[i].value, err);
	return r;
}

int image_record_validate(const struct image_record *record, struct err *err)
{
	int r = name_validate(NAME_FINGERPRINT, record->fingerprint, err);

	if (r < 0)
		return r;
	r = validate_content(record, err);
	if (r < 0)
		(void)err_wrap(err, "image %.12s", record->fingerprint);
	return r;
}
