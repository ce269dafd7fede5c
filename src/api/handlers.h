/* api/handlers.h - every handler of the route table; one file per resource (api) */
#pragma once

#include "api/request.h"

/* server.c */
api_handler_fn root_get, server_get, server_put, server_patch, ready_get, shutdown_put,
	resources_get;
api_handler_fn metadata_get, cluster_get, projects_list, project_get, certificates_list;

/* operations.c */
api_handler_fn operations_list, operation_get, operation_delete, operation_wait;
api_handler_fn operation_websocket, events_get;

/* backups.c */
api_handler_fn backups_list, backups_post, backup_get, backup_post, backup_remove, backup_export;

/* instances.c */
api_handler_fn instances_list, instances_post, instance_get, instance_put, instance_patch;
api_handler_fn instance_delete, instances_put_state;

/* instance_export.c */
api_handler_fn instance_export;

/* instance_move.c */
api_handler_fn instance_post, rebuild_post;
/* preview.c */
api_handler_fn instance_origins_get;

/* instance_state.c */
api_handler_fn state_get, state_put, exec_post, console_post, console_get, console_delete;
api_handler_fn logs_list, log_get, log_delete, exec_output_list;

/* snapshots.c */
api_handler_fn snapshots_list, snapshots_post, snapshot_get, snapshot_put, snapshot_patch;
api_handler_fn snapshot_post, snapshot_remove, snapshot_plan_get, snapshot_diff_get;

/* files.c, files_stream.c */
api_handler_fn files_get, files_head, files_post, files_delete, sftp_get;

/* images.c */
api_handler_fn images_list, images_post, image_get, image_put, image_patch, image_remove;
api_handler_fn image_export, image_refresh_post, aliases_list, aliases_post, alias_get, alias_put,
	alias_patch;
api_handler_fn alias_post, alias_delete;

/* remote_images.c */
api_handler_fn remote_images_list;

/* profiles.c */
api_handler_fn profiles_list, profiles_post, profile_get, profile_put, profile_patch;
api_handler_fn profile_post, profile_remove;

/* networks.c */
api_handler_fn networks_list, networks_post, network_get, network_put, network_patch;
api_handler_fn network_post, network_remove, network_state_get, network_leases_get;

/* pools.c */
api_handler_fn pools_list, pools_post, pool_get, pool_put, pool_patch, pool_delete_req;
api_handler_fn pool_recover_post, pool_resources_get;
api_handler_fn lost_pools_list, lost_pools_post;

/* volumes.c, volume_export.c, volume_snapshots.c */
api_handler_fn volumes_list, volumes_list_type, volumes_post, volumes_post_type, volume_get;
api_handler_fn volume_put, volume_patch, volume_post, volume_delete_req, volume_state_get;
api_handler_fn volume_export_get, volume_snaps_list, volume_snaps_post, volume_snap_get;
api_handler_fn volume_snap_put, volume_snap_patch, volume_snap_post, volume_snap_remove;

/* warnings.c */
api_handler_fn warnings_list, warning_get, warning_put, warning_remove;
