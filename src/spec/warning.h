/* spec/warning.h - something that an administrator should know (spec, pure) */
#pragma once

#include <stdint.h>

enum warning_status {
	WARNING_NEW,
	WARNING_ACKNOWLEDGED,
	WARNING_RESOLVED,
	WARNING_STATUS_MAX
};

enum warning_severity {
	WARNING_LOW,
	WARNING_MODERATE,
	WARNING_HIGH,
	WARNING_SEVERITY_MAX
};

/* Strings are owned; free with warning_record_free(). */
struct warning_record {
	char *uuid;
	char *type;   /* "Unable to start container" */
	char *entity; /* URL of the object, "" for the server; unique with type */
	enum warning_status status;
	enum warning_severity severity;
	uint64_t count;
	char *last_message;
	int64_t first_seen_wall_ns;
	int64_t last_seen_wall_ns;
};

void warning_record_free(struct warning_record *record);
void warning_record_freep(struct warning_record **record);
const char *warning_status_name(enum warning_status status);
int warning_status_parse(const char *name, enum warning_status *ret_status);
const char *warning_severity_name(enum warning_severity severity);
