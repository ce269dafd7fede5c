/* core/warning.h - warnings: raised and resolved by the daemon, acknowledged by people (core) */
#pragma once

#include "base/err.h"
#include "spec/warning.h"

struct core;

/* Raise (or, with @message NULL, resolve) the warning @type about @entity ("networks/sysctrbr0"). */
void core_warn(struct core *core, const char *type, const char *entity, const char *message);

/* What it says while it stands; NULL when nobody complains. Borrowed. */
const char *core_warning_text(const struct core *core, const char *type, const char *entity);

/* Errors: ERR_NOT_FOUND. */
int warning_find(struct core *core, const char *uuid, struct warning_record **ret_warning,
		 struct err *err);
int warning_set_status(struct core *core, const char *uuid, enum warning_status status,
		       struct err *err);
int warning_delete(struct core *core, const char *uuid, struct err *err);
