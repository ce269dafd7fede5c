/*
 * spec/expand.h - expanded configuration: layers of profiles and the instance's own, last one wins
 *
 *   X1  A device of a later layer replaces the earlier one, as elsewhere, when it has a type; without
 *       one it overrides it key by key (docs/adr/0010).
 *   X2  An empty value takes the inherited key away; "type: none" takes the device away.
 *   X3  nic: "network" takes away an inherited "nictype" and "parent", and these take it away.
 */
#pragma once

#include <stddef.h>

#include "base/strmap.h"
#include "spec/instance.h"
#include "spec/profile.h"

#define EXPAND_ORIGIN_LOCAL "instance"

struct expand_layer {
	const char *origin; /* profile's name, or EXPAND_ORIGIN_LOCAL */
	const struct strmap *config;
	const struct strmap *devices;
};

struct expanded {
	struct strmap config;
	struct strmap devices;
};

/*
 * Fill *@ret_expanded from layers in order.
 *
 * @ret_origins: NULL, or gets the origin of each key as its value. Free both with expanded_done().
 */
void expand_layers(const struct expand_layer *layers, size_t n_layers,
		   struct expanded *ret_expanded, struct expanded *ret_origins);

/* The same for an instance. @profiles: of record->profiles in order, missing ones NULL. */
void expand_instance(const struct inst_record *record, const struct profile_record *const *profiles,
		     size_t n_profiles, struct expanded *ret_expanded,
		     struct expanded *ret_origins);
void expanded_done(struct expanded *expanded);
