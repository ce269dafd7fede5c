noinst_LIBRARIES += libcore.a
libcore_a_SOURCES = \
	%D%/backup.c %D%/backup.h \
	%D%/console.c %D%/console.h \
	%D%/core.c %D%/core.h \
	%D%/cpus.c %D%/cpus.h \
	%D%/db_copies.c %D%/db_copies.h \
	%D%/events.c %D%/events.h \
	%D%/exec_session.c %D%/exec_session.h \
	%D%/files.c %D%/files.h \
	%D%/flight.c %D%/flight.h \
	%D%/hotplug.c %D%/hotplug.h \
	%D%/image.c %D%/image.h \
	%D%/image_delete.c \
	%D%/image_publish.c %D%/image_publish.h \
	%D%/image_pull.c %D%/image_pull.h \
	%D%/image_refresh.c %D%/image_refresh.h \
	%D%/image_remote.c %D%/image_remote.h \
	%D%/image_store.c %D%/image_store.h \
	%D%/import.c %D%/import.h \
	%D%/import_record.c \
	%D%/inst.c %D%/inst.h \
	%D%/inst_copy.c \
	%D%/inst_create.c %D%/inst_create.h \
	%D%/inst_delete.c \
	%D%/inst_edit.c \
	%D%/inst_events.c %D%/inst_events.h \
	%D%/inst_export.c \
	%D%/inst_ids.c %D%/inst_ids.h \
	%D%/inst_move.h \
	%D%/inst_ops.c %D%/inst_ops.h \
	%D%/inst_pool_move.c \
	%D%/inst_refresh.c \
	%D%/inst_rebuild.c \
	%D%/inst_rename.c \
	%D%/inst_spec.c \
	%D%/inst_start.c \
	%D%/inst_stop.c \
	%D%/inst_volatile.c %D%/inst_volatile.h \
	%D%/job.c %D%/job.h \
	%D%/journal.c %D%/journal.h \
	%D%/live.c %D%/live.h \
	%D%/monitor_conn.c %D%/monitor_conn.h \
	%D%/nat.c %D%/nat.h \
	%D%/network.c %D%/network.h \
	%D%/network_filter.c %D%/network_filter.h \
	%D%/network_firewall.c \
	%D%/network_hosts.c \
	%D%/network_lease.c \
	%D%/network_priv.h \
	%D%/network_up.c \
	%D%/nicfilter.c %D%/nicfilter.h \
	%D%/op.c %D%/op.h \
	%D%/op_streams.c %D%/op_streams.h \
	%D%/pool.c %D%/pool.h \
	%D%/pool_edit.c %D%/pool_edit.h \
	%D%/pool_files.c %D%/pool_files.h \
	%D%/preview.c %D%/preview.h \
	%D%/privileged.c %D%/privileged.h \
	%D%/profile.c %D%/profile.h \
	%D%/quota.c %D%/quota.h \
	%D%/reconcile.c %D%/reconcile.h \
	%D%/scheduled.c %D%/scheduled.h \
	%D%/scheduler.c %D%/scheduler.h \
	%D%/seccomp.c %D%/seccomp.h \
	%D%/server.c %D%/server.h \
	%D%/space.c %D%/space.h \
	%D%/shutdown.c %D%/shutdown.h \
	%D%/recover.c %D%/recover.h %D%/recover_priv.h \
	%D%/recover_pool.c \
	%D%/recover_volume.c \
	%D%/side_files.c %D%/side_files.h \
	%D%/snapshot.c %D%/snapshot.h \
	%D%/snapshot_create.c \
	%D%/snapshot_diff.c \
	%D%/snapshot_restore.c \
	%D%/still.c %D%/still.h \
	%D%/template.c %D%/template.h \
	%D%/volume.c %D%/volume.h \
	%D%/volume_create.c \
	%D%/volume_delete.c \
	%D%/volume_edit.c \
	%D%/volume_export.c \
	%D%/volume_import.c \
	%D%/volume_making.h \
	%D%/volume_move.h \
	%D%/volume_pool_move.c \
	%D%/volume_snapshot.c \
	%D%/upload.c %D%/upload.h \
	%D%/usage.c %D%/usage.h \
	%D%/warning.c %D%/warning.h
