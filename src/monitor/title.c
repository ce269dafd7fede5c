/* monitor/title.c - see title.h */
#include "monitor/title.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void title_init(struct title *title, int argc, char **argv)
{
	char *end = argv[0];

	for (int i = 0; i < argc; i++)
		if (argv[i] == end)
			end += strlen(argv[i]) + 1;
	for (char **entry = environ; entry && *entry; entry++)
		if (*entry == end)
			end += strlen(*entry) + 1;
	(void)clearenv();
	title->start = argv[0];
	title->size = (size_t)(end - argv[0]);
}

void title_set(const struct title *title, const char *program, const char *name, const char *phase)
{
	if (title->size == 0)
		return;
	memset(title->start, 0, title->size);
	(void)snprintf(title->start, title->size, "%s [%s]%s%s", program, name, phase ? " " : "",
		       phase ? phase : "");
}
