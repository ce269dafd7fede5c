/*
 * os/modprobe.h - load modules of the host's kernel
 *
 * Layer: os. Monitor, before there is a container. Blocks until modprobe is done.
 */
#pragma once

#include "base/err.h"

/* @name: letters, digits, "_" and "-". Fine when it is there already. Reporting. */
int modprobe_load(const char *name, struct err *err);
