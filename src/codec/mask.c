/* codec/mask.c - see mask.h */
#include "codec/mask.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum {
	NODES_MAX = 256,
	DEPTH_MAX = 8
};

struct mask {
	char *name;
	bool whole;	   /* with everything below it */
	struct mask *next; /* of the same parent */
	struct mask *first;
};

struct mask *mask_free(struct mask *mask)
{
	while (mask) {
		struct mask *next = mask->next;

		mask_free(mask->first); /* DEPTH_MAX deep */
		free(mask->name);
		free(mask);
		mask = next;
	}
	return NULL;
}

void mask_freep(struct mask **mask)
{
	*mask = mask_free(*mask);
}

static struct mask *find(const struct mask *mask, const char *name, size_t len)
{
	struct mask *child = mask->first;

	while (child && (strncmp(child->name, name, len) != 0 || child->name[len]))
		child = child->next;
	return child;
}

const struct mask *mask_child(const struct mask *mask, const char *name)
{
	const struct mask *child;

	if (mask->whole)
		return mask;
	child = find(mask, name, strlen(name));
	return child ? child : find(mask, "*", 1);
}

static struct mask *add(struct mask *mask, const char *name, size_t len)
{
	struct mask *child = xcalloc(1, sizeof(*child));

	child->name = xstrndup(name, len);
	child->next = mask->first;
	mask->first = child;
	return child;
}

static int check_name(size_t len, size_t depth, size_t n_nodes, struct err *err)
{
	if (len == 0)
		return err_kind(err, ERR_INVALID, "fields: a name is empty");
	if (depth >= DEPTH_MAX)
		return err_kind(err, ERR_INVALID, "fields: deeper than %d names", DEPTH_MAX);
	if (n_nodes >= NODES_MAX)
		return err_kind(err, ERR_INVALID, "fields: more than %d names", NODES_MAX);
	return 0;
}

int mask_parse(const char *text, struct mask **ret_mask, struct err *err)
{
	_cleanup_(mask_freep) struct mask *root = xcalloc(1, sizeof(*root));
	struct mask *at = root;
	size_t depth = 0, n_nodes = 0;

	for (const char *s = text;;) {
		size_t len = strcspn(s, "/,");
		struct mask *child;
		int r = check_name(len, depth, n_nodes, err);

		if (r < 0)
			return r;
		child = find(at, s, len);
		n_nodes += !child;
		at = child ? child : add(at, s, len);
		depth++;
		s += len;
		if (*s != '/') {
			at->whole = true;
			at = root;
			depth = 0;
		}
		if (!*s++)
			break;
	}
	*ret_mask = TAKE_PTR(root);
	return 0;
}
