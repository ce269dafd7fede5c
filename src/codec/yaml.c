/* codec/yaml.c - see yaml.h */
#include "codec/yaml.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "base/str.h"

/* What is being filled: an array, or an object and the key whose value comes next. */
struct frame {
	json_t *container; /* borrowed: its parent holds it */
	char *key;
};

struct reader {
	yaml_parser_t parser;
	json_t *root;
	struct frame frames[YAML_DEPTH_MAX];
	size_t depth;
	size_t documents;
};

static void reader_done(struct reader *reader)
{
	yaml_parser_delete(&reader->parser);
	json_decref(reader->root);
	for (size_t i = 0; i < reader->depth; i++)
		free(reader->frames[i].key);
}

static int refuse(const yaml_mark_t *mark, struct err *err, const char *what, const char *name)
{
	return err_kind(err, ERR_INVALID, "line %zu, column %zu: %s%s%s%s", mark->line + 1,
			mark->column + 1, what, name ? " \"" : "", name ? name : "",
			name ? "\"" : "");
}

/* Put @value (taken) where the reader stands. */
static int add_value(struct reader *reader, json_t *value, const yaml_mark_t *mark, struct err *err)
{
	struct frame *top = reader->depth > 0 ? &reader->frames[reader->depth - 1] : NULL;
	int failed;

	if (!top) {
		reader->root = value;
		return 0;
	}
	if (json_is_array(top->container)) {
		failed = json_array_append_new(top->container, value);
	} else if (!top->key) {
		json_decref(value);
		return refuse(mark, err, "a key must be a plain word", NULL);
	} else {
		failed = json_object_set_new(top->container, top->key, value);
		free(TAKE_PTR(top->key));
	}
	return failed ? refuse(mark, err, "value is not valid UTF-8", NULL) : 0;
}

static int add_key(struct frame *top, const char *key, const yaml_event_t *event, struct err *err)
{
	if (streq(key, "<<") && event->data.scalar.plain_implicit)
		return refuse(&event->start_mark, err, "merge keys are not supported", NULL);
	if (json_object_get(top->container, key))
		return refuse(&event->start_mark, err, "duplicate key", key);
	top->key = xstrdup(key);
	return 0;
}

static bool is_null(const char *text, const yaml_event_t *event)
{
	return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !event->data.scalar.tag &&
	       (streq(text, "") || streq(text, "~") || streq(text, "null") || streq(text, "Null") ||
		streq(text, "NULL"));
}

/* Refuse @anchor, and any @tag but !!@allowed and the empty one. */
static int check_node(const yaml_event_t *event, const yaml_char_t *anchor, const yaml_char_t *tag,
		      const char *allowed, struct err *err)
{
	const char *short_tag = tag ? str_after((const char *)tag, "tag:yaml.org,2002:") : NULL;

	if (anchor)
		return refuse(&event->start_mark, err, "anchors are not supported", NULL);
	if (tag && !streq((const char *)tag, "!") && !streq(short_tag, allowed))
		return refuse(&event->start_mark, err, "unsupported tag", (const char *)tag);
	return 0;
}

static int on_scalar(struct reader *reader, const yaml_event_t *event, struct err *err)
{
	const char *text = (const char *)event->data.scalar.value;
	struct frame *top = reader->depth > 0 ? &reader->frames[reader->depth - 1] : NULL;
	json_t *value;
	int r;

	r = check_node(event, event->data.scalar.anchor, event->data.scalar.tag, "str", err);
	if (r < 0)
		return r;
	if (strlen(text) != event->data.scalar.length)
		return refuse(&event->start_mark, err, "NUL character", NULL);
	if (top && json_is_object(top->container) && !top->key)
		return add_key(top, text, event, err);
	value = is_null(text, event) ? json_null() : json_string(text);
	if (!value)
		return refuse(&event->start_mark, err, "value is not valid UTF-8", NULL);
	return add_value(reader, value, &event->start_mark, err);
}

static int on_begin(struct reader *reader, const yaml_event_t *event, struct err *err)
{
	bool mapping = event->type == YAML_MAPPING_START_EVENT;
	json_t *container;
	int r;

	if (mapping)
		r = check_node(event, event->data.mapping_start.anchor,
			       event->data.mapping_start.tag, "map", err);
	else
		r = check_node(event, event->data.sequence_start.anchor,
			       event->data.sequence_start.tag, "seq", err);
	if (r < 0)
		return r;
	if (reader->depth == YAML_DEPTH_MAX)
		return refuse(&event->start_mark, err, "nested too deeply", NULL);
	container = mapping ? json_object() : json_array();
	r = add_value(reader, container, &event->start_mark, err);
	if (r == 0)
		reader->frames[reader->depth++] = (struct frame){ .container = container };
	return r;
}

/* Returns: 0, or 1 at the end of the stream. */
static int on_event(struct reader *reader, const yaml_event_t *event, struct err *err)
{
	/* the enum is libyaml's: what is not listed needs nothing done */
	if (event->type == YAML_STREAM_END_EVENT)
		return 1;
	if (event->type == YAML_ALIAS_EVENT)
		return refuse(&event->start_mark, err, "aliases are not supported", NULL);
	if (event->type == YAML_DOCUMENT_START_EVENT && reader->documents++ > 0)
		return refuse(&event->start_mark, err, "more than one document", NULL);
	if (event->type == YAML_SCALAR_EVENT)
		return on_scalar(reader, event, err);
	if (event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT)
		return on_begin(reader, event, err);
	if (event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT)
		reader->depth--;
	return 0;
}

static int read_all(struct reader *reader, struct err *err)
{
	int r = 0;

	while (r == 0) {
		yaml_event_t event;

		if (!yaml_parser_parse(&reader->parser, &event))
			return refuse(&reader->parser.problem_mark, err,
				      reader->parser.problem ? reader->parser.problem
							     : "cannot be read",
				      NULL);
		r = on_event(reader, &event, err);
		yaml_event_delete(&event);
	}
	return r < 0 ? r : 0;
}

int yaml_parse(const void *text, size_t len, json_t **ret_json, struct err *err)
{
	_cleanup_(reader_done) struct reader reader = { 0 };
	int r;

	if (len > YAML_BYTES_MAX)
		return err_kind(err, ERR_INVALID, "YAML of %zu bytes, at most %d", len,
				YAML_BYTES_MAX);
	if (!yaml_parser_initialize(&reader.parser))
		abort();
	yaml_parser_set_input_string(&reader.parser, text ? text : (const void *)"", len);
	r = read_all(&reader, err);
	if (r < 0)
		return r;
	*ret_json = reader.root ? TAKE_PTR(reader.root) : json_null();
	return 0;
}

/* Plain words that some version of YAML reads as null, a boolean, a number, a time or a merge. */
static const char not_a_string[] =
	"^(~|null|y|n|yes|no|on|off|true|false|<<|=|"
	"[-+]?[0-9][0-9_]*|[-+]?0o?[0-7_]+|[-+]?0x[0-9a-f_]+|[-+]?0b[01_]+|"
	"[-+]?(\\.[0-9_]+|[0-9][0-9_]*(\\.[0-9_]*)?)(e[-+]?[0-9]+)?|[-+]?\\.inf|\\.nan|"
	"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\\.[0-9_]*)?|"
	"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*)?$";

struct writer {
	yaml_emitter_t emitter;
	regex_t not_a_string;
};

static int write_bytes(void *data, unsigned char *bytes, size_t len)
{
	buf_add(data, bytes, len);
	return 1;
}

/* Errors of the emitter are out-of-memory or a wrong order of events: neither is for the caller. */
static void emit(struct writer *writer, yaml_event_t *event, int initialised)
{
	if (!initialised || !yaml_emitter_emit(&writer->emitter, event))
		abort();
}

static void emit_scalar(struct writer *writer, const char *text, yaml_scalar_style_t style)
{
	yaml_event_t event;
	int ok = yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
					      (int)strlen(text), 1, 1, style);

	emit(writer, &event, ok);
}

static void emit_string(struct writer *writer, const char *text)
{
	yaml_scalar_style_t style = YAML_PLAIN_SCALAR_STYLE;

	if (strchr(text, '\n') && text[0] != ' ' && text[0] != '\n')
		style = YAML_LITERAL_SCALAR_STYLE;
	else if (regexec(&writer->not_a_string, text, 0, NULL, 0) == 0)
		style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	emit_scalar(writer, text, style);
}

static void emit_number(struct writer *writer, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY);

	if (!text)
		abort();
	emit_scalar(writer, text, YAML_PLAIN_SCALAR_STYLE);
	free(text);
}

static void emit_value(struct writer *writer, const json_t *value);

static void emit_object(struct writer *writer, const json_t *object)
{
	yaml_mapping_style_t style =
		json_object_size(object) == 0 ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE;
	yaml_event_t event;
	const char *key;
	json_t *member;

	emit(writer, &event, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, style));
	json_object_foreach((json_t *)object, key, member)
	{
		emit_string(writer, key);
		emit_value(writer, member);
	}
	emit(writer, &event, yaml_mapping_end_event_initialize(&event));
}

static void emit_array(struct writer *writer, const json_t *array)
{
	yaml_sequence_style_t style =
		json_array_size(array) == 0 ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
	yaml_event_t event;
	json_t *item;
	size_t i;

	emit(writer, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style));
	json_array_foreach(array, i, item) emit_value(writer, item);
	emit(writer, &event, yaml_sequence_end_event_initialize(&event));
}

static void emit_value(struct writer *writer, const json_t *value)
{
	if (json_is_object(value))
		emit_object(writer, value);
	else if (json_is_array(value))
		emit_array(writer, value);
	else if (json_is_string(value))
		emit_string(writer, json_string_value(value));
	else if (json_is_number(value))
		emit_number(writer, value);
	else if (json_is_boolean(value))
		emit_scalar(writer, json_is_true(value) ? "true" : "false",
			    YAML_PLAIN_SCALAR_STYLE);
	else
		emit_scalar(writer, "null", YAML_PLAIN_SCALAR_STYLE);
}

void yaml_emit(const json_t *value, struct buf *out)
{
	struct writer writer;
	yaml_event_t event;
	int ok;

	if (!yaml_emitter_initialize(&writer.emitter) ||
	    regcomp(&writer.not_a_string, not_a_string, REG_EXTENDED | REG_ICASE | REG_NOSUB))
		abort();
	yaml_emitter_set_output(&writer.emitter, write_bytes, out);
	yaml_emitter_set_unicode(&writer.emitter, 1);
	yaml_emitter_set_width(&writer.emitter, -1);
	ok = yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
	emit(&writer, &event, ok);
	ok = yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
	emit(&writer, &event, ok);
	emit_value(&writer, value);
	ok = yaml_document_end_event_initialize(&event, 1);
	emit(&writer, &event, ok);
	emit(&writer, &event, yaml_stream_end_event_initialize(&event));
	yaml_emitter_delete(&writer.emitter);
	regfree(&writer.not_a_string);
}
