/* spec/idmap.c - see idmap.h */
#include "spec/idmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "spec/keys.h"

static const struct {
	const char *word;
	uint32_t kinds;
} kind_rows[] = {
	{ "both", IDMAP_UID | IDMAP_GID },
	{ "uid", IDMAP_UID },
	{ "gid", IDMAP_GID },
};

static const struct wire_field spec_idmap_fields[] = {
	{ 1, WIRE_U32, offsetof(struct spec_idmap, kinds), NULL },
	{ 2, WIRE_U32, offsetof(struct spec_idmap, host), NULL },
	{ 3, WIRE_U32, offsetof(struct spec_idmap, inside), NULL },
	{ 4, WIRE_U32, offsetof(struct spec_idmap, count), NULL },
};
WIRE_SCHEMA(spec_idmap, spec_idmap_fields);

/* "1000" or "500-510". The last id that there is stands for none. */
static int parse_span(const char *text, uint32_t *ret_first, uint32_t *ret_count)
{
	const char *dash = strchr(text, '-');
	_cleanup_(freep) char *first = xstrndup(text, strcspn(text, "-"));
	uint32_t last;
	int r = parse_u32(first, ret_first);

	if (r == 0)
		r = parse_u32(dash ? dash + 1 : text, &last);
	if (r < 0)
		return r;
	if (last < *ret_first || last == UINT32_MAX)
		return -ERANGE;
	*ret_count = last - *ret_first + 1;
	return 0;
}

static int parse_line(const char *line, struct spec_idmap *ret_piece)
{
	_cleanup_(strv_freep) char **words = strv_split(line, " \t");
	uint32_t n_inside;

	*ret_piece = (struct spec_idmap){ 0 };
	if (strv_len(words) != 3)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_LEN(kind_rows); i++)
		if (streq(words[0], kind_rows[i].word))
			ret_piece->kinds = kind_rows[i].kinds;
	if (ret_piece->kinds == 0 ||
	    parse_span(words[1], &ret_piece->host, &ret_piece->count) < 0 ||
	    parse_span(words[2], &ret_piece->inside, &n_inside) < 0)
		return -EINVAL;
	return n_inside == ret_piece->count ? 0 : -ERANGE;
}

static bool overlap(uint32_t a, uint32_t n_a, uint32_t b, uint32_t n_b)
{
	return (uint64_t)a < (uint64_t)b + n_b && (uint64_t)b < (uint64_t)a + n_a;
}

static int check_piece(const struct spec_idmaps *before, const struct spec_idmap *piece,
		       struct err *err)
{
	if (piece->host == 0)
		return err_kind(err, ERR_INVALID, "host id 0 is the host's root");
	if ((uint64_t)piece->inside + piece->count > IDRANGE_COUNT)
		return err_kind(err, ERR_INVALID, "ids inside must be below %d", IDRANGE_COUNT);
	vec_for_each(other, &before->list) {
		if ((other->kinds & piece->kinds) == 0)
			continue;
		if (overlap(other->host, other->count, piece->host, piece->count) ||
		    overlap(other->inside, other->count, piece->inside, piece->count))
			return err_kind(err, ERR_INVALID, "an id is in a line before it, too");
	}
	return 0;
}

static int take_line(struct spec_idmaps *maps, const char *line, struct err *err)
{
	struct spec_idmap piece;
	int r = parse_line(line, &piece);

	if (r == -ERANGE)
		return err_kind(err, ERR_INVALID, "both ranges must have the same length");
	if (r < 0)
		return err_kind(err, ERR_INVALID,
				"must be \"both|uid|gid HOST INSIDE\" with ids or ranges: "
				"\"both 1000 1000\"");
	r = check_piece(maps, &piece, err);
	if (r == 0)
		*vec_push(&maps->list) = piece;
	return r;
}

/* Errors: ERR_INVALID naming the line. */
static int parse(const char *value, struct spec_idmaps *maps, struct err *err)
{
	_cleanup_(strv_freep) char **lines = strv_split(value, "\n");
	size_t n = strv_len(lines);
	int r = 0;

	if (n > IDMAP_PIECES_MAX)
		return err_kind(err, ERR_INVALID, "must be at most %d lines", IDMAP_PIECES_MAX);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = take_line(maps, lines[i], err);
		if (r < 0)
			(void)err_wrap(err, "line %zu", i + 1);
	}
	return r;
}

int idmap_check(const char *key, const char *value, struct err *err)
{
	struct spec_idmaps maps = { 0 };
	int r = parse(value, &maps, err);

	(void)key;
	free(maps.list.items);
	return r;
}

uint32_t idmap_size(const struct strmap *config)
{
	uint32_t size = (uint32_t)keys_get_int(config, IDMAP_SIZE_KEY, IDRANGE_COUNT);

	return (size + IDRANGE_COUNT - 1) / IDRANGE_COUNT * IDRANGE_COUNT;
}

void idmaps_from_config(const struct strmap *config, struct spec_idmaps *maps)
{
	struct err checked;

	(void)parse(strmap_get(config, IDMAP_KEY) ?: "", maps, &checked);
}

int idmap_check_outside(const struct strmap *config, const struct idrange *own, struct err *err)
{
	struct spec_idmaps maps = { 0 };
	int r = 0;

	idmaps_from_config(config, &maps);
	vec_for_each(piece, &maps.list) {
		if (r == 0 && overlap(piece->host, piece->count, own->base, own->count))
			r = err_kind(err, ERR_INVALID,
				     IDMAP_KEY ": host ids %u-%u are among those that containers "
					       "get as their own (%u-%u)",
				     piece->host, piece->host + piece->count - 1, own->base,
				     own->base + own->count - 1);
	}
	free(maps.list.items);
	return r;
}

bool idmaps_equal(const struct spec_idmaps *a, const struct spec_idmaps *b)
{
	if (a->list.len != b->list.len)
		return false;
	for (size_t i = 0; i < a->list.len; i++) {
		const struct spec_idmap *x = &a->list.items[i], *y = &b->list.items[i];

		if (x->kinds != y->kinds || x->host != y->host || x->inside != y->inside ||
		    x->count != y->count)
			return false;
	}
	return true;
}

/* The piece of @kind with the lowest id inside that is @id or more; NULL: none. */
static const struct spec_idmap *next_piece(const struct spec_idmaps *maps, enum idmap_kind kind,
					   uint32_t id)
{
	const struct spec_idmap *next = NULL;

	vec_for_each(piece, &maps->list) {
		if ((piece->kinds & kind) && piece->inside + piece->count > id &&
		    (!next || piece->inside < next->inside))
			next = piece;
	}
	return next;
}

uint32_t idmap_to_host(const struct spec_idmaps *maps, enum idmap_kind kind,
		       const struct idrange *own, uint32_t id)
{
	const struct spec_idmap *piece = next_piece(maps, kind, id);

	return piece && piece->inside <= id ? piece->host + (id - piece->inside) : own->base + id;
}

static void add_line(struct buf *text, uint32_t inside, uint32_t host, uint32_t count)
{
	if (count > 0)
		buf_printf(text, "%u %u %u\n", inside, host, count);
}

char *idmap_text(const struct spec_idmaps *maps, enum idmap_kind kind, const struct idrange *own)
{
	const struct spec_idmap *piece;
	struct buf text = { 0 };
	uint32_t id = 0;

	while ((piece = next_piece(maps, kind, id))) {
		add_line(&text, id, own->base + id, piece->inside - id);
		add_line(&text, piece->inside, piece->host, piece->count);
		id = piece->inside + piece->count;
	}
	add_line(&text, id, own->base + id, own->count - id);
	return buf_take_str(&text);
}
