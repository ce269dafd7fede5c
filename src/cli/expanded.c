/* cli/expanded.c - see expanded.h */
#include "cli/expanded.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/yaml.h"

enum {
	CONFIG_INDENT = 2,
	DEVICE_INDENT = 4
};

/* "# from profile web", new; NULL when nobody knows. */
static char *comment_of(const char *origin)
{
	if (!origin || !*origin)
		return NULL;
	return streq(origin, "instance") ? xstrdup("# from the instance")
					 : xasprintf("# from profile %s", origin);
}

/* One member at @indent; the comment is behind a value of one line, before a longer one. */
static void emit_member(const char *key, const json_t *value, const char *origin, int indent,
			struct buf *out)
{
	_cleanup_(json_decrefp) json_t *pair = json_object();
	_cleanup_(freep) char *comment = comment_of(origin);
	struct buf text = { 0 };
	const char *line, *end;

	(void)json_object_set(pair, key, (json_t *)value);
	yaml_emit(pair, &text);
	line = buf_str(&text);
	if (comment && strchr(line, '\n') == line + text.len - 1) {
		buf_printf(out, "%*s%.*s  %s\n", indent, "", (int)text.len - 1, line, comment);
		buf_done(&text);
		return;
	}
	if (comment)
		buf_printf(out, "%*s%s\n", indent, "", comment);
	for (; (end = strchr(line, '\n')); line = end + 1)
		buf_printf(out, "%*s%.*s\n", end > line ? indent : 0, "", (int)(end - line), line);
	buf_done(&text);
}

static void emit_members(const json_t *object, const json_t *origins, int indent, struct buf *out)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
		emit_member(key, value, json_str(origins, key, NULL), indent, out);
}

static void emit_devices(const json_t *devices, const json_t *origins, struct buf *out)
{
	const char *name;
	json_t *device;

	json_object_foreach((json_t *)devices, name, device)
	{
		buf_printf(out, "  %s:\n", name); /* NAME_DEVICE needs no quotes */
		emit_members(device, json_get_object(origins, name), DEVICE_INDENT, out);
	}
}

void expanded_emit(const json_t *value, const json_t *origins, struct buf *out)
{
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)value, key, member)
	{
		bool devices = streq(key, "devices");

		if ((!devices && !streq(key, "config")) || json_object_size(member) == 0) {
			emit_member(key, member, NULL, 0, out);
			continue;
		}
		buf_printf(out, "%s:\n", key);
		if (devices)
			emit_devices(member, json_get_object(origins, key), out);
		else
			emit_members(member, json_get_object(origins, key), CONFIG_INDENT, out);
	}
}
