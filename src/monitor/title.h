/* monitor/title.h - the process title shows container and phase: "sysctr-monitor [web1] make-root" */
#pragma once

#include <stddef.h>

/* Where the kernel looks for the command line. */
struct title {
	char *start;
	size_t size;
};

/* Call first in main: takes the memory of @argv and of the environment, which is emptied. */
void title_init(struct title *title, int argc, char **argv);

/* @program: "sysctr-monitor"; @phase: NULL for none. Cut off at what there is room for. */
void title_set(const struct title *title, const char *program, const char *name, const char *phase);
