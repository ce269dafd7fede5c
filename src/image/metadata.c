/* image/metadata.c - see metadata.h */
#include "image/metadata.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/yaml.h"

enum {
	KEY_MAX = 64,
	TOTAL_MAX = 16 * 1024 /* of all properties, so that a report holds them */
};

/* Kernel name first, then what distributions say; the ELF machine and class. */
struct arch_row {
	const char *name;
	const char *aliases[3];
	uint16_t machine;
	uint8_t class;
};

static const struct arch_row archs[] = {
	{ "x86_64", { "amd64" }, EM_X86_64, ELFCLASS64 },
	{ "aarch64", { "arm64" }, EM_AARCH64, ELFCLASS64 },
	{ "i686", { "i386", "i586", "x86" }, EM_386, ELFCLASS32 },
	{ "armv7l", { "armhf", "armv7" }, EM_ARM, ELFCLASS32 },
	{ "riscv64", { NULL }, EM_RISCV, ELFCLASS64 },
	{ "ppc64le", { "ppc64el" }, EM_PPC64, ELFCLASS64 },
	{ "s390x", { NULL }, EM_S390, ELFCLASS64 },
	{ "loongarch64", { "loong64" }, 258, ELFCLASS64 },
};

const char *image_architecture(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(archs); i++) {
		if (streq(name, archs[i].name))
			return archs[i].name;
		for (size_t j = 0; j < ARRAY_LEN(archs[i].aliases); j++)
			if (archs[i].aliases[j] && streq(name, archs[i].aliases[j]))
				return archs[i].name;
	}
	return NULL;
}

const char *image_elf_architecture(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	if (len < 20 || memcmp(p, ELFMAG, SELFMAG) != 0)
		return NULL;
	uint16_t machine = p[EI_DATA] == ELFDATA2MSB ? (uint16_t)(p[18] << 8 | p[19])
						     : (uint16_t)(p[19] << 8 | p[18]);
	for (size_t i = 0; i < ARRAY_LEN(archs); i++)
		if (archs[i].machine == machine && archs[i].class == p[EI_CLASS])
			return archs[i].name;
	return NULL;
}

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

static int check_property(const char *key, const char *value, struct err *err)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	_cleanup_(freep) char *shown = str_printable(key, false);

	if (str_empty(key) || strlen(key) > KEY_MAX || !str_only(key, allowed))
		return err_kind(err, ERR_INVALID,
				"image property \"%.64s\": a name has letters, digits, . _ -",
				shown);
	if (strlen(value) > METADATA_VALUE_MAX)
		return err_kind(err, ERR_INVALID, "image property \"%s\": longer than %d bytes",
				shown, METADATA_VALUE_MAX);
	if (has_control(value))
		return err_kind(err, ERR_INVALID,
				"image property \"%s\": control characters are not allowed", shown);
	return 0;
}

int image_metadata_set_properties(struct image_metadata *metadata, const struct strmap *properties,
				  struct err *err)
{
	size_t total = 0;

	if (properties->len > METADATA_PROPERTIES_MAX)
		return err_kind(err, ERR_INVALID, "an image has at most %d properties",
				METADATA_PROPERTIES_MAX);
	strmap_for_each(entry, properties)
	{
		const char *value = entry->value;
		int r = check_property(entry->key, value, err);
		if (r < 0)
			return r;
		total += strlen(entry->key) + strlen(value);
		if (total > TOTAL_MAX)
			return err_kind(err, ERR_INVALID,
					"the image's properties are longer than %d bytes",
					TOTAL_MAX);
		strmap_set(&metadata->properties, entry->key, value);
	}
	return 0;
}

static int parse_architecture(const json_t *doc, struct image_metadata *metadata, struct err *err)
{
	const char *word = json_str(doc, "architecture", NULL);
	const char *name = word ? image_architecture(word) : NULL;

	if (!word)
		return err_kind(err, ERR_INVALID, "metadata.yaml: \"architecture\" is missing");
	if (!name) {
		_cleanup_(freep) char *shown = str_printable(word, false);
		return err_kind(err, ERR_INVALID,
				"metadata.yaml: architecture \"%.40s\" is not known", shown);
	}
	replace_str(&metadata->architecture, name);
	return 0;
}

/* Seconds since 1970, as text; missing is 0. */
static int parse_date(const json_t *doc, const char *key, int64_t *ret_s, struct err *err)
{
	const char *text = json_str(doc, key, NULL);
	int64_t value = 0;

	if (!text && json_get(doc, key))
		return err_kind(err, ERR_INVALID, "metadata.yaml: \"%s\" must be a number", key);
	if (text && (parse_i64(text, &value) < 0 || value < 0 || value > INT64_C(1) << 40))
		return err_kind(err, ERR_INVALID,
				"metadata.yaml: \"%s\" must be seconds since 1970", key);
	*ret_s = value;
	return 0;
}

/* A null property ("variant:") counts as empty. */
static int parse_properties(const json_t *doc, struct image_metadata *metadata, struct err *err)
{
	struct strmap map = { 0 };
	const json_t *object = json_get(doc, "properties");
	const char *key;
	json_t *value;
	int r = 0;

	if (!object)
		return 0;
	if (!json_is_object(object))
		return err_kind(err, ERR_INVALID, "metadata.yaml: \"properties\" must be a map");
	json_object_foreach((json_t *)object, key, value)
	{
		if (!json_is_string(value) && !json_is_null(value)) {
			r = err_kind(err, ERR_INVALID,
				     "metadata.yaml: a property must be a plain value");
			break;
		}
		strmap_set(&map, key, json_is_null(value) ? "" : json_string_value(value));
	}
	if (r == 0)
		r = image_metadata_set_properties(metadata, &map, err);
	strmap_done(&map);
	return r;
}

static int parse_document(const json_t *doc, struct image_metadata *metadata, struct err *err)
{
	if (!json_is_object(doc))
		return err_kind(err, ERR_INVALID, "metadata.yaml: must be a map");
	int r = parse_architecture(doc, metadata, err);
	if (r == 0)
		r = parse_date(doc, "creation_date", &metadata->created_s, err);
	if (r == 0)
		r = parse_date(doc, "expiry_date", &metadata->expiry_s, err);
	if (r == 0)
		r = parse_properties(doc, metadata, err);
	if (r == 0 && json_get(doc, "templates") && !json_is_object(json_get(doc, "templates")))
		r = err_kind(err, ERR_INVALID, "metadata.yaml: \"templates\" must be a map");
	return r;
}

int image_metadata_parse(const void *text, size_t len, struct image_metadata *ret_metadata,
			 struct err *err)
{
	json_t *doc = NULL;

	if (len > YAML_BYTES_MAX)
		return err_kind(err, ERR_INVALID, "metadata.yaml: longer than %d bytes",
				YAML_BYTES_MAX);
	int r = yaml_parse(text, len, &doc, err);
	if (r < 0)
		return err_wrap(err, "metadata.yaml");
	r = parse_document(doc, ret_metadata, err);
	json_decref(doc);
	return r;
}

void image_metadata_done(struct image_metadata *metadata)
{
	free(metadata->architecture);
	strmap_done(&metadata->properties);
	*metadata = (struct image_metadata){ 0 };
}
