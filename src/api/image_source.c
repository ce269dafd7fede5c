/* api/image_source.c - see image_source.h */
#include "api/image_source.h"

#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "spec/names.h"

/* "incus image copy" puts whatever it was given there, the server's alias too. */
static bool is_alias(const char *fingerprint)
{
	return !str_only(fingerprint, "0123456789abcdef") &&
	       name_validate(NAME_IMAGE_ALIAS, fingerprint, NULL) == 0;
}

int read_image_source(const json_t *source, struct image_source *ret_source, struct err *err)
{
	const char *protocol = json_str(source, "protocol", "lxd");
	const char *alias = json_str(source, "alias", ""),
		   *fingerprint = json_str(source, "fingerprint", "");

	if (!streq(protocol, "simplestreams"))
		return err_kind(err, ERR_UNSUPPORTED,
				"image protocol \"%s\" is not offered; simplestreams is", protocol);
	if (!streq(json_str(source, "mode", "pull"), "pull"))
		return err_kind(err, ERR_UNSUPPORTED, "image source: only mode pull is offered");
	if (!str_empty(json_str(source, "image_type", "")) &&
	    !streq(json_str(source, "image_type", ""), "container"))
		return err_kind(err, ERR_UNSUPPORTED, "image source: only containers are offered");
	if (str_empty(alias) && is_alias(fingerprint)) {
		alias = fingerprint;
		fingerprint = "";
	}
	ret_source->server = xstrdup(json_str(source, "server", ""));
	ret_source->alias = str_empty(alias) ? NULL : xstrdup(alias);
	ret_source->fingerprint = str_empty(fingerprint) ? NULL : xstrdup(fingerprint);
	return image_source_check(ret_source, err);
}
