/*
 * codec/multipart.c - multipart/form-data as it streams by (codec, pure)
 *
 *   preamble -> part headers -> part data -> part headers ... -> epilogue (ignored)
 *
 * The window holds what cannot be judged yet: at most a part's headers, or the bytes at the end of
 * a chunk that may be the beginning of a boundary.
 */
#include "codec/multipart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

enum state {
	STATE_PREAMBLE,
	STATE_AFTER_BOUNDARY, /* "--" ends it all, a line end begins a part */
	STATE_HEADERS,
	STATE_DATA,
	STATE_EPILOGUE,
	STATE_MAX
};

struct multipart {
	enum state state;
	char *delimiter; /* "\r\n--boundary" */
	size_t delimiter_len;
	struct buf window;
	size_t parts;
	const struct multipart_handler *handler;
	void *data;
};

/*
 * The value of parameter @name of a header like "form-data; name=x; filename=\"y\";".
 * Returns: new string, NULL when there is none.
 */
static char *parameter(const char *header, const char *name)
{
	size_t name_len = strlen(name);
	const char *p = strchr(header, ';');

	while (p) {
		p += 1 + strspn(p + 1, " \t");
		if (strncasecmp(p, name, name_len) == 0 && p[name_len] == '=') {
			p += name_len + 1;
			if (*p == '"')
				return xstrndup(p + 1, strcspn(p + 1, "\""));
			return xstrndup(p, strcspn(p, "; \t\r\n"));
		}
		/* A ';' between quotes is no separator. */
		for (bool quoted = false; *p && (quoted || *p != ';'); p++)
			if (*p == '"')
				quoted = !quoted;
		p = *p ? p : NULL;
	}
	return NULL;
}

char *multipart_boundary(const char *content_type)
{
	static const char type[] = "multipart/form-data";
	char *boundary;

	if (!content_type || strncasecmp(content_type, type, sizeof(type) - 1) != 0)
		return NULL;
	boundary = parameter(content_type, "boundary");
	if (boundary && (!*boundary || strlen(boundary) > MULTIPART_BOUNDARY_MAX)) {
		free(boundary);
		return NULL;
	}
	return boundary;
}

struct multipart *multipart_new(const char *boundary, const struct multipart_handler *handler,
				void *data)
{
	struct multipart *parser = xcalloc(1, sizeof(*parser));

	parser->delimiter = xasprintf("\r\n--%s", boundary);
	parser->delimiter_len = strlen(parser->delimiter);
	parser->handler = handler;
	parser->data = data;
	/* The first boundary may stand at the very beginning: as if a line had ended before. */
	buf_add_str(&parser->window, "\r\n");
	return parser;
}

struct multipart *multipart_free(struct multipart *parser)
{
	if (!parser)
		return NULL;
	free(parser->delimiter);
	buf_done(&parser->window);
	free(parser);
	return NULL;
}

void multipart_freep(struct multipart **parser)
{
	*parser = multipart_free(*parser);
}

/* Returns: offset of the delimiter, or how many bytes cannot be part of one; @ret_found says. */
static size_t find_delimiter(const struct multipart *parser, bool *ret_found)
{
	const struct buf *window = &parser->window;
	const char *hit = window->len ? memmem(window->data, window->len, parser->delimiter,
					       parser->delimiter_len)
				      : NULL;
	size_t keep;

	*ret_found = hit != NULL;
	if (hit)
		return (size_t)(hit - window->data);
	keep = MIN(window->len, parser->delimiter_len - 1);
	/* Only a tail that begins like the delimiter has to wait. */
	for (; keep > 0; keep--)
		if (memcmp(window->data + window->len - keep, parser->delimiter, keep) == 0)
			break;
	return window->len - keep;
}

/* > 0: went on; 0: needs more input; < 0: failed. */
static int step_to_delimiter(struct multipart *parser)
{
	bool found;
	size_t n = find_delimiter(parser, &found);
	int rc = 0;

	if (parser->state == STATE_DATA && n > 0)
		rc = parser->handler->on_data(parser->data, parser->window.data, n);
	if (rc == 0 && found && parser->state == STATE_DATA)
		rc = parser->handler->on_part_end(parser->data);
	if (rc != 0)
		return rc;
	buf_consume(&parser->window, found ? n + parser->delimiter_len : n);
	if (!found)
		return 0;
	parser->state = STATE_AFTER_BOUNDARY;
	return 1;
}

static int step_after_boundary(struct multipart *parser, struct err *err)
{
	struct buf *window = &parser->window;
	const char *end = window->len ? memchr(window->data, '\n', window->len) : NULL;

	if (window->len >= 2 && memcmp(window->data, "--", 2) == 0) {
		parser->state = STATE_EPILOGUE;
		return 1;
	}
	if (!end && window->len <= MULTIPART_BOUNDARY_MAX)
		return 0;
	/* Blanks may fill the line of a boundary; anything else means a longer boundary. */
	for (const char *p = window->data; p != end; p++)
		if (!end || !strchr(" \t\r", *p))
			return err_kind(err, ERR_INVALID, "multipart: bytes behind a boundary");
	if (++parser->parts > MULTIPART_PARTS_MAX)
		return err_kind(err, ERR_INVALID, "multipart: more than %d parts",
				MULTIPART_PARTS_MAX);
	buf_consume(window, (size_t)(end + 1 - window->data));
	parser->state = STATE_HEADERS;
	return 1;
}

static int begin_part(struct multipart *parser, const char *disposition)
{
	_cleanup_(freep) char *name = parameter(disposition, "name");
	_cleanup_(freep) char *filename = parameter(disposition, "filename");

	return parser->handler->on_part(parser->data, name ? name : "", filename ? filename : "");
}

/* The value of Content-Disposition among the header lines in @text, "" when there is none. */
static const char *find_disposition(char *text)
{
	static const char name[] = "content-disposition:";
	char *save = NULL;

	for (char *line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save))
		if (strncasecmp(line, name, sizeof(name) - 1) == 0)
			return line + sizeof(name) - 1;
	return "";
}

static int step_headers(struct multipart *parser, struct err *err)
{
	struct buf *window = &parser->window;
	const char *end = NULL;
	size_t skip = 0;

	if (window->len >= 2 && memcmp(window->data, "\r\n", 2) == 0) {
		end = window->data; /* no headers at all */
		skip = 2;
	} else if (window->len > 0) {
		end = memmem(window->data, window->len, "\r\n\r\n", 4);
		skip = 4;
	}
	if ((end ? (size_t)(end - window->data) : window->len) > MULTIPART_HEADER_MAX)
		return err_kind(err, ERR_INVALID, "multipart: headers of a part are too long");
	if (!end)
		return 0;
	size_t len = (size_t)(end - window->data);
	_cleanup_(freep) char *text = xstrndup(window->data, len);
	int rc = begin_part(parser, find_disposition(text));

	if (rc != 0)
		return rc;
	buf_consume(window, len + skip);
	parser->state = STATE_DATA;
	return 1;
}

static int step(struct multipart *parser, struct err *err)
{
	switch (parser->state) {
	case STATE_PREAMBLE:
	case STATE_DATA:
		return step_to_delimiter(parser);
	case STATE_AFTER_BOUNDARY:
		return step_after_boundary(parser, err);
	case STATE_HEADERS:
		return step_headers(parser, err);
	case STATE_EPILOGUE:
	case STATE_MAX:
		break;
	}
	buf_done(&parser->window);
	return 0;
}

int multipart_feed(struct multipart *parser, const void *bytes, size_t len, struct err *err)
{
	int rc;

	if (parser->state != STATE_EPILOGUE)
		buf_add(&parser->window, bytes, len);
	do
		rc = step(parser, err);
	while (rc > 0);
	if (rc < 0 && err && err->code == 0)
		return err_set(err, rc, "multipart: handle a part");
	return rc;
}

int multipart_end(struct multipart *parser, struct err *err)
{
	if (parser->state == STATE_EPILOGUE)
		return 0;
	return err_kind(err, ERR_INVALID, "multipart: the end is missing");
}
