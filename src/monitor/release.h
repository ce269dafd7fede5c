/*
 * monitor/release.h - the way down, in two tables: until nothing runs, then until nothing is left
 *
 *   stop-watching → kill-rest → await-empty          │ STOPPED is announced
 *   unmount → await-nics → remove-cgroups → leave-cgroup → remove-files   │ RELEASED
 *
 * A step that fails is logged and the next one runs: what cannot be removed is for sysctrd's scan.
 */
#pragma once

#include "monitor/mon.h"

/* Close the root mount; the next life makes it anew. */
void release_root(struct mon *mon);

void release_life(struct mon *mon);

/* May block for long: an overlay's unmount writes back the file system below it. */
void release_all(struct mon *mon);
