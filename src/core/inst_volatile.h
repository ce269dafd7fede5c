/*
 * core/inst_volatile.h - volatile.* keys that are told and not stored
 *
 * Layer: core. Users and clients of LXD and Incus look at them; what they say is known anyway. What a
 * client sends back of them is dropped.
 */
#pragma once

#include "base/strmap.h"

struct inst;

/*
 * Add to @config: last_state.power and last_state.ready, idmap.base and idmap.current (their JSON), and
 * NIC.host_name of nics that are plugged in.
 */
void inst_tell_volatile(const struct inst *inst, struct strmap *config);

void inst_drop_told(struct strmap *config);
