/*
 * os/tree_remove.h - remove a directory tree that somebody hostile has made
 *
 * Layer: os. Worker processes; blocks for as long as it takes. Plain.
 *
 *   V1  Names are resolved one component at a time below the directory given; links are removed,
 *       never followed; another mount inside is an error (-EXDEV), not removed.
 *   V2  Stack and descriptors are bounded: what is too deep is moved up to the top first.
 */
#pragma once

#include <stdbool.h>

/* Asked now and then: true ends the call with -ECANCELED. NULL: never. */
typedef bool tree_cancel_fn(void *data);

/*
 * Remove @name, one component in @dir_fd, whatever it is, with all that is below.
 *
 * Returns: 0 also when there is none. Errors: -EINVAL for a path; the first one met, after everything that could be
 * removed was.
 */
int tree_remove(int dir_fd, const char *name, tree_cancel_fn *cancel, void *data);
