/* core/privileged.h - the warning about instances whose root is the host's (core) */
#pragma once

struct core;
struct inst;

/* Raise it (each time counts), or resolve it when @inst is not, or no longer, privileged. */
void privileged_warn(struct inst *inst);

/* There is no instance of that name any more. */
void privileged_forget(struct core *core, const char *name);
