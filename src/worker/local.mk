helper_PROGRAMS += sysctr-worker
sysctr_worker_SOURCES = \
	%D%/job_build.c \
	%D%/job_custom.c \
	%D%/job_image_delete.c \
	%D%/job_instance_transfer.c \
	%D%/job_pool_delete.c \
	%D%/job_pool_prepare.c \
	%D%/job_side_write.c \
	%D%/job_snapshot.c \
	%D%/job_snapshot_diff.c \
	%D%/job_volume_create.c \
	%D%/job_volume_delete.c \
	%D%/job_volume_limit.c \
	%D%/job_volume_rename.c \
	%D%/job_volume_replace.c \
	%D%/jobs.h \
	%D%/main.c \
	%D%/space.c %D%/space.h
sysctr_worker_LDADD = libstorage.a libimage.a libspec.a libcodec.a libos.a libbase.a $(JANSSON_LIBS) $(YAML_LIBS)
