/* spec/snapshot_keys.c - see snapshot_keys.h */
#include "spec/snapshot_keys.h"

#include <stdint.h>

#include "spec/retention.h"
#include "spec/snapshot.h"

int key_check_span(const char *key, const char *value, struct err *err)
{
	int64_t wall_ns;

	(void)key;
	return snapshot_expiry(value, 0, &wall_ns, err);
}

int key_check_keep(const char *key, const char *value, struct err *err)
{
	struct retention retention;

	(void)key;
	return retention_parse(value, &retention, err);
}

int key_check_pattern(const char *key, const char *value, struct err *err)
{
	(void)key;
	return snapshot_pattern_check(value, err);
}
