/* api/files.h - what files.c (single files) and files_stream.c (whole trees, SFTP) share (api) */
#pragma once

#include "api/request.h"
#include "spec/files.h"

struct inst;

/* The instance of the path. */
int files_find(struct api_req *req, struct inst **ret_inst);

/* A request for the path of the query, owner and mode unset. Errors: ERR_INVALID without a path. */
int files_read_request(struct api_req *req, enum files_op op, struct files_request *ret_request);

/* GET with "Upgrade: sysctr-fds": a tree stream over the client's descriptors. */
void files_tree(struct api_req *req);
