/* cli/commands.h - every command's row, for the one table (cli, sysctr) */
#pragma once

#include "cli/command.h"

extern const struct cli_command cmd_launch, cmd_create, cmd_start, cmd_stop, cmd_restart, cmd_pause,
	cmd_resume, cmd_delete, cmd_rename, cmd_rebuild, cmd_export, cmd_import, cmd_publish,
	cmd_copy, cmd_move, cmd_list, cmd_info, cmd_wait, cmd_exec, cmd_shell, cmd_console,
	cmd_file_push, cmd_file_pull, cmd_file_edit, cmd_file_create, cmd_file_delete,
	cmd_file_mount, cmd_monitor, cmd_config_show, cmd_config_get, cmd_config_set,
	cmd_config_unset, cmd_config_edit, cmd_profile_list, cmd_profile_show, cmd_profile_create,
	cmd_profile_edit, cmd_profile_get, cmd_profile_set, cmd_profile_unset, cmd_profile_copy,
	cmd_profile_rename, cmd_profile_delete, cmd_profile_assign, cmd_profile_add,
	cmd_profile_remove, cmd_network_list, cmd_network_show, cmd_network_info,
	cmd_network_leases, cmd_network_create, cmd_network_edit, cmd_network_get, cmd_network_set,
	cmd_network_unset, cmd_network_delete, cmd_storage_list, cmd_storage_show, cmd_storage_info,
	cmd_storage_create, cmd_storage_get, cmd_storage_set, cmd_storage_unset, cmd_storage_edit,
	cmd_storage_delete, cmd_image_list, cmd_image_show, cmd_image_info, cmd_image_import,
	cmd_image_build, cmd_image_export, cmd_image_delete, cmd_image_alias_list,
	cmd_image_alias_create, cmd_image_alias_delete, cmd_snapshot_create, cmd_snapshot_list,
	cmd_snapshot_show, cmd_snapshot_restore, cmd_snapshot_rename, cmd_snapshot_delete,
	cmd_snapshot_edit, cmd_snapshot_plan, cmd_snapshot_diff, cmd_operation_list,
	cmd_operation_show, cmd_operation_delete, cmd_warning_list, cmd_query, cmd_version,
	cmd_admin_waitready, cmd_admin_shutdown, cmd_admin_recover, cmd_complete, cmd_manual,
	cmd_config_device_add, cmd_config_device_remove, cmd_config_device_set,
	cmd_config_device_unset, cmd_config_device_override, cmd_config_device_get,
	cmd_config_device_list, cmd_config_device_show, cmd_profile_device_add,
	cmd_profile_device_remove, cmd_profile_device_set, cmd_profile_device_unset,
	cmd_profile_device_get, cmd_profile_device_list, cmd_profile_device_show, cmd_profile_load,
	cmd_config_metadata, cmd_image_copy, cmd_image_refresh, cmd_remote_list, cmd_remote_add,
	cmd_remote_remove, cmd_remote_rename, cmd_remote_set_url, cmd_remote_switch,
	cmd_remote_get_default;
