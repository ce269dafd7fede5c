/* spec/journal.c - see journal.h */
#include "spec/journal.h"

#include <stdlib.h>

#include "base/mem.h"

struct journal_record *journal_record_new(const char *id)
{
	struct journal_record *record = xcalloc(1, sizeof(*record));

	record->id = xstrdup(id);
	return record;
}

void journal_record_free(struct journal_record *record)
{
	if (!record)
		return;
	free(record->id);
	free(record->kind);
	free(record->object);
	free(record->step);
	strmap_done(&record->data);
	free(record);
}

void journal_record_freep(struct journal_record **record)
{
	journal_record_free(*record);
	*record = NULL;
}
