/*
 * monitor/setup.h - the phases of the monitor's side of start, each in the file of its subject
 *
 * Layer: monitor. Each takes the struct mon as its data; names in start.c.
 */
#pragma once

#include "base/err.h"
#include "monitor/mon.h"

/* setup_name.c: before the first life */
int setup_take_name(void *mon, struct err *err);
int setup_open_log(void *mon, struct err *err);
int setup_reset(void *mon, struct err *err);
int setup_sessions(void *mon, struct err *err);

/* Not phases: what sessions get from @spec from now on. */
int setup_environment(struct mon *mon, const struct inst_spec *spec, struct err *err);
int setup_filter(struct mon *mon, const struct inst_spec *spec, struct err *err);

/* setup_cgroup.c */
int setup_make_cgroup(void *mon, struct err *err);
int setup_set_limits(void *mon, struct err *err);

/* Not a phase: write new limits on the running container. */
int setup_apply_limits(struct mon *mon, const struct limits *limits, struct err *err);

/* Not a phase: let be opened what the devices that are plugged in say. */
int setup_apply_device_rules(struct mon *mon, struct err *err);

/* setup_clone.c */
int setup_modules(void *mon, struct err *err);
int setup_process_limits(void *mon, struct err *err);
int setup_clone(void *mon, struct err *err);
int setup_map_ids(void *mon, struct err *err);
int setup_await_root(void *mon, struct err *err);
int setup_attach_devices(void *mon, struct err *err);
int setup_release(void *mon, struct err *err);
int setup_await_exec(void *mon, struct err *err);
int setup_announce(void *mon, struct err *err);

/* setup_root.c */
int setup_make_root(void *mon, struct err *err);

/* setup_nesting.c */
int setup_bind_nested(void *mon, struct err *err);

/* setup_net.c */
int setup_attach_nics(void *mon, struct err *err);
