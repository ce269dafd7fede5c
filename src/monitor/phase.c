/* monitor/phase.c - see phase.h */
#include "monitor/phase.h"

#include "base/time.h"

int phase_run_all(const struct phase *phases, const struct phase_run *run, void *data,
		  struct err *err)
{
	for (const struct phase *phase = phases; phase->name; phase++) {
		struct log_keys keys = { .inst = run->inst, .step = phase->name };
		uint64_t start_ns = time_mono_ns();
		int r;

		title_set(run->title, run->program, run->inst, phase->name);
		r = phase->run(data, err);
		if (r < 0 && phase->names_itself)
			return r;
		if (r < 0)
			return err_wrap(err, "%s", phase->name);
		log_trace(keys, "phase done us=%llu",
			  (unsigned long long)(time_mono_ns() - start_ns) / 1000);
	}
	title_set(run->title, run->program, run->inst, NULL);
	return 0;
}
