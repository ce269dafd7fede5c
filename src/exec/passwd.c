/* exec/passwd.c - see passwd.h */
#include "exec/passwd.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

enum {
	LINE_MAX_LEN = 4096, /* of passwd; group lines may be as long as the file */
	NAME_MAX_LEN = 256,
	PASSWD_FIELDS = 7,
	GROUP_FIELDS = 4,
};

void passwd_entry_done(struct passwd_entry *entry)
{
	free(entry->name);
	free(entry->home);
	free(entry->shell);
	*entry = (struct passwd_entry){ 0 };
}

/* A decimal id in its one form. */
static int parse_id(const char *text, uint32_t *ret_id)
{
	uint32_t id;

	if (text[0] == '0' && text[1] != '\0')
		return -EINVAL;
	/* UINT32_MAX means "leave it as it is" to setresuid() */
	if (parse_u32(text, &id) < 0 || id == UINT32_MAX)
		return -EINVAL;
	*ret_id = id;
	return 0;
}

static bool is_user_name(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > NAME_MAX_LEN || !(isalpha((unsigned char)text[0]) || text[0] == '_'))
		return false;
	if (text[len - 1] == '$')
		len--;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("_.-@", text[i]))
			return false;
	return true;
}

int user_ref_parse(const char *text, struct user_ref *ret_ref)
{
	struct user_ref ref = { 0 };
	const char *colon = strchr(text, ':');
	char number[16];
	size_t len = colon ? (size_t)(colon - text) : strlen(text);

	if (!colon && is_user_name(text)) {
		*ret_ref = (struct user_ref){ .name = text };
		return 0;
	}
	if (len >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, len);
	number[len] = '\0';
	if (parse_id(number, &ref.uid) < 0)
		return -EINVAL;
	if (colon && parse_id(colon + 1, &ref.gid) < 0)
		return -EINVAL;
	ref.has_gid = colon;
	*ret_ref = ref;
	return 0;
}

int group_ref_parse(const char *text, const char **ret_name, uint32_t *ret_gid)
{
	bool is_name = is_user_name(text);

	if (!is_name && parse_id(text, ret_gid) < 0)
		return -EINVAL;
	*ret_name = is_name ? text : NULL;
	return 0;
}

/* The next line of *@text, without its end. Returns: NULL behind the last. */
static const char *next_line(const char **text, const char *end, size_t *ret_len)
{
	const char *line = *text;
	const char *stop;

	if (line >= end)
		return NULL;
	stop = memchr(line, '\n', (size_t)(end - line));
	*ret_len = (size_t)((stop ? stop : end) - line);
	*text = stop ? stop + 1 : end;
	return line;
}

/* Cut @line, which is changed, at its colons. Returns: whether there are exactly @n fields. */
static bool split_fields(char *line, char **fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fields[i] = line;
		line = strchr(line, ':');
		if (!line)
			return i == n - 1;
		*line++ = '\0';
	}
	return false;
}

int passwd_find(const char *text, size_t len, const char *name, uint32_t uid,
		struct passwd_entry *ret_entry)
{
	const char *end = text + len;
	const char *line;
	size_t line_len;

	while ((line = next_line(&text, end, &line_len))) {
		char copy[LINE_MAX_LEN];
		char *fields[PASSWD_FIELDS];
		uint32_t ids[2];

		if (line_len >= sizeof(copy) || memchr(line, '\0', line_len))
			continue;
		memcpy(copy, line, line_len);
		copy[line_len] = '\0';
		if (!split_fields(copy, fields, PASSWD_FIELDS) || !is_user_name(fields[0]) ||
		    parse_id(fields[2], &ids[0]) < 0 || parse_id(fields[3], &ids[1]) < 0)
			continue;
		if (name ? !streq(name, fields[0]) : ids[0] != uid)
			continue;
		*ret_entry = (struct passwd_entry){
			.name = xstrdup(fields[0]),
			.uid = ids[0],
			.gid = ids[1],
			.home = xstrdup(fields[5]),
			.shell = xstrdup(fields[6]),
		};
		return 0;
	}
	return -ENOENT;
}

/* Whether the comma-separated @members has @name. */
static bool has_member(const char *members, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	const char *end = members + len;

	while (members < end) {
		const char *comma = memchr(members, ',', (size_t)(end - members));
		size_t member_len = (size_t)((comma ? comma : end) - members);

		if (member_len == name_len && memcmp(members, name, name_len) == 0)
			return true;
		members += member_len + 1;
	}
	return false;
}

struct group_line {
	const char *name, *members; /* not ended by NUL */
	size_t name_len, members_len;
	uint32_t gid;
};

/* Returns: whether it is well-formed. */
static bool parse_group_line(const char *line, size_t len, struct group_line *ret_group)
{
	const char *end = line + len;
	const char *starts[GROUP_FIELDS];
	char number[16];
	size_t number_len;

	for (size_t i = 0; i < GROUP_FIELDS; i++) {
		starts[i] = line;
		line = memchr(line, ':', (size_t)(end - line));
		if (!line != (i == GROUP_FIELDS - 1))
			return false;
		line = line ? line + 1 : end;
	}
	number_len = (size_t)(starts[3] - starts[2]) - 1;
	if (number_len >= sizeof(number))
		return false;
	memcpy(number, starts[2], number_len);
	number[number_len] = '\0';
	ret_group->name = starts[0];
	ret_group->name_len = (size_t)(starts[1] - starts[0]) - 1;
	ret_group->members = starts[3];
	ret_group->members_len = (size_t)(end - starts[3]);
	return parse_id(number, &ret_group->gid) == 0;
}

int passwd_find_group(const char *text, size_t len, const char *name, uint32_t *ret_gid)
{
	const char *end = text + len;
	const char *line;
	size_t line_len;

	while ((line = next_line(&text, end, &line_len))) {
		struct group_line group;

		if (!parse_group_line(line, line_len, &group) || group.name_len != strlen(name) ||
		    memcmp(group.name, name, group.name_len) != 0)
			continue;
		*ret_gid = group.gid;
		return 0;
	}
	return -ENOENT;
}

static bool has_gid(const uint32_t *gids, int n, uint32_t gid)
{
	for (int i = 0; i < n; i++)
		if (gids[i] == gid)
			return true;
	return false;
}

int passwd_find_groups(const char *text, size_t len, const char *name, uint32_t primary,
		       uint32_t ret_gids[PASSWD_GROUPS_MAX])
{
	const char *end = text + len;
	const char *line;
	size_t line_len;
	int n = 0;

	while ((line = next_line(&text, end, &line_len))) {
		struct group_line group;

		if (!parse_group_line(line, line_len, &group) || group.gid == primary ||
		    !has_member(group.members, group.members_len, name) ||
		    has_gid(ret_gids, n, group.gid))
			continue;
		if (n == PASSWD_GROUPS_MAX)
			return -E2BIG;
		ret_gids[n++] = group.gid;
	}
	return n;
}
