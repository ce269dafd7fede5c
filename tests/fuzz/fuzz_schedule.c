/* fuzz_schedule.c - values of snapshots.*: schedules, retention, patterns, spans */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "spec/names.h"
#include "spec/retention.h"
#include "spec/schedule.h"
#include "spec/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = xstrndup((const char *)data, size);
	const int64_t now_s = 1795610677;
	const struct tm local = { .tm_year = 126, .tm_mday = 1 };
	struct retention retention;
	struct schedule schedule;
	int64_t ns;

	if (schedule_parse(text, &schedule, NULL) == 0) {
		int64_t next = schedule_next(&schedule, now_s);

		assert(next == 0 || (next > now_s && next % 60 == 0));
	}
	if (retention_parse(text, &retention, NULL) == 0) {
		int64_t times_s[] = { now_s, now_s - 3600, now_s - 86400 };
		bool keep[3];

		retention_choose(&retention, times_s, 3, keep);
		assert(keep[0]); /* whatever is kept, the newest is */
	}
	if (snapshot_pattern_check(text, NULL) == 0) {
		_cleanup_(freep) char *name = snapshot_make_name(text, &local, 0, NULL, NULL);

		assert(name_validate(NAME_SNAPSHOT, name, NULL) == 0);
	}
	(void)snapshot_expiry(text, now_s * 1000000000, &ns, NULL);
	return 0;
}
