/* monitor/initenv.h - what init is started with: arguments, environment, sysctl paths; pure */
#pragma once

#include <stddef.h>

#include "monitor/initkind.h"
#include "spec/instance.h"

/* What is executed: "/sbin/init" unless the spec says otherwise. Borrowed. */
const char *initenv_program(const struct inst_spec *spec);

/* Both NULL-terminated, the caller's. */
void initenv_make(const struct inst_spec *spec, enum initkind kind, char ***ret_argv,
		  char ***ret_env);

/* "net.ipv4.ip_forward" to "net/ipv4/ip_forward". Errors: -EINVAL when it leads elsewhere. */
int initenv_sysctl_path(const char *key, char *out, size_t size);
