/* spec/profile.c - see profile.h */
#include "spec/profile.h"

#include <stdlib.h>

#include "base/mem.h"
#include "spec/device.h"
#include "spec/keys.h"
#include "spec/names.h"

struct profile_record *profile_record_new(const char *name)
{
	struct profile_record *record = xcalloc(1, sizeof(*record));

	record->name = xstrdup(name);
	devices_init(&record->devices);
	return record;
}

struct profile_record *profile_record_copy(const struct profile_record *src)
{
	struct profile_record *copy = profile_record_new(src->name);

	copy->id = src->id;
	copy->description = xstrdup(src->description);
	strmap_merge(&copy->config, &src->config);
	devices_copy(&copy->devices, &src->devices);
	return copy;
}

void profile_record_free(struct profile_record *record)
{
	if (!record)
		return;
	free(record->name);
	free(record->description);
	strmap_done(&record->config);
	strmap_done(&record->devices);
	free(record);
}

void profile_record_freep(struct profile_record **record)
{
	profile_record_free(*record);
	*record = NULL;
}

static int validate_content(const struct profile_record *record, struct err *err)
{
	int r = keys_validate(&record->config, err);

	if (r < 0)
		return r;
	strmap_for_each(entry, &record->devices)
	{
		r = device_validate_partial(entry->key, entry->value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int profile_record_validate(const struct profile_record *record, struct err *err)
{
	int r = name_validate(NAME_PROFILE, record->name, err);

	if (r < 0)
		return r;
	r = validate_content(record, err);
	if (r < 0)
		(void)err_wrap(err, "profile \"%s\"", record->name);
	return r;
}
