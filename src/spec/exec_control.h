/*
 * spec/exec_control.h - messages on the "control" WebSocket of exec and console (spec, pure)
 *
 * JSON: {"command":"window-resize","args":{"width":"80","height":"24"}}, {"command":"signal",
 * "signal":15}.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum exec_control_kind {
	EXEC_CONTROL_RESIZE,
	EXEC_CONTROL_SIGNAL,
	EXEC_CONTROL_KIND_MAX
};

struct exec_control {
	enum exec_control_kind kind;
	uint32_t width, height;
	int signal; /* 1..64 */
};

/* Errors: -EINVAL for everything else. */
int exec_control_parse(const char *text, size_t len, struct exec_control *ret_control);
