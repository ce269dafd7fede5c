/* core/privileged.c - see privileged.h */
#include "core/privileged.h"

#include "base/mem.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/warning.h"
#include "spec/keys.h"

#define TYPE "Privileged container"

void privileged_warn(struct inst *inst)
{
	_cleanup_(freep) char *entity = xasprintf("instances/%s", inst->record->name);
	bool privileged = keys_get_bool(&inst->expanded.config, "security.privileged", false);

	core_warn(inst->core, TYPE, entity,
		  privileged ? "root inside is root on the host: who is root in it can take over "
			       "the host"
			     : NULL);
}

void privileged_forget(struct core *core, const char *name)
{
	_cleanup_(freep) char *entity = xasprintf("instances/%s", name);

	core_warn(core, TYPE, entity, NULL);
}
