/* api/instance_import.h - POST /1.0/instances whose body is a backup (api) */
#pragma once

#include "api/request.h"

/* By its Content-Type, as LXD and Incus tell. */
bool is_backup(const struct api_req *req);
void import_backup(struct api_req *req);
