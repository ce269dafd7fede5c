/* api/routes.c - the table of routes.h */
#include "api/routes.h"

#include "api/handlers.h"
#include "base/macro.h"

#define INST "/1.0/instances/{name}"

const struct route routes[] = {
	{ "GET", "/", BODY_IGNORED, root_get },
	{ "GET", "/1.0", BODY_IGNORED, server_get },
	{ "PUT", "/1.0", BODY_JSON, server_put },
	{ "PATCH", "/1.0", BODY_JSON, server_put },
	{ "GET", "/1.0/events", BODY_OWN, events_get },
	{ "GET", "/1.0/resources", BODY_IGNORED, resources_get },
	{ "GET", "/1.0/metadata/configuration", BODY_IGNORED, metadata_get },
	{ "GET", "/1.0/cluster", BODY_IGNORED, cluster_get },
	{ "GET", "/1.0/certificates", BODY_IGNORED, certificates_list },
	{ "GET", "/1.0/projects", BODY_IGNORED, projects_list },
	{ "GET", "/1.0/projects/{name}", BODY_IGNORED, project_get },
	{ "GET", "/internal/ready", BODY_IGNORED, ready_get },
	{ "PUT", "/internal/shutdown", BODY_IGNORED, shutdown_put },

	{ "GET", "/1.0/operations", BODY_IGNORED, operations_list },
	{ "GET", "/1.0/operations/{id}", BODY_IGNORED, operation_get },
	{ "DELETE", "/1.0/operations/{id}", BODY_IGNORED, operation_delete },
	{ "GET", "/1.0/operations/{id}/wait", BODY_IGNORED, operation_wait },
	{ "GET", "/1.0/operations/{id}/websocket", BODY_OWN, operation_websocket },

	{ "GET", "/1.0/instances", BODY_IGNORED, instances_list },
	{ "POST", "/1.0/instances", BODY_JSON, instances_post },
	{ "PUT", "/1.0/instances", BODY_JSON, instances_put_state },
	{ "GET", INST, BODY_IGNORED, instance_get },
	{ "POST", INST, BODY_JSON, instance_post },
	{ "PUT", INST, BODY_JSON, instance_put },
	{ "PATCH", INST, BODY_JSON, instance_patch },
	{ "DELETE", INST, BODY_IGNORED, instance_delete },
	{ "GET", INST "/state", BODY_IGNORED, state_get },
	{ "PUT", INST "/state", BODY_JSON, state_put },
	{ "POST", INST "/exec", BODY_JSON, exec_post },
	{ "POST", INST "/console", BODY_JSON, console_post },
	{ "GET", INST "/console", BODY_IGNORED, console_get },
	{ "DELETE", INST "/console", BODY_IGNORED, console_delete },
	{ "GET", INST "/logs", BODY_IGNORED, logs_list },
	{ "GET", INST "/logs/exec-output", BODY_IGNORED, exec_output_list },
	{ "GET", INST "/logs/exec-output/{file}", BODY_IGNORED, log_get },
	{ "DELETE", INST "/logs/exec-output/{file}", BODY_IGNORED, log_delete },
	{ "GET", INST "/logs/{file}", BODY_IGNORED, log_get },
	{ "DELETE", INST "/logs/{file}", BODY_IGNORED, log_delete },

	{ "GET", INST "/snapshots", BODY_IGNORED, snapshots_list },
	{ "POST", INST "/snapshots", BODY_JSON, snapshots_post },
	{ "GET", INST "/snapshots/{snapshot}", BODY_IGNORED, snapshot_get },
	{ "PUT", INST "/snapshots/{snapshot}", BODY_JSON, snapshot_put },
	{ "PATCH", INST "/snapshots/{snapshot}", BODY_JSON, snapshot_patch },
	{ "POST", INST "/snapshots/{snapshot}", BODY_JSON, snapshot_post },
	{ "DELETE", INST "/snapshots/{snapshot}", BODY_IGNORED, snapshot_remove },

	{ "GET", "/1.0/snapshot-plan", BODY_IGNORED, snapshot_plan_get },

	{ "GET", "/1.0/images", BODY_IGNORED, images_list },
	{ "POST", "/1.0/images", BODY_OWN, images_post },
	{ "GET", "/1.0/images/aliases", BODY_IGNORED, aliases_list },
	{ "POST", "/1.0/images/aliases", BODY_JSON, aliases_post },
	{ "GET", "/1.0/images/aliases/{name...}", BODY_IGNORED, alias_get },
	{ "PUT", "/1.0/images/aliases/{name...}", BODY_JSON, alias_put },
	{ "PATCH", "/1.0/images/aliases/{name...}", BODY_JSON, alias_patch },
	{ "POST", "/1.0/images/aliases/{name...}", BODY_JSON, alias_post },
	{ "DELETE", "/1.0/images/aliases/{name...}", BODY_IGNORED, alias_delete },
	{ "GET", "/1.0/images/{fingerprint}", BODY_IGNORED, image_get },
	{ "PUT", "/1.0/images/{fingerprint}", BODY_JSON, image_put },
	{ "PATCH", "/1.0/images/{fingerprint}", BODY_JSON, image_patch },
	{ "DELETE", "/1.0/images/{fingerprint}", BODY_IGNORED, image_remove },
	{ "GET", "/1.0/images/{fingerprint}/export", BODY_IGNORED, image_export },

	{ "GET", "/1.0/profiles", BODY_IGNORED, profiles_list },
	{ "POST", "/1.0/profiles", BODY_JSON, profiles_post },
	{ "GET", "/1.0/profiles/{name}", BODY_IGNORED, profile_get },
	{ "PUT", "/1.0/profiles/{name}", BODY_JSON, profile_put },
	{ "PATCH", "/1.0/profiles/{name}", BODY_JSON, profile_patch },
	{ "POST", "/1.0/profiles/{name}", BODY_JSON, profile_post },
	{ "DELETE", "/1.0/profiles/{name}", BODY_IGNORED, profile_remove },

	{ "GET", "/1.0/networks", BODY_IGNORED, networks_list },
	{ "POST", "/1.0/networks", BODY_JSON, networks_post },
	{ "GET", "/1.0/networks/{name}", BODY_IGNORED, network_get },
	{ "PUT", "/1.0/networks/{name}", BODY_JSON, network_put },
	{ "PATCH", "/1.0/networks/{name}", BODY_JSON, network_patch },
	{ "POST", "/1.0/networks/{name}", BODY_JSON, network_post },
	{ "DELETE", "/1.0/networks/{name}", BODY_IGNORED, network_remove },
	{ "GET", "/1.0/networks/{name}/state", BODY_IGNORED, network_state_get },
	{ "GET", "/1.0/networks/{name}/leases", BODY_IGNORED, network_leases_get },

	{ "GET", "/1.0/storage-pools", BODY_IGNORED, pools_list },
	{ "GET", "/1.0/storage-pools/{pool}", BODY_IGNORED, pool_get },
	{ "GET", "/1.0/storage-pools/{pool}/resources", BODY_IGNORED, pool_resources_get },
	{ "GET", "/1.0/storage-pools/{pool}/volumes", BODY_IGNORED, volumes_list },

	{ "GET", "/1.0/warnings", BODY_IGNORED, warnings_list },
	{ "GET", "/1.0/warnings/{uuid}", BODY_IGNORED, warning_get },
	{ "PUT", "/1.0/warnings/{uuid}", BODY_JSON, warning_put },
	{ "DELETE", "/1.0/warnings/{uuid}", BODY_IGNORED, warning_remove },
};
const size_t n_routes = ARRAY_LEN(routes);
