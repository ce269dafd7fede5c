/* api/devices_body.c - see devices_body.h */
#include "api/devices_body.h"

#include "codec/json.h"
#include "spec/device.h"

int read_devices(const json_t *body, struct strmap *devices, struct err *err)
{
	json_t *object = json_get_object(body, "devices"), *value;
	const char *name;

	json_object_foreach(object, name, value)
	{
		/* A device that comes whole replaces what a PATCH found under its name. */
		strmap_done(devices_add(devices, name));
		if (json_to_strmap(value, name, devices_add(devices, name), err) < 0)
			return err_wrap(err, "devices");
	}
	return 0;
}
