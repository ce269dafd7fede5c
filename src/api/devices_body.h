/* api/devices_body.h - the member "devices" of a request body (api) */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "base/strmap.h"

/* Add every device of @body to *@devices; its values must be strings. */
int read_devices(const json_t *body, struct strmap *devices, struct err *err);
