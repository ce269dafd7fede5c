/* spec/backup_record.c - see backup_record.h */
#include "spec/backup_record.h"

#include <stdlib.h>

#include "base/mem.h"

struct backup_record *backup_record_new(const char *name)
{
	struct backup_record *record = xcalloc(1, sizeof(*record));

	record->name = xstrdup(name);
	return record;
}

struct backup_record *backup_record_copy(const struct backup_record *record)
{
	struct backup_record *copy = xmemdup(record, sizeof(*record));

	copy->name = xstrdup(record->name);
	copy->compression = xstrdup(record->compression);
	return copy;
}

void backup_record_free(struct backup_record *record)
{
	if (!record)
		return;
	free(record->name);
	free(record->compression);
	free(record);
}

void backup_record_freep(struct backup_record **record)
{
	backup_record_free(*record);
	*record = NULL;
}
