noinst_LIBRARIES += libapi.a
libapi_a_SOURCES = \
	%D%/api.c %D%/api.h %D%/api_priv.h \
	%D%/backups.c %D%/backups.h \
	%D%/devices_body.c %D%/devices_body.h \
	%D%/files.c %D%/files.h \
	%D%/files_stream.c \
	%D%/handlers.h \
	%D%/image_export.c \
	%D%/image_source.c %D%/image_source.h \
	%D%/image_upload.c \
	%D%/images.c \
	%D%/instance_export.c %D%/instance_export.h \
	%D%/instance_import.c %D%/instance_import.h \
	%D%/instance_move.c \
	%D%/instance_state.c %D%/instance_state.h \
	%D%/instances.c \
	%D%/logs.c \
	%D%/networks.c \
	%D%/object_instance.c \
	%D%/object_op.c %D%/objects.h \
	%D%/operations.c \
	%D%/pools.c \
	%D%/preview.c %D%/preview.h \
	%D%/profiles.c \
	%D%/remote_images.c \
	%D%/request.c %D%/request.h \
	%D%/routes.c %D%/routes.h \
	%D%/routes_match.c \
	%D%/server.c \
	%D%/snapshot_diff.c \
	%D%/snapshots.c %D%/snapshots.h \
	%D%/volume_export.c \
	%D%/volume_snapshots.c \
	%D%/volumes.c %D%/volumes.h \
	%D%/warnings.c
libapi_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(MHD_CFLAGS)
