/* spec/warning.c - see warning.h */
#include "spec/warning.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"

static const char *const status_names[] = {
	[WARNING_NEW] = "new",
	[WARNING_ACKNOWLEDGED] = "acknowledged",
	[WARNING_RESOLVED] = "resolved",
};
static_assert(ARRAY_LEN(status_names) == WARNING_STATUS_MAX, "one name per status");

static const char *const severity_names[] = {
	[WARNING_LOW] = "low",
	[WARNING_MODERATE] = "moderate",
	[WARNING_HIGH] = "high",
};
static_assert(ARRAY_LEN(severity_names) == WARNING_SEVERITY_MAX, "one name per severity");

void warning_record_free(struct warning_record *record)
{
	if (!record)
		return;
	free(record->uuid);
	free(record->type);
	free(record->entity);
	free(record->last_message);
	free(record);
}

void warning_record_freep(struct warning_record **record)
{
	warning_record_free(*record);
	*record = NULL;
}

const char *warning_status_name(enum warning_status status)
{
	return status < WARNING_STATUS_MAX ? status_names[status] : NULL;
}

int warning_status_parse(const char *name, enum warning_status *ret_status)
{
	for (size_t i = 0; i < ARRAY_LEN(status_names); i++) {
		if (!streq(status_names[i], name))
			continue;
		*ret_status = (enum warning_status)i;
		return 0;
	}
	return -EINVAL;
}

const char *warning_severity_name(enum warning_severity severity)
{
	return severity < WARNING_SEVERITY_MAX ? severity_names[severity] : NULL;
}
