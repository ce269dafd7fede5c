/* image/form.c - see form.h */
#include "image/form.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/multipart.h"

static const char *const parts[FORM_FILES] = { "metadata", "rootfs" };

struct form {
	struct form_sink sink;
	struct multipart *parser;
	size_t n_parts;
	struct err err; /* of a callback */
};

static int on_part(void *data, const char *name, const char *filename)
{
	struct form *form = data;

	(void)filename;
	if (streq(name, "rootfs.img"))
		return err_kind(&form->err, ERR_UNSUPPORTED,
				"images of virtual machines are not supported");
	if (form->n_parts >= FORM_FILES || !streq(name, parts[form->n_parts])) {
		_cleanup_(freep) char *shown = str_printable(name, false);
		return err_kind(
			&form->err, ERR_INVALID,
			"form part \"%.40s\": \"metadata\" and then \"rootfs\" are expected",
			shown);
	}
	return form->sink.begin(form->sink.data, form->n_parts++, &form->err);
}

static int on_data(void *data, const void *bytes, size_t len)
{
	struct form *form = data;

	return form->sink.add(form->sink.data, form->n_parts - 1, bytes, len, &form->err);
}

static int on_part_end(void *data)
{
	(void)data;
	return 0;
}

struct form *form_new(const char *boundary, const struct form_sink *sink)
{
	static const struct multipart_handler handler = { on_part, on_data, on_part_end };
	struct form *form = xcalloc(1, sizeof(*form));

	form->sink = *sink;
	form->parser = multipart_new(boundary, &handler, form);
	return form;
}

struct form *form_free(struct form *form)
{
	if (!form)
		return NULL;
	form->parser = multipart_free(form->parser);
	free(form);
	return NULL;
}

void form_freep(struct form **form)
{
	*form = form_free(*form);
}

int form_feed(struct form *form, const void *bytes, size_t len, struct err *err)
{
	int r = multipart_feed(form->parser, bytes, len, err);

	if (r < 0 && form->err.code < 0 && err)
		*err = form->err; /* the callback's words */
	return r;
}

int form_end(struct form *form, struct err *err)
{
	int r = multipart_end(form->parser, err);

	if (r == 0 && form->n_parts < FORM_FILES)
		r = err_kind(err, ERR_INVALID, "the form has no part \"%s\"", parts[form->n_parts]);
	return r;
}
