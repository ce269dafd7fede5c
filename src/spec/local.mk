noinst_LIBRARIES += libspec.a
libspec_a_SOURCES = \
	%D%/backup.c %D%/backup.h \
	%D%/backup_record.c %D%/backup_record.h \
	%D%/bitrate.c %D%/bitrate.h \
	%D%/daemon_config.c %D%/daemon_config.h \
	%D%/device.c %D%/device.h \
	%D%/disk.c %D%/disk.h \
	%D%/etag.c %D%/etag.h \
	%D%/exec.h \
	%D%/exec_control.c %D%/exec_control.h \
	%D%/expand.c %D%/expand.h \
	%D%/files.c %D%/files.h \
	%D%/filter.c %D%/filter.h \
	%D%/hotdev.c %D%/hotdev.h \
	%D%/idmap.c %D%/idmap.h \
	%D%/idrange.c %D%/idrange.h \
	%D%/image.c %D%/image.h \
	%D%/instance.c %D%/instance.h \
	%D%/image_server.c %D%/image_server.h \
	%D%/job.c %D%/job.h \
	%D%/journal.c %D%/journal.h \
	%D%/key.c %D%/key.h \
	%D%/keys.c %D%/keys.h \
	%D%/limits.c %D%/limits.h \
	%D%/link.h \
	%D%/msg.c %D%/msg.h \
	%D%/names.c %D%/names.h \
	%D%/network.c %D%/network.h \
	%D%/nic.c %D%/nic.h \
	%D%/nictype.c %D%/nictype.h \
	%D%/pool.c %D%/pool.h %D%/pool_text.c \
	%D%/portable.c %D%/portable.h \
	%D%/profile.c %D%/profile.h \
	%D%/proxy.c %D%/proxy.h \
	%D%/recovery.c %D%/recovery.h \
	%D%/remote_image.c %D%/remote_image.h \
	%D%/retention.c %D%/retention.h \
	%D%/rlimit.c %D%/rlimit.h \
	%D%/schedule.c %D%/schedule.h \
	%D%/seed.c %D%/seed.h \
	%D%/server_keys.c %D%/server_keys.h \
	%D%/snapshot.c %D%/snapshot.h \
	%D%/snapshot_keys.c %D%/snapshot_keys.h \
	%D%/template.c %D%/template.h %D%/template_parse.c \
	%D%/unixdev.c %D%/unixdev.h \
	%D%/value.c %D%/value.h \
	%D%/vlan.c %D%/vlan.h \
	%D%/volume.c %D%/volume.h \
	%D%/warning.c %D%/warning.h
libspec_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
