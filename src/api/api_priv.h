/* api/api_priv.h - what the files of this layer share of struct api (api) */
#pragma once

struct core;

struct api {
	struct core *core;
	void (*shutdown)(void *data);
	void *shutdown_data;
};
