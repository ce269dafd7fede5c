/*
 * spec/portable.h - backups that others take, with everything an instance has here (pure)
 *
 * LXD 5.0.2 and Incus 6.0.4 refuse a whole backup for one key that they do not know. Such keys
 * (KEY_UNPORTABLE) travel as user.sysctr.KEY, which everybody keeps, and are themselves again here.
 */
#pragma once

#include <jansson.h>

/* Rename them in every object "config" of a backup's index; what is true on this host alone goes. */
void portable_encode(json_t *index);

/* What @key of a backup is here: borrowed, @key itself or its end. */
const char *portable_decode(const char *key);
