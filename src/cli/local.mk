## cli: the program sysctr
## libcli.a holds all but main(), for the unit tests.
noinst_LIBRARIES += libcli.a
libcli_a_CPPFLAGS = $(AM_CPPFLAGS) $(SMARTCOLS_CFLAGS)
libcli_a_SOURCES = \
	%D%/args.c %D%/args.h \
	%D%/cli.h \
	%D%/cmd_admin.c \
	%D%/cmd_complete.c \
	%D%/cmd_config.c \
	%D%/cmd_console.c \
	%D%/cmd_delete.c \
	%D%/cmd_device.c \
	%D%/cmd_exec.c \
	%D%/cmd_export.c \
	%D%/cmd_file.c \
	%D%/cmd_file_copy.c \
	%D%/cmd_image.c \
	%D%/cmd_image_copy.c \
	%D%/cmd_image_export.c \
	%D%/cmd_image_file.c \
	%D%/cmd_import.c \
	%D%/cmd_info.c \
	%D%/cmd_keys.c \
	%D%/cmd_launch.c \
	%D%/cmd_list.c \
	%D%/cmd_monitor.c \
	%D%/cmd_move.c \
	%D%/cmd_network.c \
	%D%/cmd_operation.c \
	%D%/cmd_profile.c \
	%D%/cmd_profile_load.c \
	%D%/cmd_publish.c \
	%D%/cmd_query.c %D%/cmd_recover.c \
	%D%/cmd_rebuild.c \
	%D%/cmd_remote.c \
	%D%/cmd_snapshot.c \
	%D%/cmd_snapshot_diff.c \
	%D%/cmd_state.c \
	%D%/cmd_storage.c \
	%D%/backup_file.h \
	%D%/cmd_storage_export.c \
	%D%/cmd_storage_snapshot.c \
	%D%/cmd_storage_volume.c \
	%D%/cmd_wait.c \
	%D%/command.c %D%/command.h \
	%D%/commands.c %D%/commands.h \
	%D%/detach.c %D%/detach.h \
	%D%/editor.c %D%/editor.h \
	%D%/expanded.c %D%/expanded.h \
	%D%/file.c %D%/file.h \
	%D%/help.c %D%/help.h \
	%D%/image.h \
	%D%/info.h \
	%D%/names.c %D%/names.h \
	%D%/object.c %D%/object.h \
	%D%/operate.c \
	%D%/outfile.c %D%/outfile.h \
	%D%/privileged.c %D%/privileged.h \
	%D%/progress.c %D%/progress.h \
	%D%/remotes.c %D%/remotes.h \
	%D%/report.c \
	%D%/session.c %D%/session.h \
	%D%/session_fds.c \
	%D%/session_pump.c %D%/session_pump.h \
	%D%/snapshot.h \
	%D%/storage_volume.h \
	%D%/table.c %D%/table.h \
	%D%/term.c %D%/term.h \
	%D%/wait.h

bin_PROGRAMS += sysctr
sysctr_SOURCES = %D%/main.c
sysctr_LDADD = libcli.a libclient.a libfiles.a libspec.a libcodec.a libos.a libbase.a $(SMARTCOLS_LIBS) $(JANSSON_LIBS) \
	$(YAML_LIBS) $(WSLAY_LIBS)

bashcompdir = $(datadir)/bash-completion/completions
dist_bashcomp_DATA = config/completion/sysctr
