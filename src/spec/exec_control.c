/* spec/exec_control.c - see exec_control.h */
#include "spec/exec_control.h"

#include <errno.h>
#include <jansson.h>

#include "base/parse.h"
#include "base/str.h"
#include "codec/json.h"

enum {
	CONTROL_BYTES_MAX = 4096,
	SIZE_MAX_CELLS = 65535,
	SIGNAL_MAX = 64
};

/* A number that comes as text. */
static int read_size(const json_t *args, const char *key, uint32_t *ret_value)
{
	uint64_t value;
	const char *text = json_str(args, key, "");

	if (parse_u64(text, SIZE_MAX_CELLS, &value) < 0)
		return -EINVAL;
	*ret_value = (uint32_t)value;
	return 0;
}

static int read_message(const json_t *message, struct exec_control *ret_control)
{
	const char *command = json_str(message, "command", "");
	const json_t *args = json_object_get(message, "args");
	int64_t number;

	if (streq(command, "window-resize")) {
		ret_control->kind = EXEC_CONTROL_RESIZE;
		if (read_size(args, "width", &ret_control->width) < 0)
			return -EINVAL;
		return read_size(args, "height", &ret_control->height);
	}
	number = json_i64(message, "signal", 0);
	if (!streq(command, "signal") || number < 1 || number > SIGNAL_MAX)
		return -EINVAL;
	ret_control->kind = EXEC_CONTROL_SIGNAL;
	ret_control->signal = (int)number;
	return 0;
}

int exec_control_parse(const char *text, size_t len, struct exec_control *ret_control)
{
	struct exec_control control = { 0 };
	json_t *message = NULL;
	int r;

	if (len > CONTROL_BYTES_MAX || json_parse(text, len, &message, NULL) < 0)
		return -EINVAL;
	r = read_message(message, &control);
	json_decref(message);
	if (r == 0)
		*ret_control = control;
	return r;
}
