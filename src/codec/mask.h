/*
 * codec/mask.h - which members of a JSON document somebody wants
 *
 * Any process; never blocks. The text is a list of paths: "name,config/user.note,state/pid". A star
 * as a name stands for any name, and for the elements of an array; what a path ends at comes whole.
 */
#pragma once

#include "base/err.h"

struct mask;

/* Errors: ERR_INVALID for empty names, too many paths or too deep ones. */
int mask_parse(const char *text, struct mask **ret_mask, struct err *err);
struct mask *mask_free(struct mask *mask);
void mask_freep(struct mask **mask);

/* The mask of the member @name of what @mask is of; NULL when it is not wanted. */
const struct mask *mask_child(const struct mask *mask, const char *name);
