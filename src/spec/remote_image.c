/* spec/remote_image.c - see remote_image.h */
#include "spec/remote_image.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "spec/names.h"

static const struct wire_field remote_image_fields[] = {
	{ 1, WIRE_STR, offsetof(struct remote_image, fingerprint), NULL },
	{ 2, WIRE_STR, offsetof(struct remote_image, architecture), NULL },
	{ 3, WIRE_STR, offsetof(struct remote_image, version), NULL },
	{ 4, WIRE_STRV, offsetof(struct remote_image, aliases), NULL },
	{ 5, WIRE_STRMAP, offsetof(struct remote_image, properties), NULL },
	{ 6, WIRE_U64, offsetof(struct remote_image, size_bytes), NULL },
	{ 7, WIRE_I64, offsetof(struct remote_image, created_wall_ns), NULL },
};
WIRE_SCHEMA(remote_image, remote_image_fields);

static const struct wire_field remote_images_fields[] = {
	{ 1, WIRE_VEC, offsetof(struct remote_images, images), &remote_image_schema },
};
WIRE_SCHEMA(remote_images, remote_images_fields);

static bool is_short(const char *text)
{
	return text && strlen(text) <= REMOTE_TEXT_MAX;
}

static int check_image(const struct remote_image *image, struct err *err)
{
	int r = name_validate(NAME_FINGERPRINT, image->fingerprint, err);

	for (char **alias = image->aliases; alias && *alias && r == 0; alias++)
		r = name_validate(NAME_IMAGE_ALIAS, *alias, err);
	if (r < 0)
		return r;
	if (!is_short(image->architecture) || !is_short(image->version) ||
	    image->size_bytes > INT64_MAX || image->created_wall_ns < 0)
		return err_kind(err, ERR_INVALID, "image %.12s: broken", image->fingerprint);
	strmap_for_each(entry, &image->properties)
	{
		if (!is_short(entry->key) || !is_short(entry->value))
			return err_kind(err, ERR_INVALID, "image %.12s: a property is too long",
					image->fingerprint);
	}
	return 0;
}

int remote_images_validate(const struct remote_images *images, struct err *err)
{
	int r = 0;

	if (images->images.len > REMOTE_IMAGES_MAX)
		return err_kind(err, ERR_INVALID, "the server has more than %d images",
				REMOTE_IMAGES_MAX);
	for (size_t i = 0; i < images->images.len && r == 0; i++)
		r = check_image(&images->images.items[i], err);
	return r < 0 ? err_wrap(err, "list of images") : 0;
}
