## One program per target, fuzz_x.c with LLVMFuzzerTestOneInput; in "make check" replay.c runs it over
## corpus/x. For libFuzzer: clang -fsanitize=fuzzer,address,undefined fuzz_x.c and the libraries,
## without replay.c.
check_PROGRAMS += \
	%D%/fuzz_backup \
	%D%/fuzz_entry \
	%D%/fuzz_filter \
	%D%/fuzz_lease \
	%D%/fuzz_metadata \
	%D%/fuzz_msg \
	%D%/fuzz_multipart \
	%D%/fuzz_nftables \
	%D%/fuzz_schedule \
	%D%/fuzz_url \
	%D%/fuzz_value \
	%D%/fuzz_wire \
	%D%/fuzz_ws
EXTRA_DIST += %D%/corpus

FUZZ_SPEC_LIBS = libspec.a libcodec.a libbase.a $(JANSSON_LIBS) $(YAML_LIBS)
tests_fuzz_fuzz_backup_SOURCES = %D%/fuzz_backup.c %D%/replay.c
tests_fuzz_fuzz_backup_LDADD = $(FUZZ_SPEC_LIBS)
tests_fuzz_fuzz_entry_SOURCES = %D%/fuzz_entry.c %D%/replay.c
tests_fuzz_fuzz_entry_LDADD = libimage.a libbase.a
tests_fuzz_fuzz_filter_SOURCES = %D%/fuzz_filter.c %D%/replay.c
tests_fuzz_fuzz_filter_LDADD = $(FUZZ_SPEC_LIBS)
tests_fuzz_fuzz_metadata_SOURCES = %D%/fuzz_metadata.c %D%/replay.c
tests_fuzz_fuzz_metadata_LDADD = libimage.a libcodec.a libbase.a $(JANSSON_LIBS) $(YAML_LIBS)
tests_fuzz_fuzz_msg_SOURCES = %D%/fuzz_msg.c %D%/replay.c
tests_fuzz_fuzz_msg_LDADD = libspec.a libcodec.a libbase.a
tests_fuzz_fuzz_multipart_SOURCES = %D%/fuzz_multipart.c %D%/replay.c
tests_fuzz_fuzz_multipart_LDADD = libcodec.a libbase.a
tests_fuzz_fuzz_schedule_SOURCES = %D%/fuzz_schedule.c %D%/replay.c
tests_fuzz_fuzz_schedule_LDADD = $(FUZZ_SPEC_LIBS)
tests_fuzz_fuzz_url_SOURCES = %D%/fuzz_url.c %D%/replay.c
tests_fuzz_fuzz_url_LDADD = $(FUZZ_SPEC_LIBS)
tests_fuzz_fuzz_value_SOURCES = %D%/fuzz_value.c %D%/replay.c
tests_fuzz_fuzz_value_LDADD = $(FUZZ_SPEC_LIBS)
tests_fuzz_fuzz_wire_SOURCES = %D%/fuzz_wire.c %D%/replay.c
tests_fuzz_fuzz_wire_LDADD = $(FUZZ_SPEC_LIBS)

tests_fuzz_fuzz_lease_SOURCES = %D%/fuzz_lease.c %D%/replay.c
tests_fuzz_fuzz_lease_LDADD = libnetwork.a libspec.a libcodec.a libos.a libbase.a $(MNL_LIBS)
tests_fuzz_fuzz_nftables_SOURCES = %D%/fuzz_nftables.c %D%/replay.c
tests_fuzz_fuzz_nftables_LDADD = libos.a libbase.a $(MNL_LIBS)
tests_fuzz_fuzz_ws_SOURCES = %D%/fuzz_ws.c %D%/replay.c
tests_fuzz_fuzz_ws_LDADD = libcodec.a libbase.a $(WSLAY_LIBS) $(GNUTLS_LIBS)

check_PROGRAMS += \
	%D%/fuzz_json \
	%D%/fuzz_release_index \
	%D%/fuzz_simplestreams \
	%D%/fuzz_template \
	%D%/fuzz_yaml
tests_fuzz_fuzz_json_SOURCES = %D%/fuzz_json.c %D%/replay.c
tests_fuzz_fuzz_json_LDADD = $(FUZZ_SPEC_LIBS)
tests_fuzz_fuzz_release_index_SOURCES = %D%/fuzz_release_index.c %D%/replay.c
tests_fuzz_fuzz_release_index_LDADD = libimage.a $(FUZZ_SPEC_LIBS)
tests_fuzz_fuzz_simplestreams_SOURCES = %D%/fuzz_simplestreams.c %D%/replay.c
tests_fuzz_fuzz_simplestreams_LDADD = libimage.a $(FUZZ_SPEC_LIBS)
tests_fuzz_fuzz_template_SOURCES = %D%/fuzz_template.c %D%/replay.c
tests_fuzz_fuzz_template_LDADD = $(FUZZ_SPEC_LIBS)
tests_fuzz_fuzz_yaml_SOURCES = %D%/fuzz_yaml.c %D%/replay.c
tests_fuzz_fuzz_yaml_LDADD = $(FUZZ_SPEC_LIBS)

## these work on files: fuzz_root.c makes a directory for each run
check_PROGRAMS += \
	%D%/fuzz_sftp \
	%D%/fuzz_tree
FUZZ_FILES_LIBS = libfiles.a libspec.a libcodec.a libos.a libbase.a $(JANSSON_LIBS) $(YAML_LIBS)
tests_fuzz_fuzz_sftp_SOURCES = %D%/fuzz_sftp.c %D%/fuzz_root.c %D%/fuzz_root.h %D%/replay.c
tests_fuzz_fuzz_sftp_LDADD = $(FUZZ_FILES_LIBS)
tests_fuzz_fuzz_tree_SOURCES = %D%/fuzz_tree.c %D%/fuzz_root.c %D%/fuzz_root.h %D%/replay.c
tests_fuzz_fuzz_tree_LDADD = $(FUZZ_FILES_LIBS)
